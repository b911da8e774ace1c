/**
 * Sums of values some of which may be unknown.
 *
 * @module base/totals
 */

/** Null when any value is unknown: a sum of the others would pass for the whole. 0 for no values. */
export function totalOf(values: readonly (number | null)[]): number | null {
  let sum = 0;
  for (const value of values) {
    if (value === null) return null;
    sum += value;
  }
  return sum;
}
