/**
 * Temperature, top-k, top-p and min-p: from a row of logits to the few tokens that may be drawn.
 *
 * All three filters keep a prefix of the tokens ordered by logit, so no step sorts more of the vocabulary than the
 * prefix that can survive: a heap for top-k, a histogram of probability mass for top-p alone, a threshold for min-p.
 *
 * @module engine/sampler/candidates
 */
import { argmax, selectTop, sortByLogit } from './logits.ts';

export interface CandidateOptions {
  /** Above 0. */
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
}

export interface Candidates {
  /** Token ids; valid up to the count that `select` returned. Most likely first unless only min-p was on. */
  ids: Int32Array;
  /** exp((logit - largest logit) / temperature) of each: probability up to a common factor. */
  weights: Float64Array;
  /** Fills the two arrays and returns the count, at least 1. */
  select(logits: Float32Array): number;
  /** Index of the candidate that `uniform` in [0, 1) falls on. */
  draw(count: number, uniform: number): number;
}

/** Up to here a heap beats sorting (k log k against n log n in native code). */
const HEAP_MAX = 1024;
/** Histogram of mass over (largest - logit) / temperature: BINS bins of 1/BINS_PER_UNIT; the last takes the rest,
 *  whose weights are below e^-32. */
const BINS = 1024;
const BINS_PER_UNIT = 32;

export function createCandidates(options: CandidateOptions, vocab: number): Candidates {
  const { temperature, topP, minP } = options;
  const topK = options.topK === 0 || options.topK >= vocab ? 0 : options.topK;
  const byHeap = topK > 0 && topK <= HEAP_MAX;
  const size = byHeap ? topK : vocab;
  const sorted = topK > 0 || topP < 1;
  const keys = sorted && !byHeap ? new Float64Array(vocab) : null;
  const mass = topK === 0 && topP < 1 ? new Float64Array(BINS) : null;

  const self: Candidates = {
    ids: new Int32Array(size),
    weights: new Float64Array(size),
    select(logits) {
      const { ids, weights } = self;
      if (byHeap) {
        const count = selectTop(logits, topK, ids);
        const max = logits[ids[0]!]!;
        let total = 0;
        for (let i = 0; i < count; i++)
          total += weights[i] = Math.exp((logits[ids[i]!]! - max) / temperature);
        return cut(weights, count, total, topP, minP);
      }
      const max = logits[argmax(logits)]!;
      if (mass !== null) {
        // Top-p over the whole vocabulary: find how deep the nucleus reaches, then sort only that much.
        mass.fill(0);
        let total = 0;
        for (let i = 0; i < vocab; i++) {
          const depth = (max - logits[i]!) / temperature;
          const weight = Math.exp(-depth);
          if (weight === 0) continue;
          total += weight;
          mass[Math.min(BINS - 1, Math.floor(depth * BINS_PER_UNIT))]! += weight;
        }
        let bin = 0;
        for (let sum = mass[0]!; bin < BINS - 1 && sum < topP * total; ) sum += mass[++bin]!;
        // One bin more, since sums in another order differ in their last digits.
        const deepest = bin >= BINS - 2 ? Number.POSITIVE_INFINITY : (bin + 2) / BINS_PER_UNIT;
        const lowest = Math.min(deepest, minP > 0 ? -Math.log(minP) + 1e-6 : Number.POSITIVE_INFINITY);
        const count = collect(logits, max, temperature, lowest, ids);
        sortByLogit(logits, ids, count, keys!);
        for (let i = 0; i < count; i++) weights[i] = Math.exp((logits[ids[i]!]! - max) / temperature);
        return cut(weights, count, total, topP, minP);
      }
      if (topK === 0) {
        let count = 0;
        for (let i = 0; i < vocab; i++) {
          const weight = Math.exp((logits[i]! - max) / temperature);
          if (weight === 0 || weight < minP) continue;
          ids[count] = i;
          weights[count++] = weight;
        }
        return count;
      }
      const all = collect(logits, max, temperature, Number.POSITIVE_INFINITY, ids);
      sortByLogit(logits, ids, all, keys!);
      const count = Math.min(topK, all);
      let total = 0;
      for (let i = 0; i < count; i++) total += weights[i] = Math.exp((logits[ids[i]!]! - max) / temperature);
      return cut(weights, count, total, topP, minP);
    },
    draw(count, uniform) {
      const { weights } = self;
      let total = 0;
      for (let i = 0; i < count; i++) total += weights[i]!;
      let left = uniform * total;
      let last = 0;
      for (let i = 0; i < count; i++) {
        if (weights[i] === 0) continue;
        last = i;
        left -= weights[i]!;
        if (left < 0) return i;
      }
      return last;
    },
  };
  return self;
}

/** Ids whose logit is finite and at most `deepest` temperatures below the largest, in id order. */
function collect(
  logits: Float32Array,
  max: number,
  temperature: number,
  deepest: number,
  ids: Int32Array,
): number {
  let count = 0;
  for (let i = 0; i < logits.length; i++) {
    const value = logits[i]!;
    if (value === Number.NEGATIVE_INFINITY || (max - value) / temperature > deepest) continue;
    ids[count++] = i;
  }
  return count;
}

/**
 * Length of the prefix that top-p (smallest set whose mass reaches topP of `total`), then min-p (weight at least
 * minP of the best, which is 1) leave of weights in falling order. At least 1.
 */
function cut(weights: Float64Array, count: number, total: number, topP: number, minP: number): number {
  let kept = count;
  if (topP < 1) {
    const wanted = topP * total;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      sum += weights[i]!;
      if (sum >= wanted) {
        kept = i + 1;
        break;
      }
    }
  }
  while (kept > 1 && weights[kept - 1]! < minP) kept--;
  return kept;
}
