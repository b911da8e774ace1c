/**
 * What only the owner may do takes the run token of the node, which stands in a file that only the owner can read.
 *
 * @module web/pages/network/unlock
 */
import { createSignal, createUniqueId, Show } from 'solid-js';
import { announce } from '../../app/announce.tsx';
import { Snippet } from '../../base/copy.tsx';
import { ErrorNote } from '../../base/error-note.tsx';
import { t } from '../../i18n/index.ts';
import { createDeed } from './acting.ts';
import { entryFault, lock, unlock, unlocked } from './swarm.ts';

/** @param props.commands what does the same in a terminal */
export function Unlock(props: { readonly commands: string }) {
  const id = createUniqueId();
  const [given, setGiven] = createSignal('');
  const deed = createDeed();
  const open = async (event: SubmitEvent) => {
    event.preventDefault();
    const text = tokenIn(given());
    if (text === '') return;
    if (!(await deed.run(() => unlock(text)))) return;
    setGiven('');
    announce(t('network.unlocked'));
  };
  return (
    <Show
      when={!unlocked()}
      fallback={
        <p class="unlocked">
          {t('network.unlocked')}
          <button type="button" class="text-button" onClick={lock}>
            {t('network.lock')}
          </button>
        </p>
      }
    >
      <section class="unlock" aria-label={t('network.owner')}>
        <p>{t('network.ownerMore')}</p>
        <Snippet text="kith open" />
        <Show when={entryFault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
        <details>
          <summary>{t('network.byToken')}</summary>
          <form onSubmit={(event) => void open(event)}>
            <div class="field">
              <label for={id}>{t('network.token')}</label>
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
              {t('network.unlock')}
            </button>
          </form>
          <p class="aside" id={`${id}-hint`}>
            {t('network.tokenHint')}
          </p>
          <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
        </details>
        <details>
          <summary>{t('network.inTerminal')}</summary>
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
