/**
 * Who computed which part of an answer of a model that ran in parts: this machine its ends, nodes of the network the blocks between
 * them. Those that were lost stand with their reason before those that took their places.
 *
 * @module web/chat/receipt/path
 */
import { For, Show } from 'solid-js';
import type { Path, PathPart } from '../../data/receipt.ts';
import { count, duration, t } from '../../i18n/index.ts';

const shortPeer = (peer: string): string => `…${peer.slice(-8)}`;
const same = (one: PathPart, other: PathPart) =>
  one.peer === other.peer && one.from === other.from && one.to === other.to;

function blocksOf({ from, to }: { readonly from: number; readonly to: number }): string {
  if (to === from + 1) return t('receipt.path.block', { block: count(from) });
  return t('receipt.path.blocks', { from: count(from), to: count(to - 1) });
}

export function PathTaken(props: { readonly path: Path }) {
  /** Blocks that this machine computed itself, at both ends. */
  const own = () => {
    const { span, blocks } = props.path;
    return [
      { from: 0, to: span.from },
      { from: span.to, to: blocks },
    ].filter(({ from, to }) => to > from);
  };
  /** In the order of their blocks; with a reason: lost. */
  const parts = () =>
    [
      ...props.path.lost.map((part) => ({ part, reason: part.reason as string | null })),
      ...props.path.shards.map((part) => ({ part, reason: null })),
    ].sort((a, b) => a.part.from - b.part.from);
  const joined = (part: PathPart) => props.path.joined.some((one) => same(one, part));
  return (
    <>
      <h3>{t('receipt.path.title')}</h3>
      <ol class="steps path">
        <li class="here">
          <span class="who">{t('receipt.here')}</span>
          <span class="time">{own().map(blocksOf).join(', ')}</span>
          <span class="more">{t('receipt.path.ends')}</span>
        </li>
        <For each={parts()}>
          {({ part, reason }) => (
            <li classList={{ lost: reason !== null }}>
              <span class="who" title={part.peer}>
                <bdi>{shortPeer(part.peer)}</bdi>
              </span>
              <span class="time">{blocksOf(part)}</span>
              <Show when={reason !== null}>
                <span class="more" dir="auto">
                  {t('receipt.path.lost', { reason: reason! })}
                </span>
              </Show>
              <Show when={reason === null && joined(part)}>
                <span class="more">{t('receipt.path.joined')}</span>
              </Show>
            </li>
          )}
        </For>
      </ol>
      <Show when={props.path.lost.length > 0 && props.path.paused_ms > 0}>
        <p class="aside evidence">{t('receipt.path.paused', { time: duration(props.path.paused_ms) })}</p>
      </Show>
    </>
  );
}
