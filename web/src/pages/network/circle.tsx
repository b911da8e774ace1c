/**
 * The circle: this machine in the centre, rings are tiers of trust, the distance within a ring the measured round trip.
 * Every peer in it is a link to its page; the table beside it says the same in words.
 *
 * @module web/pages/network/circle
 */
import { createSignal, For, onCleanup, onMount, Show } from 'solid-js';
import { peerPath } from '../../app/pages.ts';
import { count, duration, t } from '../../i18n/index.ts';
import { edges, standsOf, tiers } from './layout.ts';
import { linkTo, network, type PeerView, shortPeer } from './swarm.ts';

/** More would cover each other; the table has all of them, and those that are connected come first. */
const shownPeers = 48;
const namedPeers = 16;
const largest = 480;
const smallest = 240;
const labelWidth = 74;

export function Circle(props: { readonly peers: readonly PeerView[] }) {
  let box!: HTMLDivElement;
  // One unit of the drawing is one pixel, so that words keep their size in every window.
  const [size, setSize] = createSignal(largest);
  onMount(() => {
    const fit = () => setSize(Math.max(smallest, Math.min(largest, Math.floor(box.clientWidth))));
    fit();
    const observer = new ResizeObserver(fit);
    observer.observe(box);
    onCleanup(() => observer.disconnect());
  });
  const half = () => size() / 2;
  const radius = () => half() - 14;
  const shown = () => props.peers.slice(0, shownPeers);
  const stands = () => standsOf(shown().map(({ peer, tier, rttMs }) => ({ peer, tier, rttMs })));
  const at = (peer: string) => {
    const { x, y } = stands().get(peer) ?? { x: 0, y: 0 };
    return { x: x * radius(), y: y * radius() };
  };
  const hidden = () => props.peers.length - shown().length + network.more;
  return (
    <div class="circle" ref={box}>
      {/* biome-ignore lint/a11y/useSemanticElements: a drawing has no fieldset */}
      <svg
        role="group"
        aria-label={t('network.circle')}
        width={size()}
        height={size()}
        viewBox={`${-half()} ${-half()} ${size()} ${size()}`}
      >
        {/* biome-ignore lint/a11y/noAriaHiddenOnFocusable: nothing in it takes the focus */}
        <g aria-hidden="true">
          <For each={tiers.toReversed()}>
            {(tier) => <circle class={`ring ${tier}`} r={radius() * edges[tier]} />}
          </For>
          <For each={shown()}>
            {(peer) => (
              <Show when={peer.connected}>
                <line
                  class="wire"
                  classList={{ relayed: peer.direct === false }}
                  x1="0"
                  y1="0"
                  x2={at(peer.peer).x}
                  y2={at(peer.peer).y}
                />
              </Show>
            )}
          </For>
          <For each={tiers}>
            {(tier) => (
              <text class="ring-name" y={17 - radius() * edges[tier]}>
                {t(`network.tiers.${tier}`)}
              </text>
            )}
          </For>
          <g class="you">
            <circle r="15" />
            <circle class="alive" r="5.5" />
            <text y="31">{t('network.you')}</text>
          </g>
        </g>
        <For each={shown()}>
          {(peer, index) => (
            <PeerMark
              peer={peer}
              x={at(peer.peer).x}
              y={at(peer.peer).y}
              half={half()}
              named={index() < namedPeers}
            />
          )}
        </For>
      </svg>
      <ul class="legend">
        <li>
          <Wire kind="direct" /> {t('network.links.direct')}
        </li>
        <li>
          <Wire kind="relayed" /> {t('network.links.relayed')}
        </li>
        <li>
          <Wire kind="none" /> {t('network.links.none')}
        </li>
      </ul>
      <Show when={hidden() > 0}>
        <p class="aside">{t('network.notDrawn', { count: count(hidden()) })}</p>
      </Show>
    </div>
  );
}

function Wire(props: { readonly kind: 'direct' | 'relayed' | 'none' }) {
  return (
    <svg width="34" height="12" viewBox="0 0 34 12" aria-hidden="true">
      <Show when={props.kind !== 'none'}>
        <line class="wire" classList={{ relayed: props.kind === 'relayed' }} x1="0" y1="6" x2="26" y2="6" />
      </Show>
      <circle class="spot" classList={{ away: props.kind === 'none' }} cx="28" cy="6" r="4.5" />
    </svg>
  );
}

interface Mark {
  readonly peer: PeerView;
  readonly x: number;
  readonly y: number;
  readonly half: number;
  readonly named: boolean;
}

function PeerMark(props: Mark) {
  const right = () => props.x >= 0;
  /** Beside the mark where there is room, otherwise under it and inside the drawing. */
  const beside = () => Math.abs(props.x) + 12 + labelWidth <= props.half;
  const labelX = () => {
    if (beside()) return props.x + (right() ? 14 : -14);
    const most = props.half - labelWidth / 2;
    return Math.max(-most, Math.min(most, props.x));
  };
  const labelY = () => {
    if (beside()) return props.y - 1;
    return props.y > 0 ? props.y - 27 : props.y + 23;
  };
  const anchor = () => (beside() ? (right() ? 'start' : 'end') : 'middle');
  const time = () => (props.peer.rttMs === null ? t('network.rttNone') : duration(props.peer.rttMs));
  const title = () =>
    [
      t('network.peerName', { peer: shortPeer(props.peer.peer) }),
      t(`network.tiers.${props.peer.tier}`),
      linkWords(props.peer),
      time(),
    ].join(', ');
  return (
    <g class="peer-mark">
      <a href={peerPath(props.peer.peer)} aria-label={title()}>
        <title>{title()}</title>
        <circle class="hit" cx={props.x} cy={props.y} r="16" />
        <circle
          class={`spot ${props.peer.tier}`}
          classList={{ away: !props.peer.connected, banned: props.peer.banned }}
          cx={props.x}
          cy={props.y}
          r={props.peer.connected ? 7 : 5.5}
        />
        <Show when={props.named}>
          <text class="name" x={labelX()} y={labelY()} text-anchor={anchor()}>
            {shortPeer(props.peer.peer)}
          </text>
          <text class="time" x={labelX()} y={labelY() + 14} text-anchor={anchor()}>
            {time()}
          </text>
        </Show>
      </a>
    </g>
  );
}

/** How a peer is reached now, in words. */
export function linkWords(peer: PeerView): string {
  if (peer.banned) return t('network.links.banned');
  if (!peer.connected) return t('network.links.none');
  const link = linkTo(peer.peer);
  if (link?.limited) return t('network.links.limited');
  return t(peer.direct === false ? 'network.links.relayed' : 'network.links.direct');
}
