/**
 * The network: who is connected, how near and how trusted, and what the owner can do about it. A node whose swarm is
 * off says so and how to switch it on.
 *
 * @module web/pages/network
 */
import { createEffect, Match, Show, Switch } from 'solid-js';
import { Banner } from '../../app/banner.tsx';
import { Unlock } from '../../app/unlock.tsx';
import { Snippet } from '../../base/copy.tsx';
import { unlocked } from '../../data/owner.ts';
import { count, duration, size, t } from '../../i18n/index.ts';
import { Bans } from './bans.tsx';
import { Circle } from './circle.tsx';
import { Connect } from './connect.tsx';
import { LookFault, NotShown } from './faults.tsx';
import { Places } from './leases.tsx';
import { Messages } from './messages.tsx';
import { PeersTable } from './peers-table.tsx';
import { Shards } from './shards.tsx';
import { followSwarm, network, type SwarmView } from './swarm.ts';
import { ThisNode } from './this-node.tsx';
import '../pages.css';
import './network.css';
import './shards.css';

const switchOn = 'kith config set swarm.enabled true\nkith stop\nkith start';
const commands = 'kith p2p connect ADDRESS\nkith p2p send PEER TEXT\nkith p2p inbox\nkith ban PEER --for 7d';

export default function NetworkPage() {
  followSwarm();
  createEffect(() => {
    document.title = `${t('pages.network')} · Kith`;
  });
  const isOff = () => network.view?.state === 'off' || network.fault?.code === 'swarm_off';
  return (
    <div class="page network">
      <Banner />
      <div class="page-body">
        <Switch fallback={<h1 class="lede">{t('network.looking')}</h1>}>
          <Match when={isOff()}>
            <Off />
          </Match>
          <Match when={network.view !== null && network.peers !== null && network.view}>
            {(view) => <Running view={view()} />}
          </Match>
          <Match when={network.view}>{(view) => <Waiting view={view()} />}</Match>
          <Match when={network.fault}>{(fault) => <NotShown fault={fault()} />}</Match>
        </Switch>
      </div>
    </div>
  );
}

function Off() {
  return (
    <>
      <h1 class="lede">
        {t('network.off')} <span class="then">{t('network.offMore')}</span>
      </h1>
      <section class="off">
        <h2>{t('network.offHow')}</h2>
        <p class="sub">{t('network.offHowMore')}</p>
        <Snippet text={switchOn} />
        <h2>{t('network.offSeen')}</h2>
        <p class="sub">{t('network.offSeenMore')}</p>
      </section>
    </>
  );
}

function Waiting(props: { readonly view: SwarmView }) {
  const state = () => {
    const { state } = props.view;
    return state === 'failed' || state === 'restarting' ? state : 'starting';
  };
  return (
    <>
      <h1 class="lede">
        {t(`network.states.${state()}`)} <span class="then">{t('network.without')}</span>
      </h1>
      <Show when={props.view.message}>
        {(message) => (
          <div class="note mild page-note">
            <p class="what" dir="auto">
              {message()}
            </p>
          </div>
        )}
      </Show>
      <ThisNode view={props.view} />
    </>
  );
}

function Running(props: { readonly view: SwarmView }) {
  const peers = () => network.peers ?? [];
  return (
    <>
      <Lede />
      <LookFault />
      <Figures view={props.view} />
      <div class="halves wide-start">
        <section>
          <h2>{t('network.circle')}</h2>
          <p class="sub">{t('network.circleMore')}</p>
          <Circle peers={peers()} />
        </section>
        <PeersTable peers={peers()} />
      </div>
      <div class="halves">
        <ThisNode view={props.view} />
        <div>
          <Show when={unlocked()}>
            <Connect />
            <Places />
            <Bans />
          </Show>
          <section>
            <Show when={!unlocked()}>
              <h2>{t('owner.title')}</h2>
            </Show>
            <Unlock why={t('network.ownerMore')} open="kith open" commands={commands} />
          </section>
        </div>
      </div>
      <Show when={unlocked()}>
        <Shards />
        <Messages />
      </Show>
    </>
  );
}

const nearest = (): number | null => {
  const known = (network.peers ?? []).map(({ rttMs }) => rttMs).filter((rtt) => rtt !== null);
  return known.length === 0 ? null : Math.min(...known);
};
const near = () => (network.peers ?? []).filter(({ connected }) => connected);

function Lede() {
  const first = () => {
    if (near().length === 0) return t('network.nearNone');
    return near().length === 1 ? t('network.nearOne') : t('network.near', { count: count(near().length) });
  };
  const then = () => {
    if (near().length === 0) return t('network.nearNoneMore');
    const relayed = near().filter(({ direct }) => direct === false).length;
    if (relayed > 0) return t('network.relayedMany', { count: count(relayed) });
    return nearest() === null
      ? t('network.nearestNone')
      : t('network.nearest', { time: duration(nearest()!) });
  };
  return (
    <h1 class="lede">
      {first()} <span class="then">{then()}</span>
    </h1>
  );
}

function Figures(props: { readonly view: SwarmView }) {
  const counters = () => props.view.counters;
  return (
    <dl class="figure-strip figures">
      <div>
        <dt>{t('network.connectedPeers')}</dt>
        <dd>
          <span class="value">
            <bdi>{count(near().length)}</bdi>
            <span class="unit">
              {t('network.ofKnown', { count: count((network.peers?.length ?? 0) + network.more) })}
            </span>
          </span>
        </dd>
      </div>
      <div>
        <dt>{t('network.nearestPeer')}</dt>
        <dd>
          <span class="value">
            <bdi>{nearest() === null ? '–' : duration(nearest()!)}</bdi>
          </span>
          <Show when={nearest() === null}>
            <span class="note-line">{t('network.rttNone')}</span>
          </Show>
        </dd>
      </div>
      <div>
        <dt>{t('network.received')}</dt>
        <dd>
          <span class="value">
            <bdi>{counters() === null ? '–' : size(counters()!.bytesIn)}</bdi>
            <span class="unit">{t('network.sinceStart')}</span>
          </span>
          <span class="note-line">
            {counters() === null
              ? t('app.unknown')
              : t('network.sentOut', { amount: size(counters()!.bytesOut) })}
          </span>
        </dd>
      </div>
      <div>
        <dt>{t('network.messages')}</dt>
        <dd>
          <span class="value">
            <bdi>{count(props.view.unread)}</bdi>
            <span class="unit">{t('network.unreadOf', { count: count(props.view.messages) })}</span>
          </span>
        </dd>
      </div>
    </dl>
  );
}
