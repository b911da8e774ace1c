/**
 * Joins neighbouring symbols of a text, best pair first: the common half of SentencePiece BPE and byte-level BPE.
 *
 * Symbols are spans of one string in a doubly linked list; candidate pairs wait in a binary heap, ordered by rank
 * (lower first), then by position. A pair whose sides have changed since is dropped when it comes up. O(n log n).
 *
 * @module engine/tokenizer/merge-queue
 */

import { STEP } from './limits.ts';

/** Work in steps of some milliseconds, and its result. */
export type Steps<T> = Generator<undefined, T, undefined>;

/** Rank of joining `text[left, middle)` with `text[middle, right)`: lower is earlier; NaN = not at all. */
export type RankOf = (text: string, left: number, middle: number, right: number) => number;

/** Binary heap of pairs in flat arrays: a pair is its rank, left symbol and the end of its right symbol. */
class PairHeap {
  #ranks = new Float64Array(64);
  #lefts = new Int32Array(64);
  #rights = new Int32Array(64);
  #ends = new Int32Array(64);
  size = 0;
  rank = 0;
  left = 0;
  right = 0;
  end = 0;

  push(rank: number, left: number, right: number, end: number): void {
    if (this.size === this.#ranks.length) this.#grow();
    let at = this.size++;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (!this.#before(rank, left, up)) break;
      this.#move(at, up);
      at = up;
    }
    this.#set(at, rank, left, right, end);
  }

  /** Takes the first pair into `rank`, `left`, `right`, `end`. */
  pop(): boolean {
    if (this.size === 0) return false;
    this.rank = this.#ranks[0]!;
    this.left = this.#lefts[0]!;
    this.right = this.#rights[0]!;
    this.end = this.#ends[0]!;
    const last = --this.size;
    if (last > 0) {
      const rank = this.#ranks[last]!;
      const left = this.#lefts[last]!;
      let at = 0;
      for (;;) {
        let child = 2 * at + 1;
        if (child >= last) break;
        const other = child + 1;
        if (other < last && this.#before(this.#ranks[other]!, this.#lefts[other]!, child)) child = other;
        if (this.#before(rank, left, child)) break;
        this.#move(at, child);
        at = child;
      }
      this.#set(at, rank, left, this.#rights[last]!, this.#ends[last]!);
    }
    return true;
  }

  #before(rank: number, left: number, place: number): boolean {
    const other = this.#ranks[place]!;
    return rank < other || (rank === other && left < this.#lefts[place]!);
  }

  #move(to: number, from: number): void {
    this.#set(to, this.#ranks[from]!, this.#lefts[from]!, this.#rights[from]!, this.#ends[from]!);
  }

  #set(at: number, rank: number, left: number, right: number, end: number): void {
    this.#ranks[at] = rank;
    this.#lefts[at] = left;
    this.#rights[at] = right;
    this.#ends[at] = end;
  }

  #grow(): void {
    const length = this.#ranks.length * 2;
    const ranks = new Float64Array(length);
    ranks.set(this.#ranks);
    this.#ranks = ranks;
    const grown = (old: Int32Array): Int32Array<ArrayBuffer> => {
      const array = new Int32Array(length);
      array.set(old);
      return array;
    };
    this.#lefts = grown(this.#lefts);
    this.#rights = grown(this.#rights);
    this.#ends = grown(this.#ends);
  }
}

/**
 * Starts with one symbol per code point and calls back with the span of each final symbol, in order. Yields now and then,
 * so that a long text can be left for a while.
 */
export function* mergeSymbols(
  text: string,
  rankOf: RankOf,
  symbol: (start: number, end: number) => void,
): Steps<void> {
  const most = text.length;
  if (most === 0) return;
  const starts = new Int32Array(most);
  // End of a symbol; 0 once it was joined to the one on its left.
  const ends = new Int32Array(most);
  const previous = new Int32Array(most);
  const following = new Int32Array(most);
  let count = 0;
  for (let i = 0; i < most; count++) {
    if (count % STEP === STEP - 1) yield;
    starts[count] = i;
    i += text.codePointAt(i)! > 0xffff ? 2 : 1;
    ends[count] = i;
    previous[count] = count - 1;
    following[count] = i < most ? count + 1 : -1;
  }
  const heap = new PairHeap();
  const consider = (left: number, right: number): void => {
    if (left < 0 || right < 0) return;
    const rank = rankOf(text, starts[left]!, starts[right]!, ends[right]!);
    if (!Number.isNaN(rank)) heap.push(rank, left, right, ends[right]!);
  };
  for (let i = 1; i < count; i++) {
    if (i % STEP === 0) yield;
    consider(i - 1, i);
  }
  for (let step = 1; heap.pop(); step++) {
    if (step % STEP === 0) yield;
    const { left, right, end } = heap;
    // Stale: a side is gone, or the right side has grown. (The left grows only by taking the right.)
    if (ends[left] === 0 || ends[right] !== end) continue;
    ends[left] = end;
    ends[right] = 0;
    const after = following[right]!;
    following[left] = after;
    if (after >= 0) previous[after] = left;
    consider(previous[left]!, left);
    consider(left, after);
  }
  for (let i = 0, step = 1; i >= 0; i = following[i]!, step++) {
    if (step % STEP === 0) yield;
    symbol(starts[i]!, ends[i]!);
  }
}
