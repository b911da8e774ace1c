/**
 * Whether one system is better than another over the same questions, or only luckier: the paired bootstrap (Efron and
 * Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 16; for retrieval Sakai, SIGIR 2006).
 *
 * @module knowledge/evaluate/bootstrap
 */
import { InputError, type Random } from '../../base/index.ts';

export interface Comparison {
  readonly questions: number;
  /** Mean of ours minus mean of theirs. */
  readonly difference: number;
  /** 95 % interval of the difference. */
  readonly low: number;
  readonly high: number;
  /** How often chance alone makes a difference as large, either way. 0 to 1. */
  readonly p: number;
  /** Questions. */
  readonly wins: number;
  readonly losses: number;
  readonly ties: number;
}

const LEVEL = 0.025;

/**
 * @param ours Values of a measure by question; `theirs` of the same questions in the same order.
 * @param samples How often questions are drawn anew. @throws InputError `comparison_invalid`
 */
export function compare(
  ours: readonly number[],
  theirs: readonly number[],
  options: { readonly random: Random; readonly samples?: number },
): Comparison {
  const count = ours.length;
  if (count === 0 || theirs.length !== count)
    throw new InputError(
      'comparison_invalid',
      `Only values of the same questions can be compared: there are ${count} of the one and ${theirs.length} of the other.`,
    );
  const { random, samples = 10_000 } = options;
  const differences = ours.map((value, i) => value - theirs[i]!);
  const difference = differences.reduce((a, b) => a + b, 0) / count;
  const means = new Float64Array(samples);
  let asLarge = 0;
  for (let sample = 0; sample < samples; sample++) {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += differences[Math.floor(random.float() * count)]!;
    const mean = sum / count;
    means[sample] = mean;
    // Were there no difference, means would lie around 0 as these lie around it.
    if (Math.abs(mean - difference) >= Math.abs(difference) - 1e-12) asLarge++;
  }
  means.sort();
  const quantile = (q: number): number => means[Math.min(samples - 1, Math.floor(q * samples))]!;
  const wins = differences.filter((each) => each > 0).length;
  const losses = differences.filter((each) => each < 0).length;
  return {
    ...{ questions: count, difference, wins, losses, ties: count - wins - losses },
    ...{ low: quantile(LEVEL), high: quantile(1 - LEVEL), p: asLarge / samples },
  };
}
