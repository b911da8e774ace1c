/**
 * Whether rows that a shard sent follow from the rows that it received, judged by computing them again.
 *
 * Honest machines do not give equal bits: kernels for other processors, devices and batch sizes round otherwise, and on
 * quantised weights the rounding of activations makes one flipped bit grow to a few percent of a row within a few blocks
 * (measured on x64: 3.1 % after 6 blocks of TinyLlama at 2 bits, 1.1 to 1.6 % after 2 blocks at 4 bits), whatever its cause. That
 * noise saturates: a disturbance of the input as small as the last bits of half precision gives as much as another processor
 * does. So it is measured on the spot, with disturbed copies of the same input (`disturbed`), and the question is whether
 * the claim lies further from their mean than they do from each other. For a limit set in percent there is none that accuses
 * no honest node and lets no liar pass: the noise of one model is three times the lie on another.
 *
 * A claim is refused when, of what the copies say,
 *
 * | | |
 * |---|---|
 * | noise | the median over rows of its distance from their mean, as a multiple of theirs, is over 1.03 and 4 standard errors, and over 0.2 % of the row |
 * | scale | the median over rows of its slope on their mean is further from 1 than 4 standard errors and 0.2 % |
 * | row | one row is over 4 times as far away as they are, and over 0.5 % of it. Rows with massive values (the first of a sequence) have little noise |
 *
 * Of fewer than 8 rows only the last is asked. Who alters few rows by little is seen in many audits together (`tally.ts`).
 *
 * Where both machines say that they are of the same build and passes have the same shapes, rows are equal, and more than
 * 1e-5 between them is refused (`compareSame`).
 *
 * @module shards/audit/compare
 */
import type { Random } from '../../base/index.ts';

/** Disturbed copies that are computed. */
export const COPIES = 4;
/** Relative size of the disturbance: the rounding of half precision. */
const DISTURBANCE = 2 ** -12;
/** Differences of equal builds that are none. */
export const SAME = 1e-5;
/** Of the noise of the copies. */
const NOISE_BOUND = 1.03;
const NOISE_ERRORS = 4;
/** Rows from which on a median says something. */
const SOME_ROWS = 8;
/** Of a row. GPUs round sums of half precision to about so much where processors do not. */
const NEGLIGIBLE = 0.002;
const SCALE_ERRORS = 4;
const ROW_BOUND = 4;
const ROW_LEAST = 0.005;

/** Root mean square of the difference of each row, as a share of the root mean square of `b`'s. */
export function relativeErrors(a: Float32Array, b: Float32Array, width: number): number[] {
  return rowsOf(a.length, width).map((at) => {
    let difference = 0;
    let size = 0;
    for (let i = at; i < at + width; i++) {
      difference += (a[i]! - b[i]!) ** 2;
      size += b[i]! ** 2;
    }
    return size === 0 ? (difference === 0 ? 0 : Number.POSITIVE_INFINITY) : Math.sqrt(difference / size);
  });
}

/** A copy whose values are moved by up to half of the last bit of half precision, at random. */
export function disturbed(rows: Float32Array, random: Pick<Random, 'float'>): Float32Array {
  return rows.map((value) => value * (1 + DISTURBANCE * (2 * random.float() - 1)));
}

export interface Measured {
  /** Relative error of the claim against what came of the same input: the median of rows, of equal builds the largest. */
  readonly error: number;
  /** Median over rows: how much further from the mean of the copies the claim lies than they do; null: not needed. */
  readonly noise: number | null;
  /** Median slope of the claim's rows on the mean, minus 1; null: not needed. */
  readonly scale: number | null;
  /** Largest of the ratios whose median is `noise`. */
  readonly worst: number | null;
}

export interface Comparison {
  readonly agrees: boolean;
  readonly measured: Measured;
  /** What `measured` was held to. */
  readonly tolerance: {
    readonly error: number;
    readonly noise: number | null;
    readonly scale: number | null;
  };
  readonly why: string | null;
  /** Where noise is such that a small lie can hide in it. */
  readonly tails?: Tails;
}

/** How far rows lie from the mean of copies: multiples of how far those do. */
export interface Tails {
  /** Of the claim, for each row. */
  readonly claim: readonly number[];
  /** Of each copy, from the mean of the others, for each row. */
  readonly copies: readonly number[];
}

/**
 * Judges equal inputs in passes of equal shapes, computed on the same build.
 * @param claim rows × width, finite
 */
export function compareSame(claim: Float32Array, own: Float32Array, width: number): Comparison {
  const errors = relativeErrors(claim, own, width);
  const most = errors.reduce((a, b) => Math.max(a, b), 0);
  return {
    agrees: most <= SAME,
    measured: { error: most, noise: null, scale: null, worst: null },
    tolerance: { error: SAME, noise: null, scale: null },
    why: most <= SAME ? null : `rows differ by up to ${percent(most)} where equal builds give equal rows`,
  };
}

/**
 * Judges a claim by what came of the same input and of disturbed copies of it.
 *
 * The mean is that of the copies alone: what came of the very same input may share roundings with the claim, and would make it
 * seem nearer than it is.
 *
 * @param copies at least two, each rows × width
 */
export function compare(
  claim: Float32Array,
  own: Float32Array,
  copies: readonly Float32Array[],
  width: number,
): Comparison {
  const count = copies.length;
  const sum = new Float64Array(own.length);
  for (const copy of copies) for (let i = 0; i < copy.length; i++) sum[i]! += copy[i]!;
  const noises: number[] = [];
  const sizes: number[] = [];
  const slopes: number[] = [];
  const theirSizes: number[] = [];
  const ofCopies: number[] = [];
  let wild: number | null = null;
  for (const [row, at] of rowsOf(own.length, width).entries()) {
    let size = 0;
    let away = 0;
    let along = 0;
    let spread = 0;
    const each = new Float64Array(count);
    for (let i = at; i < at + width; i++) {
      const mean = sum[i]! / count;
      size += mean * mean;
      along += mean * claim[i]!;
      away += (claim[i]! - mean) ** 2;
      for (let c = 0; c < count; c++) each[c]! += (copies[c]![i]! - mean) ** 2;
    }
    for (const one of each) spread += one;
    // Sums over the row of the variance of one value: of the copies about their mean, and of the claim about one it has no part in.
    const theirs = spread / (count - 1);
    const its = away / (1 + 1 / count);
    // Copies that are nearly equal say little: below what is negligible nothing is looked at.
    const floor = Math.max(theirs, size * (NEGLIGIBLE / 4) ** 2, Number.MIN_VALUE);
    const noise = Math.sqrt(its / floor);
    const relative = size === 0 ? (its === 0 ? 0 : Number.POSITIVE_INFINITY) : Math.sqrt(its / size);
    noises.push(noise);
    theirSizes.push(size === 0 ? 0 : Math.sqrt(theirs / size));
    if (count > 2) for (const one of each) ofCopies.push(leftOut(one, spread, count));
    sizes.push(relative);
    if (size > 0) slopes.push(along / size - 1);
    if (noise > ROW_BOUND && relative > ROW_LEAST && (wild === null || noise > noises[wild]!)) wild = row;
  }
  const noise = median(noises);
  const noiseBound = NOISE_BOUND + NOISE_ERRORS * standardError(noises);
  const scale = median(slopes);
  const scaleBound = Math.max(NEGLIGIBLE, SCALE_ERRORS * standardError(slopes));
  const isMany = noises.length >= SOME_ROWS;
  const why =
    isMany && noise > noiseBound && median(sizes) > NEGLIGIBLE
      ? `rows lie ${noise.toFixed(2)} times as far from the mean as copies of the same input do`
      : isMany && Math.abs(scale) > scaleBound
        ? `rows are ${percent(scale)} too large`
        : wild !== null
          ? `row ${wild} lies ${percent(sizes[wild]!)} away, ${noises[wild]!.toFixed(1)} times as far as copies of the same input`
          : null;
  const error = median(relativeErrors(claim, own, width));
  return {
    agrees: why === null,
    measured: { error, noise, scale, worst: Math.max(...noises) },
    tolerance: { error: NEGLIGIBLE, noise: noiseBound, scale: scaleBound },
    why,
    ...(median(theirSizes) > NEGLIGIBLE && { tails: { claim: noises, copies: ofCopies } }),
  };
}

/**
 * How far one copy lies from the mean of the others, as a multiple of how far those lie from each other.
 * @param away sum of squares of its distance from the mean of all `count`
 * @param spread of all of them
 */
function leftOut(away: number, spread: number, count: number): number {
  // From the others' mean it is count / (count - 1) times as far, and without it their spread is less by that much.
  const others = (spread - (away * count) / (count - 1)) / (count - 2);
  const its = (away * (count / (count - 1)) ** 2) / (1 + 1 / (count - 1));
  return Math.sqrt(its / Math.max(others, Number.MIN_VALUE));
}

/** Of a median: that of a mean by the factor of a normal distribution, from the middle half so that wild rows do not widen it. */
function standardError(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const quartiles = sorted[Math.floor(sorted.length * 0.75)]! - sorted[Math.floor(sorted.length / 4)]!;
  return (1.2533 * (quartiles / 1.349)) / Math.sqrt(values.length);
}

export function median(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const rowsOf = (values: number, width: number): number[] =>
  Array.from({ length: values / width }, (_, row) => row * width);

const percent = (share: number): string => `${(share * 100).toPrecision(2)} %`;
