/**
 * Time as a parameter. Logic takes a `Clock`, so that tests move time by hand and never wait.
 *
 * @module base/clock
 */
import { AbortedError, throwIfAborted } from './errors.ts';

export interface Clock {
  /** Wall clock, ms since the Unix epoch. May jump; use it for what people and records read. */
  now(): number;
  /** ms since an arbitrary start, never going back. Use it for durations and deadlines. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with `AbortedError` as soon as the signal fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** setTimeout takes at most 2^31 - 1 ms and fires at once beyond it: longer sleeps go in steps. */
const MAX_TIMER_MS = 2_147_483_647;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  async sleep(ms, signal) {
    throwIfAborted(signal);
    let left = Math.max(0, ms);
    do {
      const step = Math.min(left, MAX_TIMER_MS);
      await timer(step, signal);
      left -= step;
    } while (left > 0);
  },
};

function timer(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(handle);
      reject(new AbortedError(undefined, { cause: signal?.reason }));
    };
    const handle = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

export interface ManualClock extends Clock {
  /** Moves both clocks forward and wakes, in order of their due time, everything that slept until then. */
  advance(ms: number): Promise<void>;
  /** Number of sleeps that have not ended. */
  readonly sleeping: number;
}

/** A clock that stands still until `advance` is called. `start` is the first value of `now()`. */
export function createManualClock(start = 1_700_000_000_000): ManualClock {
  let elapsed = 0;
  const sleeps = new Set<{ due: number; wake: () => void }>();
  return {
    now: () => start + elapsed,
    monotonic: () => elapsed,
    get sleeping() {
      return sleeps.size;
    },
    async sleep(ms, signal) {
      throwIfAborted(signal);
      if (ms <= 0) return;
      await new Promise<void>((resolve, reject) => {
        const onAbort = () => {
          sleeps.delete(entry);
          reject(new AbortedError(undefined, { cause: signal?.reason }));
        };
        const entry = {
          due: elapsed + ms,
          wake: () => {
            sleeps.delete(entry);
            signal?.removeEventListener('abort', onAbort);
            resolve();
          },
        };
        sleeps.add(entry);
        signal?.addEventListener('abort', onAbort, { once: true });
      });
    },
    async advance(ms) {
      const end = elapsed + ms;
      for (;;) {
        const next = [...sleeps].sort((a, b) => a.due - b.due).find((sleep) => sleep.due <= end);
        if (next === undefined) break;
        elapsed = Math.max(elapsed, next.due);
        next.wake();
        // Lets the woken code run, so that a sleep it starts is seen by this same advance.
        await new Promise((resolve) => setImmediate(resolve));
      }
      elapsed = end;
    },
  };
}
