/**
 * One peer: how it is reached, what this node thinks of it, what it says of itself, and what its owner wrote.
 *
 * @module web/pages/network/peer-page
 */
import { A, useParams } from '@solidjs/router';
import ArrowLeft from 'lucide-solid/icons/arrow-left';
import { createEffect, createSignal, For, Match, Show, Switch } from 'solid-js';
import { announce } from '../../app/announce.tsx';
import { Banner } from '../../app/banner.tsx';
import { paths } from '../../app/pages.ts';
import { Snippet } from '../../base/copy.tsx';
import { ErrorNote } from '../../base/error-note.tsx';
import { duration, fraction, moment, t } from '../../i18n/index.ts';
import { createDeed } from './acting.ts';
import { BanDialog, UnbanButton } from './bans.tsx';
import { linkWords } from './circle.tsx';
import { Inbox } from './messages.tsx';
import {
  connect,
  disconnect,
  followSwarm,
  linkTo,
  network,
  type PeerView,
  ping,
  shortPeer,
  unlocked,
} from './swarm.ts';
import { Named } from './this-node.tsx';
import { Unlock } from './unlock.tsx';
import { Outbox, Write } from './write.tsx';
import '../pages.css';
import './network.css';

export default function PeerPage() {
  followSwarm();
  const params = useParams();
  const id = () => params.id ?? '';
  createEffect(() => {
    document.title = `${shortPeer(id())} · Kith`;
  });
  const found = () => network.peers?.find(({ peer }) => peer === id());
  return (
    <div class="page network">
      <Banner />
      <div class="page-body">
        <A class="text-button back" href={paths.network}>
          <ArrowLeft size={16} aria-hidden="true" />
          {t('pages.network')}
        </A>
        <Switch fallback={<h1 class="lede">{t('network.looking')}</h1>}>
          <Match when={found()}>{(peer) => <Peer peer={peer()} />}</Match>
          <Match when={network.view !== null}>
            <Gone peer={id()} />
          </Match>
          <Match when={network.fault}>
            {(fault) => (
              <>
                <h1 class="lede">{t('network.notShown')}</h1>
                <div class="page-note">
                  <ErrorNote fault={fault()} />
                </div>
              </>
            )}
          </Match>
        </Switch>
      </div>
    </div>
  );
}

/** Nobody of that name is known now; a ban may outlive that. */
function Gone(props: { readonly peer: string }) {
  return (
    <>
      <h1 class="lede">
        {t('network.gone', { peer: shortPeer(props.peer) })} <span class="then">{t('network.goneMore')}</span>
      </h1>
      <Show when={network.bans.some(({ peer }) => peer === props.peer)}>
        <div class="page-acts">
          <UnbanButton peer={props.peer} />
        </div>
      </Show>
    </>
  );
}

function Peer(props: { readonly peer: PeerView }) {
  const peer = () => props.peer;
  const first = () => {
    const name = { peer: shortPeer(peer().peer) };
    if (peer().banned) return t('network.isBanned', name);
    if (!peer().connected) return t('network.isAway', name);
    return t(peer().direct === false ? 'network.isRelayed' : 'network.isDirect', name);
  };
  const then = () => {
    if (peer().rttMs !== null) return t('network.itAnswers', { time: duration(peer().rttMs!) });
    return peer().connected ? t('network.itIsNotMeasured') : '';
  };
  const commands = () =>
    [
      `kith p2p probe ${peer().peer}`,
      `kith p2p send ${peer().peer} TEXT`,
      `kith ban ${peer().peer} --for 7d`,
    ].join('\n');
  const letters = () => network.inbox.filter(({ from }) => from === peer().peer);
  return (
    <>
      <h1 class="lede">
        {first()} <span class="then">{then()}</span>
      </h1>
      <Show when={unlocked()}>
        <Deeds peer={peer()} />
      </Show>
      <div class="halves">
        <div>
          <section>
            <h2>{t('network.itself')}</h2>
            <Facts peer={peer()} />
          </section>
          <Served peer={peer()} />
        </div>
        <div>
          <Trust peer={peer()} />
          <section class="messages">
            <h2>{unlocked() ? t('network.messages') : t('network.owner')}</h2>
            <Show when={unlocked()}>
              <Inbox messages={letters()} />
              <h3>{t('network.write')}</h3>
              <Write to={peer().peer} />
              <Outbox to={peer().peer} />
            </Show>
            <Unlock commands={commands()} />
          </section>
        </div>
      </div>
    </>
  );
}

function Deeds(props: { readonly peer: PeerView }) {
  const deed = createDeed();
  const [banning, setBanning] = createSignal(false);
  const id = () => props.peer.peer;
  const measure = () =>
    deed.run(async () => {
      const { rttMs } = await ping(id());
      announce(t('network.itAnswers', { time: duration(rttMs) }));
    });
  return (
    <>
      <div class="page-acts">
        <Show when={!props.peer.banned} fallback={<UnbanButton peer={id()} />}>
          <Show
            when={props.peer.connected}
            fallback={
              <button
                type="button"
                class="button"
                disabled={deed.busy()}
                onClick={() => void deed.run(() => connect(id()))}
              >
                {t('network.connectDo')}
              </button>
            }
          >
            <button type="button" class="button" disabled={deed.busy()} onClick={() => void measure()}>
              {t('network.measure')}
            </button>
            <button
              type="button"
              class="button"
              disabled={deed.busy()}
              onClick={() => void deed.run(() => disconnect(id()))}
            >
              {t('network.disconnect')}
            </button>
          </Show>
          <button type="button" class="button danger" onClick={() => setBanning(true)}>
            {t('network.ban')}
          </button>
        </Show>
      </div>
      <Show when={deed.fault()}>
        {(fault) => (
          <div class="page-note">
            <ErrorNote fault={fault()} />
          </div>
        )}
      </Show>
      <Show when={banning()}>
        <BanDialog peer={id()} close={() => setBanning(false)} />
      </Show>
    </>
  );
}

function Facts(props: { readonly peer: PeerView }) {
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

function Trust(props: { readonly peer: PeerView }) {
  return (
    <section>
      <h2>{t('network.trust')}</h2>
      <p class="trust-line">
        <span class={`spot-mark ${props.peer.tier}`} aria-hidden="true" />
        <span class={`tier ${props.peer.tier}`}>{t(`network.tiers.${props.peer.tier}`)}</span>
        <span class="more">{t('network.score', { score: fraction(props.peer.score) })}</span>
      </p>
      <p class="sub">{t(`network.tierMeans.${props.peer.tier}`)}</p>
      <p class="aside">{t('network.terms')}</p>
      <Snippet text={`kith reputation show ${props.peer.peer}`} />
    </section>
  );
}

function Served(props: { readonly peer: PeerView }) {
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
