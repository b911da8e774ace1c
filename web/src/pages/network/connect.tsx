/**
 * Connects to a peer by its address, or by its PeerId where the network knows the way.
 *
 * @module web/pages/network/connect
 */
import { A } from '@solidjs/router';
import { createSignal, createUniqueId, Show } from 'solid-js';
import { announce } from '../../app/announce.tsx';
import { peerPath } from '../../app/pages.ts';
import { createDeed } from '../../base/deed.ts';
import { ErrorNote } from '../../base/error-note.tsx';
import { t } from '../../i18n/index.ts';
import { connect, shortPeer } from './swarm.ts';

export function Connect() {
  const id = createUniqueId();
  const [target, setTarget] = createSignal('');
  const [reached, setReached] = createSignal<string | null>(null);
  const deed = createDeed();
  const go = async (event: SubmitEvent) => {
    event.preventDefault();
    const to = target().trim();
    if (to === '') return;
    setReached(null);
    await deed.run(async () => {
      const { peer } = await connect(to);
      setReached(peer);
      setTarget('');
      announce(t('network.connected', { peer: shortPeer(peer) }));
    });
  };
  return (
    <section>
      <h2>{t('network.connect')}</h2>
      <p class="sub">{t('network.connectMore')}</p>
      <form class="line-form" onSubmit={(event) => void go(event)}>
        <div class="field">
          <label for={id}>{t('network.address')}</label>
          <input
            id={id}
            class="input mono"
            dir="ltr"
            autocomplete="off"
            spellcheck={false}
            maxlength="512"
            placeholder="/ip4/192.0.2.1/tcp/4001/p2p/12D3Koo…"
            value={target()}
            onInput={(event) => setTarget(event.currentTarget.value)}
          />
        </div>
        <button type="submit" class="button" disabled={deed.busy()}>
          {deed.busy() ? t('network.connecting') : t('network.connectDo')}
        </button>
      </form>
      <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
      <Show when={reached()}>
        {(peer) => (
          <p class="done">
            {t('network.connected', { peer: shortPeer(peer()) })}{' '}
            <A href={peerPath(peer())}>{t('network.seePeer')}</A>
          </p>
        )}
      </Show>
    </section>
  );
}
