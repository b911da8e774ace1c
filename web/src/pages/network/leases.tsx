/**
 * Places that peers hold at this node's engine: of all, and of one on its own page.
 *
 * @module web/pages/network/leases
 */
import { A } from '@solidjs/router';
import { For, Show } from 'solid-js';
import { peerPath } from '../../app/pages.ts';
import { count, duration, t } from '../../i18n/index.ts';
import { type Lease, network, shortPeer } from './swarm.ts';

/** Nothing where the node serves nobody. */
export function Places() {
  return (
    <Show when={network.places > 0}>
      <section>
        <h2>{t('network.leases')}</h2>
        <p class="sub">
          {t('network.leasesMore', { taken: count(network.leases.length), most: count(network.places) })}
        </p>
        <List leases={network.leases} named />
      </section>
    </Show>
  );
}

/** Nothing while the peer holds none. */
export function Held(props: { readonly peer: string }) {
  const own = () => network.leases.filter(({ peer }) => peer === props.peer);
  return (
    <Show when={own().length > 0}>
      <section>
        <h2>{t('network.leases')}</h2>
        <List leases={own()} />
      </section>
    </Show>
  );
}

function List(props: { readonly leases: readonly Lease[]; readonly named?: boolean }) {
  return (
    <ul class="leases">
      <For each={props.leases}>
        {(lease) => (
          <li>
            <span class={lease.running ? 'dot live' : 'dot'} aria-hidden="true" />
            <span class="what">
              <Show when={props.named}>
                <A href={peerPath(lease.peer)} title={lease.peer}>
                  <bdi>{shortPeer(lease.peer)}</bdi>
                </A>{' '}
              </Show>
              <bdi>{lease.model}</bdi>
              <span class="more">
                {t(lease.running ? 'network.leaseRuns' : 'network.leaseWaits', {
                  time: duration(lease.ms),
                })}
              </span>
            </span>
          </li>
        )}
      </For>
    </ul>
  );
}
