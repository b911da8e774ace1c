/**
 * What became of each route of one ask, and which of them to ask again.
 *
 * @module gateway/resilience/tried
 */
import type { Failure } from './failure.ts';
import type { RunOptions } from './run.ts';
import type { Route } from './types.ts';

export interface Tried {
  readonly route: Route;
  attempts: number;
  failure: Failure | null;
  /** Monotonic ms before which it does not want to be asked again. */
  readyAt: number;
  /** It was asked once more for a connection that was dead already. */
  stale: boolean;
}

/** What is known of the route, from now on. There are few in one ask. */
export function triedOf(all: Tried[], route: Route): Tried {
  let tried = all.find((one) => one.route === route);
  if (tried === undefined) {
    tried = { route, attempts: 0, failure: null, readyAt: Number.NEGATIVE_INFINITY, stale: false };
    all.push(tried);
  }
  return tried;
}

/** The one asked least often among those worth another ask, the first of equals; null when none is. */
export function readiest(
  all: readonly Tried[],
  now: number,
  { conditions, maxRetryAfterMs = 20_000 }: RunOptions,
): Tried | null {
  let best: Tried | null = null;
  for (const tried of all) {
    if (tried.failure !== null && !tried.failure.again) continue;
    const { coolMs, breaker } = conditions.of(tried.route.backend.name);
    tried.readyAt = Math.max(tried.readyAt, now + coolMs, now + breaker.waitMs);
    const wait = tried.readyAt - now;
    // A trial call of somebody else is under way there: how long it takes nobody knows.
    if (wait > maxRetryAfterMs || (wait === 0 && !breaker.admits)) continue;
    if (best === null || tried.attempts < best.attempts) best = tried;
  }
  return best;
}
