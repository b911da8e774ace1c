/**
 * Every peer in words: trust, link, what it serves, where it says it is, and how fast it answers.
 *
 * @module web/pages/network/peers-table
 */
import { For, Show } from 'solid-js';
import { peerPath } from '../../app/pages.ts';
import { count, duration, moment, t } from '../../i18n/index.ts';
import { linkWords } from './circle.tsx';
import { linkTo, network, type PeerView, shortPeer } from './swarm.ts';

export function PeersTable(props: { readonly peers: readonly PeerView[] }) {
  const near = () => props.peers.filter(({ connected }) => connected).length;
  return (
    <section class="peers">
      <h2 id="peers">{t('network.peers')}</h2>
      <p class="sub">
        {t('network.peersMore', { near: count(near()), known: count(props.peers.length + network.more) })}
      </p>
      <Show when={props.peers.length > 0} fallback={<p class="nothing">{t('network.peersNone')}</p>}>
        <section class="table-box" tabindex="0" aria-labelledby="peers">
          <table class="figure-table">
            <thead>
              <tr>
                <th scope="col">{t('network.peer')}</th>
                <th scope="col">{t('network.serves')}</th>
                <th scope="col" class="end">
                  {t('network.answersIn')}
                </th>
              </tr>
            </thead>
            <tbody>
              <For each={props.peers}>{(peer) => <Row peer={peer} />}</For>
            </tbody>
          </table>
        </section>
        <Show when={network.more > 0}>
          <p class="aside">{t('network.more', { count: count(network.more) })}</p>
        </Show>
      </Show>
    </section>
  );
}

function Row(props: { readonly peer: PeerView }) {
  const since = () => linkTo(props.peer.peer)?.since ?? null;
  return (
    <tr data-peer={props.peer.peer}>
      <th scope="row">
        <a href={peerPath(props.peer.peer)} title={props.peer.peer}>
          <bdi>{shortPeer(props.peer.peer)}</bdi>
        </a>
        <span class="more">
          <span class={`tier ${props.peer.tier}`}>{t(`network.tiers.${props.peer.tier}`)}</span>
          {', '}
          <Show when={props.peer.regions.length > 0} fallback={t('network.regionNone')}>
            <bdi>{props.peer.regions.join(', ')}</bdi>
          </Show>
        </span>
      </th>
      <td>
        <bdi>{servesWords(props.peer)}</bdi>
        <span class="more" classList={{ bad: props.peer.banned }}>
          {linkWords(props.peer)}
          <Show when={since()}>{(at) => <>, {t('network.since', { when: moment(at()) })}</>}</Show>
        </span>
      </td>
      <td class="end">
        <Show
          when={props.peer.rttMs !== null}
          fallback={
            <>
              <span aria-hidden="true">–</span>
              <span class="more">{t('network.rttNone')}</span>
            </>
          }
        >
          <bdi>{duration(props.peer.rttMs!)}</bdi>
        </Show>
      </td>
    </tr>
  );
}

/** Models by the names they have here, then the other services; said plainly where nothing was announced. */
export function servesWords(peer: PeerView): string {
  if (peer.state === null) return t('network.servesUnknown');
  const models = peer.models.map(({ id, hash }) => id ?? hash.slice(0, 8));
  const shown = models.slice(0, 2);
  if (models.length > 2) shown.push(t('network.modelsMore', { count: count(models.length - 2) }));
  const all = [...shown, ...peer.serves];
  return all.length === 0 ? t('network.servesNothing') : all.join(', ');
}
