/**
 * Tokens that the penalties look back at: a window of the last n with a count for each.
 *
 * @module engine/sampler/history
 */
export interface History {
  readonly counts: ReadonlyMap<number, number>;
  add(token: number): void;
}

/** @param window tokens looked back at; -1 = all */
export function createHistory(window: number): History {
  const counts = new Map<number, number>();
  const ring = new Int32Array(Math.max(0, window));
  let seen = 0;
  return {
    counts,
    add(token) {
      if (window === 0) return;
      if (window > 0) {
        const slot = seen % window;
        if (seen >= window) {
          const old = ring[slot]!;
          const left = counts.get(old)! - 1;
          if (left === 0) counts.delete(old);
          else counts.set(old, left);
        }
        ring[slot] = token;
        seen++;
      }
      counts.set(token, (counts.get(token) ?? 0) + 1);
    },
  };
}
