/**
 * Vectors as small whole numbers whose products cannot leave the range of a score.
 *
 * @module vault/split/quantise
 */
import { SCALE } from './parameters.ts';

/** Longest length that a vector of whole numbers may have: 45 x 45 = 2025 is within ±2047. */
export const MAX_LENGTH = 45;

/**
 * Each number times 38, rounded. Vectors longer than 1 are shortened to it. Where rounding made one too long (192 numbers that
 * all round away from zero make 44.9 of 38) a smaller scale is taken.
 */
export function quantise(vector: Float32Array): Int8Array {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const length = Math.sqrt(squares);
  const out = new Int8Array(vector.length);
  for (let scale = SCALE / Math.max(1, length); ; scale *= 0.98) {
    let made = 0;
    for (let i = 0; i < vector.length; i++) {
      const value = Math.round(vector[i]! * scale);
      out[i] = value;
      made += value * value;
    }
    if (made <= MAX_LENGTH * MAX_LENGTH) return out;
  }
}
