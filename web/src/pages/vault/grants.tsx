/**
 * Who else may read what peers keep of a knowledge base: grants that were given, a new one, and new keys for all of it.
 *
 * @module web/pages/vault/grants
 */
import { createResource, createSignal, createUniqueId, For, Show } from 'solid-js';
import { announce } from '../../app/announce.tsx';
import { Confirm } from '../../base/confirm.tsx';
import { Snippet } from '../../base/copy.tsx';
import { createDeed } from '../../base/deed.ts';
import { ErrorNote } from '../../base/error-note.tsx';
import { faultIn } from '../../data/node-error.ts';
import { count, moment } from '../../i18n/index.ts';
import { told } from '../knowledge/graph/told.ts';
import { give, given, revoke, rotate, type VaultGrantView } from './desk.ts';
import { shortPeer } from './figures.ts';
import { createPeerEntry, PeerField, PeerHint } from './peer-field.tsx';
import { v } from './words.ts';

const DAYS = [1, 7, 30, 365] as const;

export function Grants(props: { readonly kb: string; readonly changed: () => Promise<void> }) {
  const id = createUniqueId();
  const [found, { refetch }] = createResource(() => props.kb, given);
  const [ending, setEnding] = createSignal<VaultGrantView | null>(null);
  const [rotating, setRotating] = createSignal(false);
  return (
    <section class="grants-of" aria-labelledby={id}>
      <h2 id={id}>{v('grants.title')}</h2>
      <p class="sub">{v('grants.more')}</p>
      <Show when={found.error}>
        <ErrorNote fault={faultIn(found.error)} />
      </Show>
      <Show when={told(found)}>
        {(all) => (
          <Show when={all().length > 0} fallback={<p class="nothing">{v('grants.none')}</p>}>
            <ul class="given" aria-label={v('grants.title')}>
              <For each={all()}>
                {(grant) => (
                  <li>
                    <span>
                      <bdi class="peer-id" title={grant.holder}>
                        {shortPeer(grant.holder)}
                      </bdi>{' '}
                      <span class="figures">
                        {v(`grants.states.${grant.state}`, {
                          when: moment(grant.state === 'revoked' ? (grant.revoked ?? 0) : grant.until),
                        })}
                      </span>
                      <Show when={grant.untold.length > 0}>
                        <span class="more poor">
                          {v('grants.untold', { count: count(grant.untold.length) })}
                        </span>
                      </Show>
                    </span>
                    <Show when={grant.state === 'holds'}>
                      <button
                        type="button"
                        class="button"
                        aria-label={v('grants.revokeOf', { peer: shortPeer(grant.holder) })}
                        onClick={() => setEnding(grant)}
                      >
                        {v('grants.revoke')}
                      </button>
                    </Show>
                  </li>
                )}
              </For>
            </ul>
          </Show>
        )}
      </Show>
      <Give kb={props.kb} given={async () => void (await refetch())} />
      <button type="button" class="text-button" onClick={() => setRotating(true)}>
        {v('grants.rotate')}
      </button>
      <Show when={ending()}>
        {(grant) => (
          <Confirm
            title={v('grants.revokeTitle', { peer: shortPeer(grant().holder) })}
            act={v('grants.revoke')}
            close={() => setEnding(null)}
            run={async () => {
              await revoke(props.kb, grant().id);
              announce(v('grants.revoked', { peer: shortPeer(grant().holder) }));
              await refetch();
            }}
          >
            <p>{v('grants.revokeMore')}</p>
          </Confirm>
        )}
      </Show>
      <Show when={rotating()}>
        <Confirm
          title={v('grants.rotateTitle')}
          act={v('grants.rotate')}
          mild
          close={() => setRotating(false)}
          run={async () => {
            await rotate(props.kb);
            announce(v('kb.begun'));
            await props.changed();
            await refetch();
          }}
        >
          <p>{v('grants.rotateMore')}</p>
        </Confirm>
      </Show>
    </section>
  );
}

function Give(props: { readonly kb: string; readonly given: () => Promise<void> }) {
  const id = createUniqueId();
  const entry = createPeerEntry();
  const [days, setDays] = createSignal<number>(30);
  const [line, setLine] = createSignal<string | null>(null);
  const deed = createDeed();
  const go = (event: SubmitEvent) => {
    event.preventDefault();
    const to = entry.checked();
    if (to === null) return;
    void deed.run(async () => {
      setLine(null);
      setLine((await give(props.kb, { to, days: days() })).text);
      entry.set('');
      await props.given();
    });
  };
  return (
    <form onSubmit={go}>
      <div class="line-form give">
        <PeerField id={id} label={v('grants.peer')} entry={entry} />
        <div class="field">
          <label for={`${id}-days`}>{v('place.forDays')}</label>
          <select
            id={`${id}-days`}
            class="input"
            onChange={(event) => setDays(Number(event.currentTarget.value))}
          >
            <For each={DAYS}>
              {(one) => (
                <option value={one} selected={one === days()}>
                  {count(one)}
                </option>
              )}
            </For>
          </select>
        </div>
        <button type="submit" class="button" disabled={deed.busy() || entry.value().trim() === ''}>
          {v('grants.give')}
        </button>
      </div>
      <PeerHint id={id} entry={entry} hint={v('place.peerHint')} />
      <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
      <Show when={line()}>
        {(text) => (
          <div class="line-made" role="status">
            <p>{v('grants.line')}</p>
            <Snippet text={text()} />
          </div>
        )}
      </Show>
    </form>
  );
}
