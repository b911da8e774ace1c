/**
 * `r` and `c`: what this node saw itself, and how much of it there is.
 *
 * An observation x in [0, 1] adds x to the good and 1 - x to the bad, after both have decayed: the good by half in 30 days,
 * the bad in 90, so that bad news lasts longer and a peer cannot take turns at behaving. With n = good + bad,
 * `c_d = n / (n + 10)`, `r = sum of w_d * c_d * good / n` and `c = sum of w_d * c_d`.
 *
 * @module trust/score/observations
 */
import { COUNTED, type Counted, DIMENSIONS, type Dimension } from '../types.ts';
import { decay } from './decay.ts';
import type { Counter, Counters } from './inputs.ts';

export const GOOD_HALF_LIFE_DAYS = 30;
export const BAD_HALF_LIFE_DAYS = 90;
/** So many observations make half of the confidence. */
export const HALF_CONFIDENCE = 10;

export const DIMENSION_WEIGHTS: Readonly<Record<Dimension, number>> = {
  audit: 0.4,
  availability: 0.25,
  throughput: 0.2,
  latency: 0.15,
};

/** A counter as it is at `at`; one from a later time stays as it is. */
export function aged({ good, bad, at: since }: Counter, at: number): Counter {
  return {
    good: good * decay(at - since, GOOD_HALF_LIFE_DAYS),
    bad: bad * decay(at - since, BAD_HALF_LIFE_DAYS),
    at: Math.max(since, at),
  };
}

/** The counter after one more observation, `x` in [0, 1]; `weight` in (0, 1] is how much of one it is. */
export function observed(before: Counter | undefined, x: number, at: number, weight = 1): Counter {
  const { good, bad, at: now } = aged(before ?? { good: 0, bad: 0, at }, at);
  return { good: good + weight * x, bad: bad + weight * (1 - x), at: now };
}

/** All counters as they are at `at`. */
export function agedAll(counters: Counters, at: number): Counters {
  const out: Partial<Record<Counted, Counter>> = {};
  for (const dimension of COUNTED) {
    const counter = counters[dimension];
    if (counter !== undefined) out[dimension] = aged(counter, at);
  }
  return out;
}

export interface ObservationTerms {
  /** `r`, 0 to 1. */
  readonly rating: number;
  /** `c`, 0 to 1. */
  readonly confidence: number;
}

/** Of counters that are aged already. */
export function observationTerms(counters: Counters): ObservationTerms {
  let rating = 0;
  let confidence = 0;
  for (const dimension of DIMENSIONS) {
    const counter = counters[dimension];
    if (counter === undefined) continue;
    const n = counter.good + counter.bad;
    if (n <= 0) continue;
    const part = DIMENSION_WEIGHTS[dimension] * (n / (n + HALF_CONFIDENCE));
    confidence += part;
    rating += part * (counter.good / n);
  }
  return { rating, confidence };
}

/** The throughput observation of a peer that claimed and showed so many tokens, or bytes, per second. */
export function throughputShare(claimed: number, shown: number): number {
  return claimed > 0 ? Math.min(1, Math.max(0, shown / claimed)) : 1;
}

/** The latency observation of an answer after `measuredMs` where `targetMs` was the aim. */
export function latencyShare(targetMs: number, measuredMs: number): number {
  return measuredMs > 0 ? Math.min(1, Math.max(0, targetMs / measuredMs)) : 1;
}
