/**
 * How many a second, of late.
 *
 * @module shards/serve/rate-meter
 */

/** Counts are kept for the present part of time and the one before. */
const PART_MS = 5000;

/** @param now monotonic ms */
export function rateMeter(now: () => number): {
  add(count: number): void;
  perSecond(): number;
} {
  const began = now();
  let partAt = began;
  let current = 0;
  let before = 0;
  const turn = (): number => {
    const at = now();
    const parts = Math.floor((at - partAt) / PART_MS);
    if (parts > 0) {
      before = parts === 1 ? current : 0;
      current = 0;
      partAt += parts * PART_MS;
    }
    return at;
  };
  return {
    add(count) {
      turn();
      current += count;
    },
    perSecond() {
      const at = turn();
      const since = Math.max(began, partAt - PART_MS);
      // Less than a second says little: a first step would be a very high rate.
      return ((before + current) * 1000) / Math.max(1000, at - since);
    },
  };
}
