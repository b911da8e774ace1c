/**
 * The best k of what comes by, in order: larger scores first, then smaller numbers. What comes out does not depend on the
 * order in which it came in.
 *
 * @module knowledge/vectors/best
 */
export class Best {
  readonly limit: number;
  readonly #numbers: Float64Array<ArrayBuffer>;
  readonly #scores: Float64Array<ArrayBuffer>;
  #size = 0;

  constructor(limit: number) {
    this.limit = limit;
    this.#numbers = new Float64Array(limit);
    this.#scores = new Float64Array(limit);
  }

  get size(): number {
    return this.#size;
  }

  /** What a score must reach to get in. */
  get threshold(): number {
    return this.#size < this.limit ? Number.NEGATIVE_INFINITY : this.#scores[this.limit - 1]!;
  }

  take(number: number, score: number): void {
    const numbers = this.#numbers;
    const scores = this.#scores;
    const isFull = this.#size === this.limit;
    const last = this.#size - 1;
    if (isFull && !precedes(score, number, scores[last]!, numbers[last]!)) return;
    let low = 0;
    let high = this.#size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (precedes(score, number, scores[middle]!, numbers[middle]!)) high = middle;
      else low = middle + 1;
    }
    const moved = isFull ? last : this.#size;
    numbers.copyWithin(low + 1, low, moved);
    scores.copyWithin(low + 1, low, moved);
    numbers[low] = number;
    scores[low] = score;
    if (!isFull) this.#size++;
  }

  numbers(): Float64Array<ArrayBuffer> {
    return this.#numbers.slice(0, this.#size);
  }

  scores(): Float64Array<ArrayBuffer> {
    return this.#scores.slice(0, this.#size);
  }
}

function precedes(score: number, number: number, otherScore: number, otherNumber: number): boolean {
  return score > otherScore || (score === otherScore && number < otherNumber);
}
