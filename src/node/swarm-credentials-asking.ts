/**
 * When peers are asked what they show: soon after they connect or say that it changed, and once an hour. A few at once, each
 * with a gap between two asks, so that one with news all the time costs no more than others.
 *
 * @module node/swarm-credentials-asking
 */
import { type Clock, type Logger, messageOf, type Random } from '../base/index.ts';
import { createShares } from './swarm-credentials-shares.ts';

export interface AskingOptions {
  readonly ask: (peer: string) => Promise<void>;
  readonly isLinked: (peer: string) => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export interface Asking {
  /** Asks a peer after `ms`, or when its gap is over if that is later. */
  soon(peer: string, ms: number): void;
  /** It is connected no more. */
  left(peer: string): void;
  /** Goes on until the signal fires and what is under way has ended. */
  run(): Promise<void>;
}

const AGAIN_MS = 3_600_000;
const GAP_MS = 2_000;
const LONG_GAP_MS = 30_000;
/** Over this the gap is the long one. */
const PER_MINUTE = 6;
const AT_ONCE = 4;

export function createAsking({ ask, isLinked, clock, random, log, signal }: AskingOptions): Asking {
  const due = new Map<string, number>();
  const asked = new Map<string, Promise<void>>();
  const shares = createShares(clock, PER_MINUTE);
  /** Ends of the gaps of peers, monotonic ms. Who comes again finds its gap as it was. */
  const gaps = new Map<string, number>();
  let wake = new AbortController();

  function begin(peer: string, now: number): void {
    const gap = shares.take(peer) ? GAP_MS : LONG_GAP_MS;
    for (const [each, until] of gaps) if (until <= now) gaps.delete(each);
    gaps.set(peer, now + gap);
    due.set(peer, now + AGAIN_MS * (1 + random.float() / 4));
    const work = ask(peer)
      .catch((error: unknown) => log.warn('a peer was not asked', { err: messageOf(error) }))
      .finally(() => {
        asked.delete(peer);
        wake.abort();
      });
    asked.set(peer, work);
  }

  return {
    soon(peer, ms) {
      const at = Math.max(clock.monotonic() + ms, gaps.get(peer) ?? 0);
      if ((due.get(peer) ?? Number.POSITIVE_INFINITY) <= at) return;
      due.set(peer, at);
      wake.abort();
    },
    left: (peer) => void due.delete(peer),
    async run() {
      while (!signal.aborted) {
        const now = clock.monotonic();
        for (const [peer, at] of due) {
          if (!isLinked(peer)) due.delete(peer);
          else if (at <= now && !asked.has(peer) && asked.size < AT_ONCE) begin(peer, now);
        }
        const waiting = [...due].filter(([peer]) => !asked.has(peer)).map(([, at]) => at - now);
        // One that ends wakes this.
        const ms = asked.size >= AT_ONCE ? AGAIN_MS : Math.min(AGAIN_MS, ...waiting);
        if (!wake.signal.aborted)
          await clock.sleep(Math.max(10, ms), AbortSignal.any([signal, wake.signal])).catch(() => {});
        wake = new AbortController();
      }
      await Promise.all(asked.values());
    },
  };
}
