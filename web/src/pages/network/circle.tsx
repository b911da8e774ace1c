/**
 * The circle: this machine in the centre, rings are tiers of trust, the distance within a ring the measured round trip.
 * Every peer in it is a link to its page; the table beside it says the same in words.
 *
 * @module web/pages/network/circle
 */
import { createMemo, createSignal, For, onCleanup, onMount, Show } from 'solid-js';
import { peerPath } from '../../app/pages.ts';
import { count, duration, t } from '../../i18n/index.ts';
import { boxAt, edges, type Label, labelsOf, standsOf, tiers } from './layout.ts';
import { linkTo, type PeerView, shortPeer } from './swarm.ts';

/** More would cover each other; the table has all of them, and those that are connected come first. */
const shownPeers = 48;
const largest = 480;
const smallest = 240;

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
  const stands = createMemo(() => standsOf(shown().map(({ peer, tier, rttMs }) => ({ peer, tier, rttMs }))));
  const at = (peer: string) => {
    const { x, y } = stands().get(peer) ?? { x: 0, y: 0 };
    return { x: x * radius(), y: y * radius() };
  };
  const labels = createMemo(() => {
    const names = tiers.map((tier) => boxAt(-40, 3 - radius() * edges[tier], 80, 18));
    const you = boxAt(-18, -18, 36, 54);
    return labelsOf(
      shown().map(({ peer }) => ({ peer, ...at(peer) })),
      half(),
      [...names, you],
    );
  });
  const hidden = () => props.peers.length - shown().length;
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
          {(peer) => (
            <PeerMark peer={peer} x={at(peer.peer).x} y={at(peer.peer).y} label={labels().get(peer.peer)} />
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
  /** Absent where there is no room for it. */
  readonly label: Label | undefined;
}

function PeerMark(props: Mark) {
  const time = () => (props.peer.rttMs === null ? t('network.rttNone') : duration(props.peer.rttMs));
  // Begins with the words that are drawn, as people say who speak to their browser.
  const title = () =>
    [
      `${t('network.peerName', { peer: shortPeer(props.peer.peer) })} ${time()}`,
      t(`network.tiers.${props.peer.tier}`),
      linkWords(props.peer),
    ].join(', ');
  return (
    <g class="peer-mark">
      <title>{title()}</title>
      <a href={peerPath(props.peer.peer)} aria-label={title()}>
        <circle class="hit" cx={props.x} cy={props.y} r="16" />
        <circle
          class={`spot ${props.peer.tier}`}
          classList={{ away: !props.peer.connected, banned: props.peer.banned }}
          cx={props.x}
          cy={props.y}
          r={props.peer.connected ? 7 : 5.5}
        />
        <Show when={props.label}>
          {(label) => (
            <>
              <text class="name" x={label().x} y={label().y} text-anchor={label().anchor}>
                {shortPeer(props.peer.peer)}{' '}
              </text>
              <text class="time" x={label().x} y={label().y + 14} text-anchor={label().anchor}>
                {time()}
              </text>
            </>
          )}
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
  // A lane is a socket of its own beside the link, for what is large.
  if (link !== null && (link.lanes ?? 0) > 0) return t('network.links.lane');
  return t(`network.links.${peer.path ?? 'tcp'}`);
}
