/**
 * What only the owner may do takes the run token of the node, which stands in a file that only the owner can read.
 *
 * @module web/app/unlock
 */
import { createSignal, createUniqueId, Show } from 'solid-js';
import { Snippet } from '../base/copy.tsx';
import { createDeed } from '../base/deed.ts';
import { ErrorNote } from '../base/error-note.tsx';
import { entryFault, lock, unlock, unlocked } from '../data/owner.ts';
import { t } from '../i18n/index.ts';
import { announce } from './announce.tsx';

interface Props {
  /** What it is for. */
  readonly why: string;
  /** Prints a one-time link to this page. */
  readonly open: string;
  /** What does the same in a terminal. */
  readonly commands: string;
}

export function Unlock(props: Props) {
  const id = createUniqueId();
  const [given, setGiven] = createSignal('');
  const deed = createDeed();
  const open = async (event: SubmitEvent) => {
    event.preventDefault();
    const text = tokenIn(given());
    if (text === '') return;
    if (!(await deed.run(() => unlock(text)))) return;
    setGiven('');
    announce(t('owner.unlocked'));
  };
  return (
    <Show
      when={!unlocked()}
      fallback={
        <p class="unlocked">
          {t('owner.unlocked')}
          <button type="button" class="text-button" onClick={lock}>
            {t('owner.lock')}
          </button>
        </p>
      }
    >
      <section class="unlock" aria-label={t('owner.title')}>
        <p>{props.why}</p>
        <Snippet text={props.open} />
        <Show when={entryFault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
        <details>
          <summary>{t('owner.byToken')}</summary>
          <form onSubmit={(event) => void open(event)}>
            <div class="field">
              <label for={id}>{t('owner.token')}</label>
              <input
                id={id}
                class="input"
                type="password"
                autocomplete="off"
                maxlength="2000"
                aria-describedby={`${id}-hint`}
                value={given()}
                onInput={(event) => setGiven(event.currentTarget.value)}
              />
            </div>
            <button type="submit" class="button strong" disabled={deed.busy()}>
              {t('owner.unlock')}
            </button>
          </form>
          <p class="aside" id={`${id}-hint`}>
            {t('owner.tokenHint')}
          </p>
          <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
        </details>
        <details>
          <summary>{t('owner.inTerminal')}</summary>
          <Snippet text={props.commands} />
        </details>
      </section>
    </Show>
  );
}

/** The token itself, also where the whole of run/node.json was pasted. Header values hold no other characters. */
function tokenIn(text: string): string {
  const quoted = /"token"\s*:\s*"([^"]+)"/.exec(text)?.[1] ?? text;
  return quoted.replace(/[^\x21-\x7e]/g, '');
}
