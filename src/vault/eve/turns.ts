/**
 * Whose call is next: of those who wait, who used the least of Eve's time. A peer that asks for much work waits for itself, not the others
 * for it, however many calls it sends. Who comes back after a while begins where the others are: time is not saved up.
 *
 * @module vault/eve/turns
 */

export interface Turns<T> {
  add(who: string, one: T): void;
  /** Takes the next one out; null: nobody waits. */
  next(): { readonly who: string; readonly one: T } | null;
  /** What was used by one of `who`, ms. */
  used(who: string, ms: number): void;
  /** Takes all out. */
  clear(): T[];
  readonly waiting: number;
}

/** Even a call that takes no time uses some. */
const LEAST_MS = 0.05;

/** @param first who goes before all others, and whose time is not counted */
export function createTurns<T>(first: string): Turns<T> {
  const queues = new Map<string, T[]>();
  /** Time that was used, by who waits, and by those who are ahead of all that wait. */
  const times = new Map<string, number>();
  let floor = 0;
  let waiting = 0;

  return {
    add(who, one) {
      waiting += 1;
      const queue = queues.get(who);
      if (queue !== undefined) {
        queue.push(one);
        return;
      }
      queues.set(who, [one]);
      times.set(who, Math.max(times.get(who) ?? 0, floor));
    },
    next() {
      let who: string | null = null;
      let least = Number.POSITIVE_INFINITY;
      for (const one of queues.keys()) {
        const time = one === first ? Number.NEGATIVE_INFINITY : times.get(one)!;
        if (who !== null && time >= least) continue;
        who = one;
        least = time;
      }
      if (who === null) return null;
      const queue = queues.get(who)!;
      const one = queue.shift()!;
      waiting -= 1;
      if (queue.length === 0) queues.delete(who);
      if (who !== first) floor = Math.max(floor, least);
      return { who, one };
    },
    used(who, ms) {
      if (who === first) return;
      times.set(who, (times.get(who) ?? floor) + Math.max(LEAST_MS, ms));
      // Of those who are gone, only who is ahead is remembered.
      if (times.size > 2 * queues.size + 64)
        for (const [one, time] of times) if (time <= floor && !queues.has(one)) times.delete(one);
    },
    clear() {
      const all = [...queues.values()].flat();
      queues.clear();
      times.clear();
      waiting = 0;
      return all;
    },
    get waiting() {
      return waiting;
    },
  };
}
