/**
 * Hidden states as bytes. Little-endian, row-major.
 *
 * | type | bytes of n values in rows of `width` |
 * |---|---|
 * | `f32` | 4 n |
 * | `f16` | 2 n, IEEE 754 binary16 |
 * | `i8`  | a scale in binary16 for each 32 values of a row (the last of a row may have fewer), then n signed bytes; value = scale × byte |
 *
 * Residual streams have single values 50 to 250 times the root mean square, so that one scale for a whole row loses the
 * others; in blocks of 32 the error stays under 1 % of it.
 *
 * @module shards/wire/activations
 */
import type { ActivationType } from '../types.ts';

export const SCALE_BLOCK = 32;
/** Largest value of binary16. */
const F16_MAX = 65504;

/** Bytes of `rows` rows of `width` values. */
export function activationBytes(type: ActivationType, rows: number, width: number): number {
  const values = rows * width;
  if (type === 'f32') return values * 4;
  if (type === 'f16') return values * 2;
  return rows * Math.ceil(width / SCALE_BLOCK) * 2 + values;
}

/** True when a value would become infinite in binary16, or its block's scale would. */
export function overflows(values: Float32Array, type: ActivationType): boolean {
  if (type === 'f32') return false;
  const limit = type === 'f16' ? F16_MAX : F16_MAX * 127;
  for (let i = 0; i < values.length; i++) if (Math.abs(values[i]!) > limit) return true;
  return false;
}

/**
 * Writes `values` to `into` from `at` on, which must be a multiple of 4.
 * @param type one that does not overflow
 */
export function writeActivations(
  type: ActivationType,
  values: Float32Array,
  width: number,
  into: Uint8Array,
  at: number,
): void {
  const offset = into.byteOffset + at;
  if (type === 'f32') {
    new Float32Array(into.buffer, offset, values.length).set(values);
    return;
  }
  if (type === 'f16') {
    new Float16Array(into.buffer, offset, values.length).set(values);
    return;
  }
  const perRow = Math.ceil(width / SCALE_BLOCK);
  const rows = values.length / width;
  const scales = new Float16Array(into.buffer, offset, rows * perRow);
  const bytes = new Int8Array(into.buffer, offset + scales.byteLength, values.length);
  for (let row = 0; row < rows; row++)
    for (let block = 0; block < perRow; block++) {
      const from = row * width + block * SCALE_BLOCK;
      const to = Math.min(from + SCALE_BLOCK, (row + 1) * width);
      let most = 0;
      for (let i = from; i < to; i++) most = Math.max(most, Math.abs(values[i]!));
      scales[row * perRow + block] = most / 127;
      // What the reader multiplies with, not what was divided by.
      const scale = scales[row * perRow + block]!;
      if (scale === 0) bytes.fill(0, from, to);
      else
        for (let i = from; i < to; i++)
          bytes[i] = Math.max(-127, Math.min(127, Math.round(values[i]! / scale)));
    }
}

/** The values of `rows` rows that `writeActivations` wrote from `at` on. Never reads past `activationBytes`. */
export function readActivations(
  type: ActivationType,
  rows: number,
  width: number,
  from: Uint8Array,
  at: number,
): Float32Array {
  const offset = from.byteOffset + at;
  const count = rows * width;
  if (type === 'f32') {
    // A copy, so that the message's buffer can go.
    const values = new Float32Array(count);
    new Uint8Array(values.buffer).set(from.subarray(at, at + count * 4));
    return values;
  }
  if (type === 'f16') {
    const part = aligned(from, at, count * 2, 2);
    return new Float32Array(new Float16Array(part.buffer, part.byteOffset, count));
  }
  const perRow = Math.ceil(width / SCALE_BLOCK);
  const scaleBytes = aligned(from, at, rows * perRow * 2, 2);
  const scales = new Float16Array(scaleBytes.buffer, scaleBytes.byteOffset, rows * perRow);
  const bytes = new Int8Array(from.buffer, offset + scaleBytes.byteLength, count);
  const values = new Float32Array(count);
  for (let row = 0; row < rows; row++)
    for (let block = 0; block < perRow; block++) {
      const scale = scales[row * perRow + block]!;
      const start = row * width + block * SCALE_BLOCK;
      const end = Math.min(start + SCALE_BLOCK, (row + 1) * width);
      for (let i = start; i < end; i++) values[i] = scale * bytes[i]!;
    }
  return values;
}

/** The bytes, copied where a view of numbers could not begin there. */
function aligned(from: Uint8Array, at: number, length: number, step: number): Uint8Array {
  const part = from.subarray(at, at + length);
  return part.byteOffset % step === 0 ? part : part.slice();
}
