/**
 * How an answer may be come by: who may see the question, where it is answered, what may be kept, what may stand in.
 *
 * @module web/chat/term-fields
 */
import { For, Show } from 'solid-js';
import { node } from '../data/node-state.ts';
import type { AnswerSettings } from '../data/preferences.ts';
import {
  type AnswerTerms,
  caches,
  degradations,
  type PrivacyLevel,
  privacyLevels,
  reachOf,
  routes,
  stricter,
} from '../data/terms.ts';
import { t } from '../i18n/index.ts';

interface Props {
  readonly settings: AnswerSettings;
  readonly change: (change: Partial<AnswerTerms>) => void;
}

export function TermFields(props: Props) {
  const policy = () => node.health?.policy ?? null;
  const reach = () => reachOf(props.settings, node.health) ?? 'unknown';
  /** The level that a request would have; null where the owner's is not known. */
  const level = () => {
    const floor = policy()?.privacy;
    const own = props.settings.privacy ?? null;
    return floor === undefined ? own : stricter(floor, own ?? floor);
  };
  /** Weaker than the owner's level: it would change nothing. */
  const isVoid = (level: PrivacyLevel) => {
    const floor = policy()?.privacy;
    return floor !== undefined && level !== floor && stricter(level, floor) === floor;
  };
  const floorHint = () => {
    const floor = policy()?.privacy;
    if (floor === 'minimum') return '';
    return floor === undefined
      ? t('settings.privacyStricter')
      : t('settings.privacyFloor', { level: t(`privacy.level.${floor}`) });
  };
  const configured = (words: string | null) =>
    words === null ? t('settings.configured') : t('settings.configuredAs', { value: words });
  return (
    <>
      <h3>{t('settings.coming')}</h3>
      <p class="reach" data-reach={reach()} role="status">
        {t(`reach.more.${reach()}`)}
      </p>
      <Choice
        id="privacy"
        label={t('settings.privacy')}
        hint={`${t(`privacy.means.${level() ?? 'unknown'}`)} ${floorHint()}`}
        value={props.settings.privacy ?? null}
        usual={configured(policy() && t(`privacy.level.${policy()!.privacy}`))}
        options={privacyLevels.map((level) => ({
          value: level,
          words: t(`privacy.level.${level}`),
          disabled: isVoid(level),
        }))}
        change={(privacy) => props.change({ privacy })}
      />
      <Choice
        id="route"
        label={t('settings.route')}
        hint={t('settings.routeHint')}
        value={props.settings.route ?? null}
        usual={configured(policy() && t(`settings.routes.${policy()!.route}`))}
        options={routes.map((value) => ({ value, words: t(`settings.routes.${value}`) }))}
        change={(route) => props.change({ route })}
      />
      <Choice
        id="cache"
        label={t('settings.cache')}
        hint={t('settings.cacheHint')}
        value={props.settings.cache ?? null}
        usual={configured(policy() && t(`settings.caches.${policy()!.cache}`))}
        options={caches.map((value) => ({ value, words: t(`settings.caches.${value}`) }))}
        change={(cache) => props.change({ cache })}
      />
      <Choice
        id="degrade"
        label={t('settings.degrade')}
        hint={t('settings.degradeHint')}
        value={props.settings.degrade ?? null}
        usual={configured(policy() && t(`settings.degrades.${policy()!.degrade}`))}
        options={degradations.map((value) => ({ value, words: t(`settings.degrades.${value}`) }))}
        change={(degrade) => props.change({ degrade })}
      />
    </>
  );
}

interface ChoiceProps<T extends string> {
  readonly id: string;
  readonly label: string;
  readonly hint: string;
  readonly value: T | null;
  /** Words for leaving it to the node. */
  readonly usual: string;
  readonly options: readonly { readonly value: T; readonly words: string; readonly disabled?: boolean }[];
  readonly change: (value: T | null) => void;
}

function Choice<T extends string>(props: ChoiceProps<T>) {
  return (
    <div class="field">
      <label for={props.id}>{props.label}</label>
      <select
        id={props.id}
        class="input"
        aria-describedby={`${props.id}-hint`}
        onChange={(event) => {
          const { value } = event.currentTarget;
          props.change(props.options.find((option) => option.value === value)?.value ?? null);
        }}
      >
        <option value="" selected={props.value === null}>
          {props.usual}
        </option>
        <Show when={props.value !== null && !props.options.some(({ value }) => value === props.value)}>
          <option value={props.value!} selected>
            {props.value}
          </option>
        </Show>
        <For each={props.options}>
          {(option) => (
            <option
              value={option.value}
              selected={option.value === props.value}
              disabled={option.disabled ?? false}
            >
              {option.words}
            </option>
          )}
        </For>
      </select>
      <span class="hint" id={`${props.id}-hint`}>
        {props.hint}
      </span>
    </div>
  );
}
