/**
 * Counts how often the engine process died lately, and says how long to pause before it is started again.
 *
 * @module engine/process/deaths
 */

import type { Clock } from '../../base/index.ts';
import type { SupervisorLimits } from './supervision.ts';

export interface Deaths {
  /** True when this death opened the breaker. */
  record(cause: string): boolean;
  /** ms the breaker stays open; 0 when it is closed. */
  brokenMs(): number;
  /** Deaths within the window that count towards opening the breaker. */
  recent(): number;
  /** ms to pause before the next start. */
  pauseMs(): number;
  /** True while another start may be tried without being asked for. */
  readonly few: boolean;
  readonly lastCause: string | null;
}

export function countDeaths(limits: SupervisorLimits, clock: Pick<Clock, 'monotonic'>): Deaths {
  let at: number[] = [];
  let brokenUntil = 0;
  let lastCause: string | null = null;
  const recent = (): number => {
    const since = clock.monotonic() - limits.deathsWindowMs;
    at = at.filter((time) => time > since);
    return at.length;
  };
  return {
    record(cause) {
      lastCause = cause;
      at.push(clock.monotonic());
      if (recent() < limits.deaths) return false;
      // Deaths stay counted, so one more soon after the pause opens it again.
      brokenUntil = clock.monotonic() + limits.breakerMs;
      return true;
    },
    recent,
    brokenMs: () => Math.max(0, brokenUntil - clock.monotonic()),
    pauseMs() {
      const count = recent();
      const steps = limits.backoffMs;
      return count === 0 ? 0 : (steps[Math.min(count, steps.length) - 1] ?? 0);
    },
    get few() {
      return recent() < limits.deaths;
    },
    get lastCause() {
      return lastCause;
    },
  };
}
