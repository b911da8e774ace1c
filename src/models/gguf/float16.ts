/**
 * Half-precision floats: IEEE 754 binary16 (F16) and bfloat16 (BF16), from and to binary32. Rounding is to nearest,
 * ties to even; subnormals, infinities and the sign of zero are kept. A NaN becomes the quiet NaN 0x7E00 (F16), or
 * keeps its upper bits with the quiet bit set (BF16), as in ggml.
 *
 * @module models/gguf/float16
 */

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

/** Binary16 bits of the binary32 value with these bits. */
function halfOfBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  // From 65520 up (0x477ff000) the nearest half is infinity; above infinity is NaN.
  if (magnitude >= 0x477ff000) return sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00);
  if (magnitude >= 0x38800000) {
    // Normal: drop 13 bits after adding just under half a unit, plus the lowest kept bit for ties to even.
    const odd = (magnitude >>> 13) & 1;
    return sign | ((magnitude - 0x38000000 + 0xfff + odd) >>> 13);
  }
  // Half of the smallest subnormal (2^-25) and below rounds to zero.
  if (magnitude <= 0x33000000) return sign;
  const exponent = magnitude >>> 23;
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const shift = 126 - exponent;
  const half = 1 << (shift - 1);
  const rest = mantissa & ((1 << shift) - 1);
  let result = mantissa >>> shift;
  if (rest > half || (rest === half && (result & 1) === 1)) result++;
  return sign | result;
}

function bitsOfHalf(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >>> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0x1f) return (sign | 0x7f800000 | (mantissa << 13)) >>> 0;
  if (exponent !== 0) return (sign | ((exponent + 112) << 23) | (mantissa << 13)) >>> 0;
  if (mantissa === 0) return sign >>> 0;
  // Subnormal: mantissa x 2^-24, whose leading one gives the exponent.
  const lead = 31 - Math.clz32(mantissa);
  return (sign | ((lead + 103) << 23) | ((mantissa << (23 - lead)) & 0x7fffff)) >>> 0;
}

/** Nearest F16 bits of `value` (rounded to binary32 first). */
export function toF16(value: number): number {
  float[0] = value;
  return halfOfBits(word[0]!);
}

let halves: Float32Array | undefined;

/** Table of all 65,536 halves as binary32 (256 KiB, made on first use): the fast way to decode many. */
export function f16Table(): Float32Array {
  if (halves === undefined) {
    const bits = new Uint32Array(65536);
    for (let i = 0; i < 65536; i++) bits[i] = bitsOfHalf(i);
    halves = new Float32Array(bits.buffer);
  }
  return halves;
}

/** Value of F16 bits (0 to 65535). */
export function fromF16(half: number): number {
  return f16Table()[half & 0xffff]!;
}

/** Nearest BF16 bits of `value` (rounded to binary32 first). */
export function toBF16(value: number): number {
  float[0] = value;
  return bf16OfBits(word[0]!);
}

function bf16OfBits(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 64;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

/** Value of BF16 bits (0 to 65535). */
export function fromBF16(bits: number): number {
  word[0] = bits << 16;
  return float[0]!;
}

/** Encodes `values` as F16 into `out` (same length). */
export function encodeF16(values: Float32Array, out: Uint16Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) out[i] = halfOfBits(bits[i]!);
}

/** Decodes F16 bits into `out` (same length). */
export function decodeF16(halves: Uint16Array, out: Float32Array): void {
  const table = f16Table();
  for (let i = 0; i < halves.length; i++) out[i] = table[halves[i]!]!;
}

/** Encodes `values` as BF16 into `out` (same length). */
export function encodeBF16(values: Float32Array, out: Uint16Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) out[i] = bf16OfBits(bits[i]!);
}

/** Decodes BF16 bits into `out` (same length). */
export function decodeBF16(halves: Uint16Array, out: Float32Array): void {
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16;
}
