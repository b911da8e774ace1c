/**
 * How answers are to be made: an empty field leaves it to the node.
 *
 * @module web/chat/answer-settings
 */
import { createSignal, Show } from 'solid-js';
import { type AnswerSettings, noSettings } from '../data/preferences.ts';
import { t } from '../i18n/index.ts';
import { TermFields } from './term-fields.tsx';

interface Props {
  readonly settings: AnswerSettings;
  readonly change: (settings: AnswerSettings) => void;
}

const maxSystem = 50_000;

export function AnswerSettingsForm(props: Props) {
  const set = (change: Partial<AnswerSettings>) => props.change({ ...props.settings, ...change });
  return (
    <div class="answer-settings">
      <p class="sub">{t('settings.lede')}</p>
      <TermFields settings={props.settings} change={set} />
      <h3>{t('settings.writing')}</h3>
      <div class="pair">
        <NumberField
          id="temperature"
          label={t('settings.temperature')}
          hint={t('settings.temperatureHint')}
          value={props.settings.temperature}
          wrong={(value) =>
            value >= 0 && value <= 2 ? null : t('settings.wrongRange', { from: '0', to: '2' })
          }
          change={(temperature) => set({ temperature })}
        />
        <NumberField
          id="top_p"
          label={t('settings.topP')}
          hint={t('settings.topPHint')}
          value={props.settings.top_p}
          wrong={(value) =>
            value > 0 && value <= 1 ? null : t('settings.wrongAbove', { from: '0', to: '1' })
          }
          change={(top_p) => set({ top_p })}
        />
      </div>
      <NumberField
        id="max_tokens"
        label={t('settings.maxTokens')}
        hint={t('settings.maxTokensHint')}
        value={props.settings.max_tokens}
        wrong={(value) =>
          Number.isSafeInteger(value) && value >= 1 ? null : t('settings.wrongWhole', { from: '1' })
        }
        change={(max_tokens) => set({ max_tokens })}
      />
      <NumberField
        id="seed"
        label={t('settings.seed')}
        hint={t('settings.seedHint')}
        value={props.settings.seed}
        wrong={(value) => (Number.isSafeInteger(value) ? null : t('settings.wrongInteger'))}
        change={(seed) => set({ seed })}
      />
      <div class="field">
        <label for="system">{t('settings.system')}</label>
        <textarea
          id="system"
          class="input"
          dir="auto"
          rows="5"
          maxlength={maxSystem}
          aria-describedby="system-hint"
          value={props.settings.system}
          onChange={(event) => set({ system: event.currentTarget.value })}
        />
        <span class="hint" id="system-hint">
          {t('settings.systemHint')}
        </span>
      </div>
      <div>
        <button
          type="button"
          class="button"
          onClick={() => props.change({ ...noSettings, model: props.settings.model })}
        >
          {t('settings.reset')}
        </button>
      </div>
    </div>
  );
}

interface NumberProps {
  readonly id: string;
  readonly label: string;
  readonly hint: string;
  readonly value: number | null;
  /** What is wrong with a value; null when nothing is. */
  readonly wrong: (value: number) => string | null;
  readonly change: (value: number | null) => void;
}

function NumberField(props: NumberProps) {
  const [fault, setFault] = createSignal<string | null>(null);
  const take = (text: string) => {
    const clean = text.trim().replace(',', '.');
    if (clean === '') {
      setFault(null);
      props.change(null);
      return;
    }
    const value = Number(clean);
    const found = Number.isFinite(value) ? props.wrong(value) : props.hint;
    setFault(found);
    if (found === null) props.change(value);
  };
  return (
    <div class="field">
      <label for={props.id}>{props.label}</label>
      <input
        id={props.id}
        class="input"
        type="text"
        inputmode="decimal"
        autocomplete="off"
        dir="ltr"
        placeholder={t('settings.asNode')}
        aria-describedby={`${props.id}-hint`}
        aria-invalid={fault() !== null}
        value={props.value ?? ''}
        onChange={(event) => take(event.currentTarget.value)}
      />
      <span class={fault() === null ? 'hint' : 'wrong'} id={`${props.id}-hint`}>
        <Show when={fault()} fallback={props.hint}>
          {fault()}
        </Show>
      </span>
    </div>
  );
}
