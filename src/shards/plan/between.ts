/**
 * Round trips between two peers, as they say them when a path links one to the other. Nobody here can measure them, so that what is
 * said is held to what can be: of two directions the longer one counts, and no way is shorter than the difference of the ways
 * to both ends that this node has measured itself.
 *
 * @module shards/plan/between
 */

/** Pairs that are remembered. */
const MOST_WAYS = 4096;
/** ms for which what was said counts. */
const KEPT_MS = 60 * 60_000;

export interface WaysBetween {
  /** `from` says that a message to `to` takes so many ms, there and back. */
  note(from: string, to: string, ms: number): void;
  /**
   * Round trip, ms; null when nobody said one lately.
   * @param here round trips from this node to both, ms, where they were measured
   */
  between(one: string, other: string, here: readonly [number | null, number | null]): number | null;
}

/** @param now monotonic ms */
export function waysBetween(now: () => number): WaysBetween {
  const said = new Map<string, { readonly ms: number; readonly at: number }>();
  const lately = (from: string, to: string): number | null => {
    const one = said.get(`${from} ${to}`);
    return one === undefined || now() - one.at > KEPT_MS ? null : one.ms;
  };
  return {
    note(from, to, ms) {
      const key = `${from} ${to}`;
      said.delete(key);
      if (said.size >= MOST_WAYS) said.delete(said.keys().next().value!);
      said.set(key, { ms, at: now() });
    },
    between(one, other, [toOne, toOther]) {
      const there = lately(one, other);
      const back = lately(other, one);
      if (there === null && back === null) return null;
      const least = toOne === null || toOther === null ? 0 : Math.abs(toOne - toOther);
      return Math.max(there ?? 0, back ?? 0, least);
    },
  };
}
