/**
 * Vectors in 4 bits a number, for a search that fetches little: fewer dimensions first, then one step for each of them.
 *
 * A number lies in one of 16 intervals about the mean of its dimension, 0.3352 standard deviations wide each: the best uniform
 * division for what is spread normally (Max, "Quantizing for Minimum Distortion", IRE Transactions on Information Theory 6, 1960,
 * table II). Steps by dimension, since the first components are spread many times as far as the last; about the mean, since the first one
 * of embeddings is nearly the same for all.
 *
 * @module vault/compact/codes
 */
import { fitProjection, type Projection, project } from '../vectors/pca.ts';

/**
 * Dimensions that many vectors are brought to at least, and how many those are: for fewer the components would outweigh the codes. Where
 * so few would leave out more than a part of the squared lengths, there are more of them, by steps: else many of the best would have to be
 * computed exactly, and their parts read, for each question.
 */
export const COMPACT_DIMENSIONS = 192;
export const COMPACT_FROM = 2048;
const DIMENSION_STEP = 64;
const KEPT = 0.92;
/** Vectors by which that is measured. */
const MEASURED = 1000;
/** Components that fit into one object. */
const MOST_COMPONENTS = 1_400_000;
const STEP = 0.3352;
const MIDDLE = 8;
/** Full scale of a component as it is kept: they are within ±1. */
const FULL = 32_767;

export interface CodeFit {
  /** Null: all dimensions are kept. */
  readonly projection: Projection | null;
  readonly from: number;
  readonly to: number;
  /** By dimension, `to` of each. */
  readonly means: Float32Array;
  readonly steps: Float32Array;
  /** The part of the squared lengths that is lost, over the vectors that it was made from. */
  readonly error: number;
}

export const codeBytes = ({ to }: Pick<CodeFit, 'to'>): number => Math.ceil(to / 2);

/**
 * @param vectors row-major, a sample of at most some 10,000, one at least
 * @param all how many there are
 */
export function fitCodes(vectors: Float32Array, from: number, all: number): CodeFit {
  const projection = all < COMPACT_FROM || from <= COMPACT_DIMENSIONS ? null : strongest(vectors, from);
  const to = projection?.to ?? from;
  const count = vectors.length / from;
  const sums = new Float64Array(to);
  const squares = new Float64Array(to);
  const small = new Float32Array(count * to);
  for (let i = 0; i < count; i++) {
    const own = small.subarray(i * to, (i + 1) * to);
    lowered({ projection, from }, vectors.subarray(i * from, (i + 1) * from), own);
    for (let j = 0; j < to; j++) sums[j]! += own[j]!;
  }
  for (let i = 0; i < small.length; i++) squares[i % to]! += (small[i]! - sums[i % to]! / count) ** 2;
  const fit: Omit<CodeFit, 'error'> = {
    ...{ projection, from, to, means: Float32Array.from(sums, (sum) => sum / count) },
    steps: Float32Array.from(squares, (square) => STEP * Math.sqrt(square / count)),
  };
  const measured = someOf(vectors, from);
  const { error } = encodeVectors({ ...fit, error: 0 }, measured);
  return { ...fit, error: (error * from) / measured.length };
}

/** An even selection. */
function someOf(vectors: Float32Array, from: number): Float32Array {
  const count = vectors.length / from;
  const taken = Math.min(count, MEASURED);
  const some = new Float32Array(taken * from);
  for (let i = 0; i < taken; i++) {
    const at = Math.floor((i * count) / taken) * from;
    some.set(vectors.subarray(at, at + from), i * from);
  }
  return some;
}

/** The strongest components, as many as keep enough; null when nearly all would be wanted. */
function strongest(vectors: Float32Array, from: number): Projection | null {
  const most = Math.min(from, Math.floor(MOST_COMPONENTS / from));
  const whole = fitProjection(vectors, from, most);
  const some = someOf(vectors, from);
  const squares = new Float64Array(most);
  let all = 0;
  const own = new Float32Array(most);
  for (let i = 0; i < some.length; i += from) {
    const vector = some.subarray(i, i + from);
    project(whole, vector, own);
    for (let j = 0; j < most; j++) squares[j]! += own[j]! ** 2;
    for (const value of vector) all += value * value;
  }
  let kept = 0;
  let to = 0;
  for (; to < most; to++) {
    if (to >= COMPACT_DIMENSIONS && to % DIMENSION_STEP === 0 && kept >= KEPT * all) break;
    kept += squares[to]!;
  }
  if (to >= from) return null;
  return rounded({
    from,
    to,
    rows: whole.rows.slice(0, to * from),
    kept: all === 0 ? 1 : Math.min(1, kept / all),
  });
}

/** As it is kept and read again: who makes codes and who searches have the same. */
const rounded = (projection: Projection): Projection => ({
  ...projection,
  rows: unpackRows(packRows(projection.rows)),
});

/** 16 bits a component, little-endian. */
export function packRows(rows: Float32Array): Uint8Array {
  const out = Buffer.alloc(rows.length * 2);
  for (const [i, value] of rows.entries())
    out.writeInt16LE(Math.max(-FULL, Math.min(FULL, Math.round(value * FULL))), i * 2);
  return out;
}

export function unpackRows(bytes: Uint8Array): Float32Array {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return Float32Array.from({ length: bytes.length >> 1 }, (_, i) => view.readInt16LE(i * 2) / FULL);
}

/** A vector in the dimensions of the codes. */
export function lowered(
  { projection, from }: Pick<CodeFit, 'projection' | 'from'>,
  vector: Float32Array,
  out?: Float32Array<ArrayBuffer>,
): Float32Array {
  if (projection !== null) return project(projection, vector, out);
  const made = out ?? new Float32Array(from);
  made.set(vector.subarray(0, from));
  return made;
}

/**
 * Codes, row behind row: two numbers a byte, the lower half first.
 *
 * @param vectors row-major, count × from @returns `error`: the sum over all vectors of the part of their squared lengths that is lost
 */
export function encodeVectors(
  fit: CodeFit,
  vectors: Float32Array,
): { readonly codes: Uint8Array; readonly error: number } {
  const { from, to, means, steps } = fit;
  const width = codeBytes(fit);
  const count = vectors.length / from;
  const codes = new Uint8Array(count * width);
  const own = new Float32Array(to);
  let error = 0;
  for (let i = 0; i < count; i++) {
    const vector = vectors.subarray(i * from, (i + 1) * from);
    lowered(fit, vector, own);
    let length = 0;
    for (const value of vector) length += value * value;
    let lost = length;
    for (let j = 0; j < to; j++) {
      const step = steps[j]!;
      const value = own[j]!;
      const code = step > 0 ? Math.floor((value - means[j]!) / step) : 0;
      const bits = Math.max(0, Math.min(15, (Number.isFinite(code) ? code : 0) + MIDDLE));
      codes[i * width + (j >> 1)]! |= bits << ((j & 1) * 4);
      // Rows of the projection are orthonormal: what it leaves out is what is missing of the length.
      lost += (value - numberOf(bits, means[j]!, step)) ** 2 - value * value;
    }
    if (length > 0) error += Math.max(0, lost) / length;
  }
  return { codes, error };
}

const numberOf = (bits: number, mean: number, step: number): number => mean + (bits - MIDDLE + 0.5) * step;

/** @param codes of one vector */
export function decodeVector(
  { to, means, steps }: CodeFit,
  codes: Uint8Array,
  out = new Float32Array(to),
): Float32Array {
  for (let j = 0; j < to; j++)
    out[j] = numberOf((codes[j >> 1]! >> ((j & 1) * 4)) & 15, means[j]!, steps[j]!);
  return out;
}
