/**
 * How candidates that may answer compare: the owner's order, cost, latency, load and errors, as one number.
 *
 * @module gateway/policy/score
 */
import type { Condition } from '../resilience/index.ts';
import { costOf } from './filter.ts';
import type { Candidate, Needs, ScoreParts, Weights } from './types.ts';

/**
 * The owner's order decides: a place is worth 0.1, and a backend loses one for each quarter of its calls that fails.
 * Latency and load decide between backends of the same place. Cost counts where the owner gives it a weight.
 */
export const defaultWeights: Weights = { order: 1, cost: 0, latency: 0.06, load: 0.04, errors: 0.4 };

/** Half of the scale, where a part has no natural end: ms, calls under way, money. */
const halfLatencyMs = 2000;
const halfLoad = 8;
const halfCost = 0.01;

/**
 * Each part from 0 (best) to 1. Latency, load and cost saturate as x / (x + half), so that one number far off does not
 * drown the others; the order grows by one tenth for each place.
 */
export function partsOf(candidate: Candidate, needs: Needs, condition: Condition): ScoreParts {
  const latencyMs = condition.expectedMs ?? 0;
  // Of an unknown price the worst is thought.
  const cost = costOf(candidate, needs) ?? Number.POSITIVE_INFINITY;
  return {
    order: Math.min(1, candidate.order / 10),
    cost: saturating(cost, halfCost),
    latency: saturating(latencyMs, halfLatencyMs),
    load: saturating(condition.inFlight, halfLoad),
    errors: condition.errorRate,
  };
}

export function scoreOf(parts: ScoreParts, weights: Weights): number {
  return (
    parts.order * weights.order +
    parts.cost * weights.cost +
    parts.latency * weights.latency +
    parts.load * weights.load +
    parts.errors * weights.errors
  );
}

function saturating(value: number, half: number): number {
  return value === Number.POSITIVE_INFINITY ? 1 : value / (value + half);
}
