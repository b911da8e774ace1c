/**
 * Token buckets: so many units a minute, with a minute's worth at once.
 *
 * @module server/access/rate
 */
import type { Clock } from '../../base/index.ts';

export interface Bucket {
  /** Units a minute, and the most that can be taken at once. */
  readonly limit: number;
  /** Whole units left now; negative when what was done cost more than was left. */
  remaining(): number;
  /** Whole ms until the bucket is full again. */
  resetMs(): number;
  /** Whole ms until one unit can be taken; 0 when one can be now. */
  waitMs(): number;
  /** Takes units, whether they are there or not. */
  take(units: number): void;
}

/** A bucket that is refilled by fractions may miss a whole unit by a rounding error. */
const slack = 1e-3;
/** Whole ms that are surely enough, and not one more because of the last digit. */
const whole = (ms: number): number => Math.max(0, Math.ceil(ms - 1e-8));

export function createBucket(limit: number, clock: Clock): Bucket {
  const perMs = limit / 60_000;
  let level = limit;
  let at = clock.monotonic();
  const now = () => {
    const time = clock.monotonic();
    level = Math.min(limit, level + (time - at) * perMs);
    at = time;
    return level;
  };
  return {
    limit,
    remaining: () => Math.floor(now() + slack),
    resetMs: () => whole((limit - now()) / perMs),
    waitMs: () => (now() >= 1 - slack ? 0 : whole((1 - level) / perMs)),
    take(units) {
      now();
      level -= units;
    },
  };
}

/** A duration as OpenAI writes it in `x-ratelimit-reset-*`: `0s`, `20ms`, `1.5s`, `6m0s`, `1h0m30s`. */
export function resetText(ms: number): string {
  const whole = Math.ceil(ms);
  if (whole < 1000) return whole === 0 ? '0s' : `${whole}ms`;
  const seconds = whole / 1000;
  if (seconds < 60) return `${Number(seconds.toFixed(3))}s`;
  const rounded = Math.ceil(seconds);
  const [h, m, s] = [Math.floor(rounded / 3600), Math.floor(rounded / 60) % 60, rounded % 60];
  return h > 0 ? `${h}h${m}m${s}s` : `${m}m${s}s`;
}
