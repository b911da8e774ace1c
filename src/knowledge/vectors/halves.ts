/**
 * Components in two halves, so that a scan reads the upper ones of all rows, and the lower ones of few.
 *
 * Of a piece of 64 components, A are the first 32 and B the other. With x = 16 × high + low (high -8..7, low 0..15), coarse byte j is
 * 16 × high(A_j) + (high(B_j) + 8), and fine byte j is low(A_j) + 16 × low(B_j). The kernel multiplies a coarse byte as it is with A's
 * component of the query: what B has in its lower bits is an error there like any other, and costs no instruction. With n = high(B_j) + 8:
 *
 *     row · query = Σ q_A byte + 16 Σ q_B n - 120 Σ q_B  +  Σ q_A (low(A) - n) + Σ q_B (low(B) - 8)
 *
 * The last two sums are a product of the query with what coarse bytes leave out, `rest`, hence at most |query| × |rest| (Cauchy and
 * Schwarz). All are integers. A row whose coarse sum plus that bound stays below what a hit needs cannot be one.
 *
 * @module knowledge/vectors/halves
 */
import { HALF_PIECE, PIECE, WEAVE_BYTES } from './layout.ts';

export interface Halves {
  /** Sum of the coarse bytes. */
  readonly sum: number;
  /** Length of what they leave out, rounded up. */
  readonly rest: number;
}

/** More than what two roundings to 32 bits and their product can take away. */
const ROUNDED_UP = 1 + 2 ** -20;

/** A length that is no less than √square after rounding to 32 bits, nor is the product of two such. */
export const lengthOf = (square: number): number => Math.fround(Math.sqrt(square) * ROUNDED_UP);

/** Writes a row's halves: its coarse pieces from `coarse` on, woven, its fine ones from `fine` on. */
export function writeHalves(row: Int8Array, bytes: Int8Array, coarse: number, fine: number): Halves {
  let sum = 0;
  let square = 0;
  let to = coarse;
  let low = fine;
  for (let from = 0; from < row.length; from += PIECE, to += WEAVE_BYTES, low += HALF_PIECE) {
    for (let j = 0; j < HALF_PIECE; j++) {
      const a = from + j < row.length ? row[from + j]! : 0;
      const b = from + j + HALF_PIECE < row.length ? row[from + j + HALF_PIECE]! : 0;
      const n = (b >> 4) + 8;
      const byte = (a & ~15) | n;
      bytes[to + j] = byte;
      bytes[low + j] = (a & 15) | ((b & 15) << 4);
      sum += byte;
      const restA = (a & 15) - n;
      const restB = (b & 15) - 8;
      square += restA * restA + restB * restB;
    }
  }
  return { sum, rest: lengthOf(square) };
}

/** The product of a row with a query of as many whole pieces. */
export function product(bytes: Int8Array, coarse: number, fine: number, query: Int16Array): number {
  let sum = 0;
  let [upper, lower] = [coarse, fine];
  for (let at = 0; at < query.length; at += PIECE, upper += WEAVE_BYTES, lower += HALF_PIECE) {
    for (let j = 0; j < HALF_PIECE; j++) {
      const high = bytes[upper + j]!;
      const low = bytes[lower + j]!;
      sum += ((high & ~15) | (low & 15)) * query[at + j]!;
      sum += ((((high & 15) - 8) << 4) | ((low >> 4) & 15)) * query[at + j + HALF_PIECE]!;
    }
  }
  return sum;
}
