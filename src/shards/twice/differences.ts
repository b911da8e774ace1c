/**
 * Rows that were computed twice, by peers that have nothing to do with each other, held against each other.
 *
 * Equal builds give equal rows. Of others nobody knows beforehand how far honest rows lie apart, so what differs is open until it
 * was audited: the first row at once, for equal builds have none; then when there are enough rows for the rule of mixed
 * builds to tell noise from a lie. What was found right then is the measure of what is let pass from there on.
 *
 * @module shards/twice/differences
 */
import { relativeErrors, SAME } from '../audit/compare.ts';

/** So far apart no two honest machines are (measured: 3.1 % at most, on 2-bit weights). */
const GROSS = 0.1;
/** Open rows from which on a judgement says what is honest. */
const ENOUGH = 16;
/** Then it is asked again after so many times as many. */
const GROWTH = 4;
/** Of what was found right. */
const MARGIN = 1.5;

export class Differences {
  #tolerance = SAME;
  #open = 0;
  #largest = 0;
  #due = 1;

  /** What two honest rows differ by at most, as far as is known: relative error of a row. */
  get tolerance(): number {
    return this.#tolerance;
  }

  /**
   * Takes the rows of a step as they came of the two.
   * @returns the row that lies farthest apart, when it is time to find out why; else null
   */
  take(a: Float32Array, b: Float32Array, width: number): number | null {
    let worst: number | null = null;
    const errors = relativeErrors(a, b, width);
    for (const [row, error] of errors.entries()) {
      if (error <= this.#tolerance) continue;
      this.#open++;
      this.#largest = Math.max(this.#largest, error);
      if (worst === null || error > errors[worst]!) worst = row;
    }
    if (worst === null || (this.#open < this.#due && errors[worst]! <= GROSS)) return null;
    return worst;
  }

  /** What was open was audited. @param right all of it was found right; false: that could not be told */
  judged(right: boolean): void {
    this.#due = Math.max(ENOUGH, this.#open * GROWTH);
    if (!right || this.#open < ENOUGH) return;
    this.#tolerance = Math.min(GROSS, Math.max(this.#tolerance, this.#largest * MARGIN));
    this.#settled();
  }

  /** Who was wrong is found and gone. */
  found(): void {
    this.#due = 1;
    this.#settled();
  }

  #settled(): void {
    this.#open = 0;
    this.#largest = 0;
  }
}
