/**
 * `M`: bad conduct takes the whole score down, not only the part that observations earned.
 *
 * `b = sum of w_d * bad / (sum of w_d * n + 2.5)` over what was observed and over conduct, which weighs as much as an audit
 * and has no good side. `M = clamp(1 - (b - 0.10) / 0.40, 0, 1)`: nothing happens up to a tenth
 * of bad, and from a half on nothing is left.
 *
 * @module trust/score/moderation
 */
import { COUNTED, type Counted } from '../types.ts';
import type { Counters } from './inputs.ts';
import { DIMENSION_WEIGHTS } from './observations.ts';

/** Breaking the rules of the wire is as bad as a wrong result. */
const CONDUCT_WEIGHT = 0.4;
export const MODERATION_WEIGHTS: Readonly<Record<Counted, number>> = {
  ...DIMENSION_WEIGHTS,
  conduct: CONDUCT_WEIGHT,
};
const PRIOR = 2.5;
const BAD_FREE = 0.1;
const BAD_SPAN = 0.4;

export interface Moderation {
  /** `b`, 0 to 1. */
  readonly bad: number;
  /** `M`, 0 to 1. */
  readonly factor: number;
}

/** Of counters that are aged already. */
export function moderationTerm(counters: Counters): Moderation {
  let bad = 0;
  let all = PRIOR;
  for (const dimension of COUNTED) {
    const counter = counters[dimension];
    if (counter === undefined) continue;
    bad += MODERATION_WEIGHTS[dimension] * counter.bad;
    all += MODERATION_WEIGHTS[dimension] * (counter.good + counter.bad);
  }
  const share = bad / all;
  return { bad: share, factor: Math.min(1, Math.max(0, 1 - (share - BAD_FREE) / BAD_SPAN)) };
}
