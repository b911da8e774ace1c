/**
 * Tokens that each peer may take in a minute. Answers are counted as they are written, so that leaving early is no way
 * around it; one that goes over is paid back by waiting.
 *
 * @module gateway/peers/allowance
 */

export interface Allowance {
  /** Tokens that are left to the peer; 0 or less: none. */
  left(peer: string, perMinute: number): number;
  /** ms until there is one again. */
  wait(peer: string, perMinute: number): number;
  take(peer: string, tokens: number, perMinute: number): void;
}

interface Bucket {
  left: number;
  at: number;
}

/** Peers that are remembered; a full bucket is no different from none. */
const maxPeers = 4096;

/** `now`: monotonic ms. */
export function createAllowance(now: () => number): Allowance {
  const buckets = new Map<string, Bucket>();

  function bucket(peer: string, perMinute: number): Bucket {
    const at = now();
    let found = buckets.get(peer);
    if (found === undefined) {
      found = { left: perMinute, at };
      buckets.set(peer, found);
      if (buckets.size > maxPeers) prune(perMinute);
    }
    found.left = Math.min(perMinute, found.left + ((at - found.at) * perMinute) / 60_000);
    found.at = at;
    return found;
  }

  /** Those that are full first, then those used longest ago. */
  function prune(perMinute: number): void {
    for (const [peer, { left, at }] of buckets)
      if (left + ((now() - at) * perMinute) / 60_000 >= perMinute) buckets.delete(peer);
    const [oldest] = buckets.keys();
    if (buckets.size > maxPeers && oldest !== undefined) buckets.delete(oldest);
  }

  return {
    left: (peer, perMinute) => Math.floor(bucket(peer, perMinute).left),
    wait(peer, perMinute) {
      const { left } = bucket(peer, perMinute);
      return left >= 1 ? 0 : Math.ceil(((1 - left) * 60_000) / perMinute);
    },
    take(peer, tokens, perMinute) {
      bucket(peer, perMinute).left -= tokens;
    },
  };
}
