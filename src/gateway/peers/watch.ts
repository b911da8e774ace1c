/**
 * One alarm for a sequence of waits: cheap to set for each of thousands of events.
 *
 * @module gateway/peers/watch
 */
import type { Clock } from '../../base/index.ts';

export interface Watch extends Disposable {
  /** From now on something has to be done within `ms`. */
  within(ms: number, why: string): void;
  /** It was done. */
  done(): void;
}

/** Calls `late` once, when something was not done in time. */
export function createWatch(clock: Pick<Clock, 'monotonic' | 'sleep'>, late: (why: string) => void): Watch {
  const over = new AbortController();
  let due = Number.POSITIVE_INFINITY;
  let what = '';
  let sleeping = false;

  /** Sleeps to the time that was due when it began; by then that has usually moved on. */
  async function sleep(): Promise<void> {
    sleeping = true;
    try {
      while (due !== Number.POSITIVE_INFINITY) {
        const ms = due - clock.monotonic();
        if (ms <= 0) {
          over.abort();
          late(what);
          return;
        }
        await clock.sleep(ms, over.signal);
      }
    } catch {
      // The only end of a sleep before its time is that nobody watches any more.
    } finally {
      sleeping = false;
    }
  }

  return {
    within(ms, why) {
      due = clock.monotonic() + ms;
      what = why;
      if (!sleeping && !over.signal.aborted) void sleep();
    },
    done() {
      due = Number.POSITIVE_INFINITY;
    },
    [Symbol.dispose]() {
      due = Number.POSITIVE_INFINITY;
      over.abort();
    },
  };
}
