/**
 * Where a score stands among the newest scores: 0 below all, 1 above all. Makes scores of different kinds comparable
 * and follows when the prompts change.
 *
 * @module gateway/router/rank-window
 */

export const RANK_WINDOW = 1024;

export class RankWindow {
  readonly #capacity: number;
  /** By age, the oldest at `#next` once full. */
  readonly #ring: Float64Array;
  /** The same, ascending. */
  readonly #sorted: Float64Array;
  #size = 0;
  #next = 0;

  /** @param scores The first to hold, oldest first. @param capacity Scores held. @default 1024 */
  constructor(scores: ArrayLike<number> = [], capacity = RANK_WINDOW) {
    this.#capacity = capacity;
    this.#ring = new Float64Array(capacity);
    this.#sorted = new Float64Array(capacity);
    for (let at = 0; at < scores.length; at++) this.add(scores[at]!);
  }

  get size(): number {
    return this.#size;
  }

  /** Share of the scores held that are lower, equal ones counting half; 0.5 while none is held. */
  rank(score: number): number {
    if (this.#size === 0) return 0.5;
    return (this.#below(score, false) + this.#below(score, true)) / (2 * this.#size);
  }

  add(score: number): void {
    if (Number.isNaN(score)) return;
    const sorted = this.#sorted;
    if (this.#size === this.#capacity) {
      const gone = this.#below(this.#ring[this.#next]!, false);
      sorted.copyWithin(gone, gone + 1, this.#size--);
    }
    const at = this.#below(score, true);
    sorted.copyWithin(at + 1, at, this.#size++);
    sorted[at] = score;
    this.#ring[this.#next] = score;
    this.#next = (this.#next + 1) % this.#capacity;
  }

  /** Scores held, oldest first. */
  scores(): Float64Array {
    if (this.#size < this.#capacity) return this.#ring.slice(0, this.#size);
    const all = new Float64Array(this.#capacity);
    all.set(this.#ring.subarray(this.#next));
    all.set(this.#ring.subarray(0, this.#next), this.#capacity - this.#next);
    return all;
  }

  /** Scores lower than `score`, or not higher when `orEqual`. */
  #below(score: number, orEqual: boolean): number {
    let low = 0;
    let high = this.#size;
    while (low < high) {
      const middle = (low + high) >> 1;
      const value = this.#sorted[middle]!;
      if (value < score || (orEqual && value === score)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
