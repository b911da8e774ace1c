/**
 * Turns byte counts into progress with a rate over the last seconds and the time left.
 *
 * @module models/store/meter
 */

import type { Clock } from '../../base/index.ts';
import type { Progress } from '../types.ts';

const WINDOW_MS = 5000;
/** A rate from less than this is noise. */
const SETTLE_MS = 250;
const REPORT_EVERY_MS = 100;

export interface Meter {
  /** Starts a phase. Bytes that are there already (`done`) do not count for the rate. */
  start(phase: Progress['phase'], totalBytes: number | null, done?: number): void;
  /** `doneBytes` of the phase are done. Reports at most ten times a second. */
  at(doneBytes: number): void;
  /** Reports now, whatever was reported last. */
  flush(): void;
}

export function createMeter(clock: Clock, onProgress: ((progress: Progress) => void) | undefined): Meter {
  let phase: Progress['phase'] = 'resolve';
  let total: number | null = null;
  let done = 0;
  let reported = Number.NEGATIVE_INFINITY;
  let samples: { time: number; done: number }[] = [];

  const report = (now: number) => {
    reported = now;
    const first = samples[0];
    const span = first === undefined ? 0 : now - first.time;
    const rate =
      first === undefined || span < SETTLE_MS ? null : Math.max(0, ((done - first.done) * 1000) / span);
    const eta = rate === null || rate === 0 || total === null ? null : Math.max(0, total - done) / rate;
    onProgress?.({ phase, doneBytes: done, totalBytes: total, rate, eta });
  };

  return {
    start(next, totalBytes, already = 0) {
      phase = next;
      total = totalBytes;
      done = already;
      const now = clock.monotonic();
      samples = [{ time: now, done }];
      report(now);
    },
    at(doneBytes) {
      done = doneBytes;
      const now = clock.monotonic();
      if (now - reported < REPORT_EVERY_MS) return;
      samples.push({ time: now, done });
      // The oldest sample stays until the next one is outside the window too, so the window is never empty.
      while (samples.length > 2 && now - samples[1]!.time >= WINDOW_MS) samples.shift();
      report(now);
    },
    flush: () => report(clock.monotonic()),
  };
}
