/**
 * One peer: how it is reached, what this node thinks of it, what it says of itself, and what its owner wrote.
 *
 * @module web/pages/network/peer-page
 */
import { A, useParams } from '@solidjs/router';
import ArrowLeft from 'lucide-solid/icons/arrow-left';
import { createEffect, createSignal, Match, Show, Switch } from 'solid-js';
import { announce } from '../../app/announce.tsx';
import { Banner } from '../../app/banner.tsx';
import { paths } from '../../app/pages.ts';
import { Unlock } from '../../app/unlock.tsx';
import { createDeed } from '../../base/deed.ts';
import { unlocked } from '../../data/owner.ts';
import { duration, t } from '../../i18n/index.ts';
import { BanDialog, UnbanButton } from './bans.tsx';
import { FaultNote, NotShown } from './faults.tsx';
import { Held } from './leases.tsx';
import { Inbox } from './messages.tsx';
import { Facts, Served } from './peer-facts.tsx';
import { connect, disconnect, followSwarm, network, type PeerView, ping, shortPeer } from './swarm.ts';
import { Trust } from './trust.tsx';
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
          <Match when={network.fault}>{(fault) => <NotShown fault={fault()} />}</Match>
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
    return t(`network.isBy.${peer().path ?? 'tcp'}`, name);
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
          <Show when={unlocked()}>
            <Held peer={peer().peer} />
          </Show>
        </div>
        <div>
          <Trust peer={peer()} />
          <section class="messages">
            <h2>{unlocked() ? t('network.messages') : t('owner.title')}</h2>
            <Show when={unlocked()}>
              <Inbox messages={letters()} />
              <h3>{t('network.write')}</h3>
              <Write to={peer().peer} />
              <Outbox to={peer().peer} />
            </Show>
            <Unlock why={t('network.ownerMore')} open="kith open" commands={commands()} />
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
      <Show when={deed.fault()}>{(fault) => <FaultNote fault={fault()} />}</Show>
      <Show when={banning()}>
        <BanDialog peer={id()} close={() => setBanning(false)} />
      </Show>
    </>
  );
}
