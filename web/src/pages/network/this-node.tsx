/**
 * This node's place in the swarm: who it is, where it can be dialled, and by whom.
 *
 * @module web/pages/network/this-node
 */
import { For, Show } from 'solid-js';
import { Copy } from '../../base/copy.tsx';
import { count, t } from '../../i18n/index.ts';
import { type SwarmView, shortPeer } from './swarm.ts';

export function ThisNode(props: { readonly view: SwarmView }) {
  const view = () => props.view;
  const reachable = () => view().reach === 'public' || view().reach === 'relay';
  return (
    <section class="this-node">
      <h2>{t('network.node')}</h2>
      <dl class="network-facts">
        <Named name={t('network.peerId')} value={view().peer} shown={shortPeer(view().peer)} />
        <Named name={t('network.did')} value={view().did} />
        <div>
          <dt>{t('network.reach')}</dt>
          <dd>
            <span class="state-line">
              <span class={reachable() ? 'dot ready' : 'dot'} />
              {t(`network.reaches.${view().reach}`)}
            </span>
            <span class="more">{t(`network.reachHelp.${view().reach}`)}</span>
          </dd>
        </div>
        <div>
          <dt>{t('network.kind')}</dt>
          <dd>
            {t(`network.kinds.${view().network.kind}`)}
            <Show when={view().network.key} fallback={<span class="more">{t('network.open')}</span>}>
              {(key) => <span class="more">{t('network.private', { key: key() })}</span>}
            </Show>
          </dd>
        </div>
        <div>
          <dt>{t('network.regions')}</dt>
          <dd>
            <Show when={view().regions.length > 0} fallback={t('network.regionsUnset')}>
              <bdi>{view().regions.join(', ')}</bdi>
            </Show>
          </dd>
        </div>
        <Show when={view().relay.serves}>
          {(relay) => (
            <div>
              <dt>{t('network.relay')}</dt>
              <dd>
                {t(relay().unlimited ? 'network.relayFree' : 'network.relayServes', {
                  count: count(relay().reservations),
                })}
              </dd>
            </div>
          )}
        </Show>
      </dl>
      <h3>{t('network.addresses')}</h3>
      <Show when={view().addresses.length > 0} fallback={<p class="aside">{t('network.addressesNone')}</p>}>
        <ul class="addresses">
          <For each={view().addresses}>
            {(address) => (
              <li>
                <code>{address}</code>
                <Copy text={() => address} label={t('network.copyAddress')} />
              </li>
            )}
          </For>
        </ul>
      </Show>
    </section>
  );
}

/** A long name with its copy button: as much of it as there is room for, all of it on the clipboard. */
export function Named(props: { readonly name: string; readonly value: string; readonly shown?: string }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd class="named">
        <code title={props.value}>{props.shown ?? props.value}</code>
        <Copy text={() => props.value} label={t('network.copyOf', { what: props.name })} />
      </dd>
    </div>
  );
}
