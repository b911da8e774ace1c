/**
 * What each peer may have of something within a minute.
 *
 * @module node/swarm-credentials-shares
 */
import type { Clock } from '../base/index.ts';

export interface Shares {
  /** Takes one; false when the peer has had its share of this minute. */
  take(peer: string): boolean;
}

const MINUTE_MS = 60_000;
const MAX_PEERS = 4096;

export function createShares(clock: Pick<Clock, 'monotonic'>, perMinute: number): Shares {
  const taken = new Map<string, { readonly since: number; count: number }>();
  return {
    take(peer) {
      const now = clock.monotonic();
      const before = taken.get(peer);
      if (before !== undefined && now - before.since < MINUTE_MS) return ++before.count <= perMinute;
      taken.delete(peer);
      taken.set(peer, { since: now, count: 1 });
      if (taken.size > MAX_PEERS) taken.delete(taken.keys().next().value!);
      return true;
    },
  };
}
