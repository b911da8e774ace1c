/**
 * Models that run over several nodes: for each, who serves which of its blocks and which nobody does; and the paths that
 * answers take through them.
 *
 * @module web/pages/network/shards
 */
import { For, Show } from 'solid-js';
import { peerPath } from '../../app/pages.ts';
import { Snippet } from '../../base/copy.tsx';
import { count, moment, rate, t } from '../../i18n/index.ts';
import { type CircuitView, type CoverageView, followShards, type ShardPeer, shards } from './shards-state.ts';
import { shortPeer } from './swarm.ts';

const serveSome = 'kith shard serve --auto';

type Range = readonly [from: number, to: number];

export function Shards() {
  followShards();
  return (
    <section class="shards">
      <h2>{t('network.shards')}</h2>
      <Show when={shards.fault}>
        {(fault) => (
          <div class="note mild">
            <p class="what" dir="auto">
              {fault().message}
            </p>
          </div>
        )}
      </Show>
      <Show when={shards.models}>
        {(models) => (
          <For each={models()} fallback={<Nothing />}>
            {(model) => <Model model={model} />}
          </For>
        )}
      </Show>
      <Show when={shards.circuits.length > 0}>
        <h3>{t('network.circuits')}</h3>
        <ul class="circuits">
          <For each={shards.circuits}>{(circuit) => <Circuit circuit={circuit} />}</For>
        </ul>
      </Show>
    </section>
  );
}

function Nothing() {
  return (
    <>
      <p class="sub">
        {t('network.shardsNone')} {t('network.shardsNoneMore')}
      </p>
      <Snippet text={serveSome} />
    </>
  );
}

function Model(props: { readonly model: CoverageView }) {
  const words = () => {
    const { gaps, weakest, blocks } = props.model;
    if (gaps.length > 0)
      return `${t('network.shardsGap', { gaps: rangesText(gaps) })} ${t('network.shardsCannot')}`;
    const whole = t('network.shardsWhole', { blocks: count(blocks) });
    if (weakest === null) return whole;
    const [from, to] = weakest.blocks;
    if (from === 0 && to === blocks) return whole;
    return `${whole} ${t('network.shardsWeakest', { from: count(from), to: count(to - 1) })}`;
  };
  return (
    <div class="shard-model">
      <h3>
        <bdi>{props.model.modelId ?? `${props.model.model.slice(0, 12)}…`}</bdi>
      </h3>
      <p class={props.model.gaps.length > 0 ? 'sub gap' : 'sub'}>{words()}</p>
      <ul class="spans">
        <For each={props.model.peers}>{(peer) => <Server peer={peer} model={props.model} />}</For>
      </ul>
    </div>
  );
}

function Server(props: { readonly peer: ShardPeer; readonly model: CoverageView }) {
  const own = () =>
    props.peer.self ? shards.served.filter(({ sha256 }) => sha256 === props.model.model) : [];
  const words = () => {
    const { tokensPerSecond, reason } = props.peer;
    const said = [
      tokensPerSecond === null
        ? t('network.shardsRateNone')
        : t('network.shardsRate', { rate: rate(tokensPerSecond) }),
    ];
    for (const { state, sessions } of own())
      said.push(
        state === 'ready'
          ? t('network.shardsServed', { sessions: count(sessions) })
          : t(`network.shardsStates.${state}`),
      );
    if (reason !== null) said.push(reason);
    return said.join(', ');
  };
  const uses = () => own().some(({ sessions }) => sessions > 0);
  return (
    <li classList={{ unusable: !props.peer.usable }}>
      <span class="who">
        <Show when={!props.peer.self} fallback={t('network.shardsSelf')}>
          <a href={peerPath(props.peer.peer)} title={props.peer.peer}>
            <bdi>{shortPeer(props.peer.peer)}</bdi>
          </a>
        </Show>
        <span class="more">{words()}</span>
      </span>
      <svg
        class="span-bar"
        role="img"
        aria-label={t('network.shardsBar', {
          ranges: rangesText(props.peer.blocks),
          blocks: count(props.model.blocks),
        })}
        viewBox={`0 0 ${props.model.blocks} 1`}
        preserveAspectRatio="none"
      >
        <rect class="track" width={props.model.blocks} height="1" />
        <For each={props.peer.blocks}>
          {([from, to]) => (
            <rect classList={{ held: true, live: uses() }} x={from} width={to - from} height="1" />
          )}
        </For>
      </svg>
    </li>
  );
}

function Circuit(props: { readonly circuit: CircuitView }) {
  const way = () =>
    props.circuit.shards
      .map(({ peer, from, to }) => `${shortPeer(peer)} ${rangesText([[from, to]])}`)
      .join(' → ');
  const use = () => {
    const { inUse, usedAt, figures } = props.circuit;
    const words = [
      inUse > 0
        ? t('network.circuitUse', { count: count(inUse) })
        : t('network.circuitIdle', { when: moment(usedAt) }),
    ];
    if (figures.lost.length > 0) words.push(t('network.circuitLost', { count: count(figures.lost.length) }));
    return words.join(', ');
  };
  return (
    <li>
      <span class={props.circuit.inUse > 0 ? 'dot live' : 'dot'} aria-hidden="true" />
      <span class="what">
        <bdi>{props.circuit.name}</bdi>, <bdi>{props.circuit.model}</bdi>: <bdi>{way()}</bdi>
        <span class="more">{use()}</span>
      </span>
    </li>
  );
}

/** `0–7, 15–21`: first and last block of each. */
function rangesText(ranges: readonly Range[]): string {
  return ranges
    .map(([from, to]) => (to - from === 1 ? count(from) : `${count(from)}–${count(to - 1)}`))
    .join(', ');
}
