/**
 * How the sides did on the most similar prompts with a known outcome: the k nearest by cosine, all compared. Holds the
 * newest prompts only, in memory that is taken once.
 *
 * @module gateway/router/neighbours
 */
import type { Example, Features, Head } from './types.ts';

export interface NeighboursOptions {
  readonly dimension: number;
  /** Prompts kept. @default 10000 */
  readonly capacity?: number;
  /** Neighbours asked. @default 100 */
  readonly k?: number;
}

export const NEIGHBOURS_CAPACITY = 10_000;
/** Fewer known outcomes of a side among the neighbours than this tell nothing. */
const MIN_KNOWN = 5;

export class Neighbours implements Head {
  readonly #dimension: number;
  readonly #capacity: number;
  readonly #k: number;
  /** Row-major, capacity x dimension. */
  readonly #rows: Float32Array;
  /** Local and frontier outcome of each row; NaN where unknown, both in an empty row. */
  readonly #outcomes: Float32Array;
  /** Rows from here on were never written. */
  #end = 0;
  #next = 0;
  #size = 0;
  /** The nearest so far, as a heap with the farthest on top. */
  readonly #nearest: Float64Array;
  readonly #indices: Uint32Array;
  #found = 0;
  readonly #query: Float64Array;
  readonly #similarities: Float64Array;

  constructor({ dimension, capacity = NEIGHBOURS_CAPACITY, k = 100 }: NeighboursOptions) {
    this.#dimension = dimension;
    this.#capacity = capacity;
    this.#k = k;
    this.#rows = new Float32Array(capacity * dimension);
    this.#outcomes = new Float32Array(2 * capacity).fill(Number.NaN);
    this.#nearest = new Float64Array(k);
    this.#indices = new Uint32Array(k);
    this.#query = new Float64Array(dimension);
    this.#similarities = new Float64Array(capacity);
  }

  /** Prompts held now. */
  get size(): number {
    return this.#size;
  }

  /** Adds a prompt in place of the oldest; one without a fitting vector is left out. */
  learn(example: Example): void {
    this.put(this.#next, example);
  }

  /**
   * Adds the prompt with this number, in place of the one whose number is lower by the capacity. Where a prompt stands
   * depends on its number alone, so that the same prompts give the same answers however they came here.
   */
  put(number: number, { features: { vector }, outcome }: Example): void {
    this.#next = number + 1;
    if (vector === null || vector.length !== this.#dimension) return;
    if (outcome.local === null && outcome.frontier === null) return;
    const row = number % this.#capacity;
    if (this.#isEmpty(row)) this.#size++;
    this.#rows.set(vector, row * this.#dimension);
    this.#outcomes[2 * row] = outcome.local ?? Number.NaN;
    this.#outcomes[2 * row + 1] = outcome.frontier ?? Number.NaN;
    this.#end = Math.max(this.#end, row + 1);
  }

  gain({ vector }: Features): number | null {
    if (vector === null || vector.length !== this.#dimension) return null;
    this.#search(vector);
    const sums = [0, 0];
    const known = [0, 0];
    for (let at = 0; at < this.#found; at++) {
      for (let side = 0; side < 2; side++) {
        const outcome = this.#outcomes[2 * this.#indices[at]! + side]!;
        if (Number.isNaN(outcome)) continue;
        sums[side]! += outcome;
        known[side]!++;
      }
    }
    if (Math.min(known[0]!, known[1]!) < MIN_KNOWN) return null;
    return sums[1]! / known[1]! - sums[0]! / known[0]!;
  }

  #isEmpty(row: number): boolean {
    return Number.isNaN(this.#outcomes[2 * row]!) && Number.isNaN(this.#outcomes[2 * row + 1]!);
  }

  /** Fills the first `#found` of `#indices` with the nearest rows, in no order. */
  #search(vector: Float32Array): void {
    this.#found = 0;
    this.#query.set(vector);
    compare(this.#rows, this.#query, this.#end, this.#similarities);
    for (let row = 0; row < this.#end; row++) this.#offer(row, this.#similarities[row]!);
  }

  #offer(row: number, similarity: number): void {
    if (this.#found === this.#k) {
      if (similarity > this.#nearest[0]! && !this.#isEmpty(row)) this.#sink(this.#k, similarity, row);
    } else if (!this.#isEmpty(row)) this.#rise(this.#found++, similarity, row);
  }

  #rise(at: number, similarity: number, row: number): void {
    const heap = this.#nearest;
    let place = at;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (heap[parent]! <= similarity) break;
      heap[place] = heap[parent]!;
      this.#indices[place] = this.#indices[parent]!;
      place = parent;
    }
    heap[place] = similarity;
    this.#indices[place] = row;
  }

  #sink(count: number, similarity: number, row: number): void {
    const heap = this.#nearest;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= count) break;
      if (child + 1 < count && heap[child + 1]! < heap[child]!) child++;
      if (heap[child]! >= similarity) break;
      heap[place] = heap[child]!;
      this.#indices[place] = this.#indices[child]!;
      place = child;
    }
    heap[place] = similarity;
    this.#indices[place] = row;
  }
}

/**
 * Similarity of the first `count` rows to the query. Four rows at a time against a query in double precision is the
 * fastest of the ways tried in V8 (1.5 ms for 10,000 x 384): it multiplies doubles only, so that each number read as
 * single precision costs a conversion. A function of its own, since the selection between the rows made it half as fast.
 */
function compare(rows: Float32Array, query: Float64Array, count: number, out: Float64Array): void {
  const dimension = query.length;
  const blocks = count - (count % 4);
  // `| 0` says that no index leaves 32 bits, which saves a check each.
  let first = 0;
  for (let row = 0; row < blocks; row += 4) {
    const second = (first + dimension) | 0;
    const third = (second + dimension) | 0;
    const fourth = (third + dimension) | 0;
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let at = 0; at < dimension; at++) {
      const value = query[at]!;
      a += rows[(first + at) | 0]! * value;
      b += rows[(second + at) | 0]! * value;
      c += rows[(third + at) | 0]! * value;
      d += rows[(fourth + at) | 0]! * value;
    }
    first = (fourth + dimension) | 0;
    out[row] = a;
    out[row + 1] = b;
    out[row + 2] = c;
    out[row + 3] = d;
  }
  for (let row = blocks; row < count; row++) {
    let sum = 0;
    for (let at = 0; at < dimension; at++) sum += rows[row * dimension + at]! * query[at]!;
    out[row] = sum;
  }
}
