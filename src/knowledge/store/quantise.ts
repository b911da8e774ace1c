/**
 * Vectors as bytes: one scale a row, so that component ≈ byte × scale. What this rounds off is made good by rescoring
 * the best rows exactly.
 *
 * @module knowledge/store/quantise
 */

/** Bytes from -127 to 127: with -128 two products could leave the 16 bits that one instruction adds them in. A row of zeros has scale 0. */
export function quantise(row: Float32Array): { readonly i8: Int8Array; readonly scale: number } {
  let most = 0;
  for (const value of row) most = Math.max(most, Math.abs(value));
  const i8 = new Int8Array(row.length);
  const scale = most / 127;
  // Of what is too small for the slab's scales nothing would be left.
  if (Math.fround(scale) === 0) return { i8, scale: 0 };
  for (let i = 0; i < row.length; i++) i8[i] = Math.round(row[i]! / scale);
  return { i8, scale };
}
