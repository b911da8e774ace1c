/**
 * What is known of a peer: how it is reached, and what it says of itself.
 *
 * @module web/pages/network/peer-facts
 */
import { For, Show } from 'solid-js';
import { moment, t } from '../../i18n/index.ts';
import { linkWords } from './circle.tsx';
import { linkTo, type PeerView } from './swarm.ts';
import { Named } from './this-node.tsx';

export function Facts(props: { readonly peer: PeerView }) {
  const link = () => linkTo(props.peer.peer);
  const state = () => {
    const { state } = props.peer;
    if (state === null) return t('network.announcesNone');
    return t(`network.announces.${state as 'joining' | 'online' | 'draining' | 'offline'}`);
  };
  return (
    <dl class="network-facts">
      <Named name={t('network.peerId')} value={props.peer.peer} />
      <div>
        <dt>{t('network.link')}</dt>
        <dd>
          {linkWords(props.peer)}
          <Show when={link()}>
            {(one) => (
              <span class="more">
                {t(one().direction === 'in' ? 'network.cameIn' : 'network.wentOut', {
                  when: moment(one().since),
                })}
                , <bdi>{one().encryption}</bdi>
              </span>
            )}
          </Show>
        </dd>
      </div>
      <Show when={props.peer.address}>
        {(address) => <Named name={t('network.address')} value={address()} />}
      </Show>
      <div>
        <dt>{t('network.announced')}</dt>
        <dd>{state()}</dd>
      </div>
      <div>
        <dt>{t('network.regions')}</dt>
        <dd>
          <Show when={props.peer.regions.length > 0} fallback={t('network.regionNone')}>
            <bdi>{props.peer.regions.join(', ')}</bdi> <span class="more">{t('network.claim')}</span>
          </Show>
        </dd>
      </div>
    </dl>
  );
}

export function Served(props: { readonly peer: PeerView }) {
  const blocks = (ranges: PeerView['models'][number]['blocks']) =>
    ranges.map(([from, end]) => (end - from === 1 ? `${from}` : `${from}–${end - 1}`)).join(', ');
  return (
    <section>
      <h2 id="served">{t('network.serves')}</h2>
      <Show
        when={props.peer.models.length > 0}
        fallback={
          <p class="sub">
            {props.peer.state === null
              ? t('network.servesUnknown')
              : props.peer.serves.join(', ') || t('network.servesNothing')}
          </p>
        }
      >
        <p class="sub">{[t('network.claim'), ...props.peer.serves].join(' · ')}</p>
        <section class="table-box" tabindex="0" aria-labelledby="served">
          <table class="figure-table">
            <thead>
              <tr>
                <th scope="col">{t('network.model')}</th>
                <th scope="col">{t('network.serves')}</th>
                <th scope="col">{t('network.blocks')}</th>
              </tr>
            </thead>
            <tbody>
              <For each={props.peer.models}>
                {(model) => (
                  <tr>
                    <th scope="row">
                      <bdi>{model.id ?? t('network.notHere')}</bdi>
                      <span class="more" title={model.hash}>
                        <bdi>{model.hash.slice(0, 12)}</bdi>, <bdi>{model.quant}</bdi>
                      </span>
                    </th>
                    <td>
                      <bdi>{model.serves.join(', ') || '–'}</bdi>
                    </td>
                    <td>
                      <bdi>{blocks(model.blocks) || '–'}</bdi>
                    </td>
                  </tr>
                )}
              </For>
            </tbody>
          </table>
        </section>
      </Show>
    </section>
  );
}
