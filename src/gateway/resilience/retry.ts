/**
 * When the same backend may be asked again: after a random wait, and only while that adds little to its load.
 *
 * @module gateway/resilience/retry
 */
import type { Random } from '../../base/index.ts';

export interface BackoffOptions {
  /** Upper bound of the first wait, ms. It doubles with each retry. @default 1000 */
  readonly baseMs?: number;
  /** Upper bound of every wait, ms. @default 4000 */
  readonly maxMs?: number;
}

/**
 * Wait before retry number `retry` (from 0): uniform between 0 and 1, 2, 4 s. The whole range is drawn from ("full
 * jitter", AWS Architecture Blog 2015), so that callers who failed together do not come back together.
 */
export function backoffMs(
  retry: number,
  random: Pick<Random, 'float'>,
  options: BackoffOptions = {},
): number {
  const { baseMs = 1000, maxMs = 4000 } = options;
  return random.float() * Math.min(maxMs, baseMs * 2 ** Math.min(retry, 30));
}

export interface RetryBudgetOptions {
  /** Extra calls allowed per call. @default 0.1 */
  readonly share?: number;
  /** Extra calls allowed in a window however few calls there were. @default 3 */
  readonly minimum?: number;
  /** @default 10_000 */
  readonly windowMs?: number;
  /** Monotonic ms. */
  readonly now: () => number;
}

export interface RetryBudget {
  /** Counts one ask of a caller. */
  deposit(): void;
  /** Counts one extra call if it is within the budget; false when it is not. */
  take(): boolean;
  /** Extra calls that `take` would still grant. */
  readonly left: number;
}

const slots = 10;

/**
 * With every extra call that is granted, those of the last window are at most max(minimum, share × calls of the last
 * window). The window moves in ten steps: a call counts for nine tenths of it at least, an extra call for all of it.
 */
export function createRetryBudget(options: RetryBudgetOptions): RetryBudget {
  const { share = 0.1, minimum = 3, windowMs = 10_000, now } = options;
  const slotMs = windowMs / slots;
  const calls = new Uint32Array(slots);
  // One slot more: spending is remembered for a whole window at least, whatever the phase of the steps.
  const extras = new Uint32Array(slots + 1);
  let at = Math.floor(now() / slotMs);
  let callsSum = 0;
  let extrasSum = 0;

  function move(): void {
    const target = Math.floor(now() / slotMs);
    const steps = Math.min(target - at, slots + 1);
    for (let step = 0; step < steps; step++) {
      const slot = target - step;
      callsSum -= calls[slot % slots]!;
      calls[slot % slots] = 0;
      extrasSum -= extras[slot % (slots + 1)]!;
      extras[slot % (slots + 1)] = 0;
    }
    at = Math.max(at, target);
  }

  // 0.1 × 30 must be 3, not 2.999...
  const left = (): number => Math.max(0, Math.max(minimum, Math.floor(share * callsSum + 1e-9)) - extrasSum);

  return {
    deposit() {
      move();
      calls[at % slots]!++;
      callsSum++;
    },
    take() {
      move();
      if (left() < 1) return false;
      extras[at % (slots + 1)]!++;
      extrasSum++;
      return true;
    },
    get left() {
      move();
      return left();
    },
  };
}
