/**
 * Keeps peers away: who is banned, and the question before somebody is.
 *
 * @module web/pages/network/bans
 */
import { A } from '@solidjs/router';
import { createSignal, createUniqueId, For, Show } from 'solid-js';
import { announce } from '../../app/announce.tsx';
import { peerPath } from '../../app/pages.ts';
import { Confirm } from '../../base/confirm.tsx';
import { createDeed } from '../../base/deed.ts';
import { ErrorNote } from '../../base/error-note.tsx';
import { moment, t } from '../../i18n/index.ts';
import { ban, network, shortPeer, unban } from './swarm.ts';

const hour = 3_600_000;
const lengths = { hour, day: 24 * hour, week: 7 * 24 * hour, good: null } as const;
type Length = keyof typeof lengths;

export function BanDialog(props: { readonly peer: string; readonly close: () => void }) {
  const id = createUniqueId();
  const [length, setLength] = createSignal<Length>('week');
  return (
    <Confirm
      title={t('network.banTitle', { peer: shortPeer(props.peer) })}
      act={t('network.ban')}
      run={async () => {
        await ban(props.peer, lengths[length()]);
        announce(t('network.banned', { peer: shortPeer(props.peer) }));
      }}
      close={props.close}
    >
      <p>{t('network.banMore')}</p>
      <div class="field">
        <label for={id}>{t('network.banFor')}</label>
        <select
          id={id}
          class="input"
          value={length()}
          onChange={(event) => setLength(event.currentTarget.value as Length)}
        >
          <For each={Object.keys(lengths) as Length[]}>
            {(one) => (
              <option value={one} selected={one === length()}>
                {t(`network.lengths.${one}`)}
              </option>
            )}
          </For>
        </select>
      </div>
    </Confirm>
  );
}

export function UnbanButton(props: { readonly peer: string }) {
  const deed = createDeed();
  const go = async () => {
    if (await deed.run(() => unban(props.peer)))
      announce(t('network.unbanned', { peer: shortPeer(props.peer) }));
  };
  return (
    <>
      <button
        type="button"
        class="button"
        disabled={deed.busy()}
        aria-label={t('network.unbanOf', { peer: shortPeer(props.peer) })}
        onClick={() => void go()}
      >
        {t('network.unban')}
      </button>
      <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
    </>
  );
}

/** Nothing while nobody is banned. */
export function Bans() {
  return (
    <Show when={network.bans.length > 0}>
      <section>
        <h2>{t('network.bans')}</h2>
        <ul class="ban-list">
          <For each={network.bans}>
            {(one) => (
              <li>
                <span>
                  <A href={peerPath(one.peer)} title={one.peer}>
                    <bdi>{shortPeer(one.peer)}</bdi>
                  </A>
                  <span class="more">
                    {one.until === null
                      ? t('network.lengths.good')
                      : t('network.until', { when: moment(one.until) })}
                  </span>
                </span>
                <UnbanButton peer={one.peer} />
              </li>
            )}
          </For>
        </ul>
      </section>
    </Show>
  );
}
