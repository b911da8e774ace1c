/**
 * What was seen of peers that this node asked, as observations: availability, latency, throughput over what was announced.
 *
 * | Seen | Observation |
 * |---|---|
 * | an answer came whole; it could not be reached, was cut, stayed silent or failed | availability 1; 0 |
 * | the first piece after `t` ms of a prompt of `p` tokens | latency `min(1, (2000 + 5 p) / t)` |
 * | a round trip of `t` ms, measured every ten minutes at most while it is asked | latency `min(1, 250 / t)` |
 * | `n` tokens in `t` ms after the first, where it announces a speed for the model | throughput `min(1, speed / announced)` |
 *
 * @module node/swarm-trust-seen
 */
import { type Clock, isKithError, type Logger, messageOf } from '../base/index.ts';
import type { ChatRequest } from '../gateway/index.ts';
import type { Registry, Swarm } from '../swarm/index.ts';
import { type Counted, latencyShare, type Trust, throughputShare } from '../trust/index.ts';
import type { PeerWatch, SeenChat } from './swarm-trust-watch.ts';

export const FIRST_MS = 2000;
export const FIRST_MS_PER_TOKEN = 5;
export const ROUND_TRIP_MS = 250;
const PING_EVERY_MS = 600_000;
const PING_MS = 5_000;
/** Shorter answers tell nothing of a speed. */
const LEAST_TOKENS = 16;
const LEAST_MS = 20;
const MAX_REMEMBERED = 1024;

export interface SeenParts {
  readonly trust: Pick<Trust, 'observe'>;
  readonly registry: Pick<Registry, 'of'>;
  readonly swarm: Pick<Swarm, 'ping'>;
  /** SHA-256 of the model's file as the peer says it; null: it does not. */
  readonly hashOf: (peer: string, model: string) => Promise<string | null>;
  /** Recomputes some of the answers. */
  readonly audits: Pick<PeerWatch, 'wantsText'> & { take(seen: SeenChat, request: ChatRequest): void };
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** What goes on behind the answer's back; it ends before the stores are closed. */
  readonly behind: (what: string, work: () => Promise<void>) => void;
}

export function createSeen(parts: SeenParts): PeerWatch {
  const { trust, registry, swarm, hashOf, audits, clock, log, signal, behind } = parts;
  const pinged = new Map<string, number>();

  function note(peer: string, dimension: Counted, x: number): void {
    if (signal.aborted) return;
    try {
      trust.observe(peer, dimension, x);
    } catch (error) {
      // A store full of peers in quarantine has no place for one more.
      if (!isKithError(error))
        log.warn('what was seen of a peer was not noted', { peer, err: messageOf(error) });
    }
  }

  function pingSoon(peer: string): void {
    const now = clock.monotonic();
    if (now - (pinged.get(peer) ?? Number.NEGATIVE_INFINITY) < PING_EVERY_MS) return;
    pinged.delete(peer);
    pinged.set(peer, now);
    if (pinged.size > MAX_REMEMBERED) pinged.delete(pinged.keys().next().value!);
    behind('a peer was not pinged', async () => {
      try {
        note(
          peer,
          'latency',
          latencyShare(ROUND_TRIP_MS, await swarm.ping(peer, { deadlineMs: PING_MS, signal })),
        );
      } catch (error) {
        // Whether it is there is told by what it is asked.
        if (!isKithError(error)) throw error;
      }
    });
  }

  /** A peer counts its own tokens; more than characters came is no speed. */
  function seeSpeed({ peer, model, restMs, completionTokens, characters }: SeenChat): void {
    const tokens = Math.min(completionTokens ?? 0, characters);
    if (tokens < LEAST_TOKENS || restMs < LEAST_MS) return;
    if (!registry.of(peer).some(({ tokensPerSecond }) => tokensPerSecond !== null)) return;
    behind('the speed of a peer was not noted', async () => {
      const hash = await hashOf(peer, model);
      const claimed = registry.of(peer).find((one) => one.model?.hash === hash)?.tokensPerSecond ?? null;
      if (hash === null || claimed === null) return;
      note(peer, 'throughput', throughputShare(claimed, ((tokens - 1) * 1000) / restMs));
    });
  }

  return {
    wantsText: audits.wantsText,
    answered(seen, request) {
      const { peer, firstMs, promptTokens } = seen;
      note(peer, 'availability', 1);
      note(peer, 'latency', latencyShare(FIRST_MS + FIRST_MS_PER_TOKEN * (promptTokens ?? 0), firstMs));
      seeSpeed(seen);
      pingSoon(peer);
      if (seen.text !== null) audits.take(seen, request);
    },
    embedded: (peer) => note(peer, 'availability', 1),
    failed: (peer) => note(peer, 'availability', 0),
  };
}
