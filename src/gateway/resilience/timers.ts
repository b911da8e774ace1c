/**
 * The clock with an alarm beside it. A wait that is almost always cancelled (a time limit that is kept) costs a timer
 * and nothing else.
 *
 * @module gateway/resilience/timers
 */
import { type Clock, systemClock } from '../../base/index.ts';

export interface Timers extends Clock {
  /** Calls `ring` once after `ms`. Returns what cancels it; cancelling twice, or too late, does nothing. */
  after(ms: number, ring: () => void): () => void;
}

/** setTimeout fires at once beyond this. An alarm that rings early is set again by whoever reads the time. */
const maxTimerMs = 2_147_483_647;

export const systemTimers: Timers = {
  ...systemClock,
  after(ms, ring) {
    const handle = setTimeout(ring, Math.min(Math.max(ms, 0), maxTimerMs));
    return () => clearTimeout(handle);
  },
};

/** Alarms made of the sleeps of any clock. Slower than `systemTimers`; it is what a clock moved by hand needs. */
export function timersOf(clock: Clock): Timers {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    after(ms, ring) {
      const cancel = new AbortController();
      clock.sleep(Math.max(ms, 0), cancel.signal).then(
        () => {
          if (!cancel.signal.aborted) ring();
        },
        () => {},
      );
      return () => cancel.abort();
    },
  };
}
