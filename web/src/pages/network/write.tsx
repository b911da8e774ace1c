/**
 * Writes a message to the owner of a peer, and says what became of it.
 *
 * @module web/pages/network/write
 */
import { createSignal, createUniqueId, For, Show } from 'solid-js';
import { announce } from '../../app/announce.tsx';
import { createDeed } from '../../base/deed.ts';
import { ErrorNote } from '../../base/error-note.tsx';
import { count, moment, t } from '../../i18n/index.ts';
import { network, type Sent, send, shortPeer } from './swarm.ts';

/** Characters, as the node bounds a message. */
const longest = 8_000;

/** @param props.to the one it goes to; absent: the writer says who */
export function Write(props: { readonly to?: string; readonly sent?: () => void }) {
  const id = createUniqueId();
  const [to, setTo] = createSignal('');
  const [text, setText] = createSignal('');
  const [outcome, setOutcome] = createSignal<Sent | null>(null);
  const deed = createDeed();
  const go = async (event: SubmitEvent) => {
    event.preventDefault();
    const peer = props.to ?? to().trim();
    if (peer === '' || text().trim() === '') return;
    setOutcome(null);
    const done = await deed.run(async () => {
      const sent = await send(peer, text());
      setOutcome(sent);
      // What a peer refused stays, to be sent to somebody else or later.
      if (sent.state === 'refused') return;
      setText('');
      announce(sentWords(sent));
    });
    if (done && outcome()?.state !== 'refused') props.sent?.();
  };
  return (
    <form class="write" onSubmit={(event) => void go(event)}>
      <Show when={props.to === undefined}>
        <div class="field">
          <label for={`${id}-to`}>{t('network.to')}</label>
          <input
            id={`${id}-to`}
            class="input mono"
            dir="ltr"
            list={`${id}-peers`}
            autocomplete="off"
            spellcheck={false}
            maxlength="60"
            placeholder="12D3Koo…"
            value={to()}
            onInput={(event) => setTo(event.currentTarget.value)}
          />
          <datalist id={`${id}-peers`}>
            <For each={network.peers}>{({ peer }) => <option value={peer} />}</For>
          </datalist>
        </div>
      </Show>
      <div class="field">
        <label for={id}>{t('network.message')}</label>
        <textarea
          id={id}
          class="input"
          dir="auto"
          rows="3"
          maxlength={longest}
          value={text()}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <span class="hint">{t('network.messageHint', { limit: count(longest) })}</span>
      </div>
      <div class="write-acts">
        <button type="submit" class="button" disabled={deed.busy()}>
          {deed.busy() ? t('network.sending') : t('network.send')}
        </button>
        <Show when={outcome()}>{(sent) => <p role="status">{sentWords(sent())}</p>}</Show>
      </div>
      <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
    </form>
  );
}

export function sentWords(sent: Sent): string {
  const words = t(`network.sentStates.${sent.state}`, { peer: shortPeer(sent.to) });
  return sent.code === null ? words : `${words} (${sent.code})`;
}

/** What was sent lately. Nothing while nothing was. */
export function Outbox(props: { readonly to?: string }) {
  const shown = () => network.sent.filter(({ to }) => props.to === undefined || to === props.to);
  return (
    <Show when={shown().length > 0}>
      <details class="outbox">
        <summary>{t('network.sentLately')}</summary>
        <ul>
          <For each={shown()}>
            {(one) => (
              <li>
                {sentWords(one)} <bdi class="when">{moment(one.sentAt)}</bdi>
              </li>
            )}
          </For>
        </ul>
      </details>
    </Show>
  );
}
