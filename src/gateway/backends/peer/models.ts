/**
 * What a peer says that it would serve to this node, believed for a while; how far away it is by the time that took.
 *
 * @module gateway/backends/peer/models
 */
import type { Clock } from '../../../base/index.ts';
import type { Swarm } from '../../../swarm/index.ts';
import { decodeModels, PEER_METHODS, type PeerModels } from '../../peers/index.ts';
import { type PeerName, wayFailure } from './errors.ts';
import type { Reach } from './lease-pool.ts';

export interface PeerModelList {
  /** What it said last, if that is not too old; else it is asked. Calls share one ask. */
  get(): Promise<PeerModels>;
  /** Asks now. @returns what it says, and ms until it did */
  ask(signal?: AbortSignal): Promise<PeerModels & { readonly ms: number }>;
  /** What it said last; null before. */
  readonly known: PeerModels | null;
  /** ms of the last round trip and what the peer said a request would wait; null before the first. */
  latencyMs(): number | null;
}

const replyBytes = 2 ** 18;

export function createPeerModels(
  swarm: Pick<Swarm, 'call'>,
  who: PeerName,
  clock: Pick<Clock, 'monotonic'>,
  ttlMs: number,
  { reachMs, minTier }: Reach,
): PeerModelList {
  let known: PeerModels | null = null;
  let at = Number.NEGATIVE_INFINITY;
  let roundTrip: number | null = null;
  let asking: Promise<PeerModels> | null = null;

  async function ask(signal?: AbortSignal) {
    const began = clock.monotonic();
    try {
      const reply = await swarm.call(who.peer, PEER_METHODS.models, {}, undefined, {
        deadlineMs: reachMs,
        ...(minTier === null ? {} : { minTier }),
        maxReplyBytes: replyBytes,
        ...(signal === undefined ? {} : { signal }),
      });
      known = decodeModels(reply);
    } catch (error) {
      throw wayFailure(error, who, signal);
    }
    at = clock.monotonic();
    roundTrip = at - began;
    return { ...known, ms: roundTrip };
  }

  return {
    ask,
    async get() {
      if (known !== null && clock.monotonic() - at < ttlMs) return known;
      asking ??= ask().finally(() => {
        asking = null;
      });
      return asking;
    },
    get known() {
      return known;
    },
    latencyMs: () => (roundTrip === null ? null : roundTrip + (known?.queueMs ?? 0)),
  };
}
