/**
 * The time limits of all answers under way on one timer: a timer of its own for each request costs more than the rest of
 * what is done for it.
 *
 * @module gateway/relay/sweep
 */

import { Chain, type Linked } from '../../base/index.ts';

/** ms between two looks; a limit may pass this much late. */
const everyMs = 100;

export interface Timed extends Linked {
  /** Monotonic ms. */
  readonly deadline: number;
  /** The deadline has passed. Takes it out of the sweep. */
  late(): void;
}

export interface Sweep {
  add(one: Timed): void;
  delete(one: Timed): void;
}

export function createSweep(now: () => number): Sweep {
  const all = new Chain<Timed>();
  let timer: NodeJS.Timeout | null = null;
  const look = () => {
    const at = now();
    for (const one of all) if (one.deadline <= at) one.late();
    if (all.size > 0 || timer === null) return;
    clearInterval(timer);
    timer = null;
  };
  return {
    add(one) {
      all.add(one);
      // What waits for an answer holds a connection, which keeps the process alive.
      timer ??= setInterval(look, everyMs).unref();
    },
    delete(one) {
      all.delete(one);
    },
  };
}
