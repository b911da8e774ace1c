/**
 * Tensor data to and from F32, F16, BF16, Q8_0 and Q4_0. Bit for bit what ggml's reference quantisers write
 * (`ggml_quantize_chunk`; `quantise.test.ts` compares). Blocks hold 32 elements of a row:
 * Q8_0 is an F16 scale d = max|x| / 127 and 32 int8; Q4_0 is an F16 scale d = (x of largest |x|) / -8 and 16 bytes,
 * element j in the low and element j + 16 in the high half of byte j, stored plus 8.
 *
 * @module models/gguf/quantise
 */

import { InputError } from '../../base/index.ts';
import { decodeBF16, decodeF16, encodeBF16, encodeF16, f16Table, toF16 } from './float16.ts';
import { tensorTypeNamed } from './types-table.ts';

/** Tensor types that `quantise` and `dequantise` handle. */
export type CodecType = 'F32' | 'F16' | 'BF16' | 'Q8_0' | 'Q4_0';

export const CODEC_TYPES: readonly CodecType[] = ['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0'];

const BLOCK = 32;
const Q8_BYTES = 34;
const Q4_BYTES = 18;
/** Largest finite F16 is 65504; from here up a scale rounds to infinity. */
const SCALE_BOUND = 65520;

/** Bytes that `elements` elements of this type take. Elements of block types must be a multiple of 32. */
export function codecBytes(type: CodecType, elements: number): number {
  const { block, bytes } = tensorTypeNamed(type)!;
  if (elements % block !== 0) {
    throw new InputError('tensor_shape', `${type} needs a multiple of ${block} elements, not ${elements}.`, {
      details: { type, elements },
    });
  }
  return (elements / block) * bytes;
}

/**
 * Encodes `values` (whole rows, row-major).
 *
 * @throws {InputError} `tensor_shape` for a length that is not whole blocks; `tensor_values` when a block type
 * meets NaN, infinity or values too large for its scale.
 */
export function quantise(type: CodecType, values: Float32Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(codecBytes(type, values.length));
  switch (type) {
    case 'F32':
      new Float32Array(out.buffer).set(values);
      return out;
    case 'F16':
      encodeF16(values, new Uint16Array(out.buffer));
      return out;
    case 'BF16':
      encodeBF16(values, new Uint16Array(out.buffer));
      return out;
    case 'Q8_0':
      encodeQ8(values, out);
      return out;
    case 'Q4_0':
      encodeQ4(values, out);
      return out;
  }
}

/**
 * Decodes `bytes` (whole rows) to binary32.
 *
 * @throws {InputError} `tensor_shape` for a length that is not whole blocks.
 */
export function dequantise(type: CodecType, bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const info = tensorTypeNamed(type)!;
  if (bytes.length % info.bytes !== 0) {
    throw new InputError(
      'tensor_shape',
      `${type} data of ${bytes.length} bytes is not whole blocks of ${info.bytes}.`,
      {
        details: { type, bytes: bytes.length },
      },
    );
  }
  const out = new Float32Array((bytes.length / info.bytes) * info.block);
  switch (type) {
    case 'F32':
      new Uint8Array(out.buffer).set(bytes);
      return out;
    case 'F16':
      decodeF16(aligned16(bytes), out);
      return out;
    case 'BF16':
      decodeBF16(aligned16(bytes), out);
      return out;
    case 'Q8_0':
      decodeQ8(bytes, out);
      return out;
    case 'Q4_0':
      decodeQ4(bytes, out);
      return out;
  }
}

function aligned16(bytes: Uint8Array): Uint16Array {
  if (bytes.byteOffset % 2 === 0) return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  return new Uint16Array(bytes.slice().buffer);
}

function badValues(type: CodecType, block: number): InputError {
  return new InputError(
    'tensor_values',
    `Elements ${block} to ${block + BLOCK - 1} hold NaN, infinity or values too large for ${type}.`,
    { details: { type, element: block } },
  );
}

function encodeQ8(values: Float32Array, out: Uint8Array): void {
  const signed = new Int8Array(out.buffer, out.byteOffset, out.length);
  for (let start = 0, at = 0; start < values.length; start += BLOCK, at += Q8_BYTES) {
    let most = 0;
    for (let i = start; i < start + BLOCK; i++) {
      const magnitude = Math.abs(values[i]!);
      if (magnitude > most) most = magnitude;
      else if (Number.isNaN(magnitude)) throw badValues('Q8_0', start);
    }
    const scale = Math.fround(most / 127);
    if (scale >= SCALE_BOUND) throw badValues('Q8_0', start);
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    const half = toF16(scale);
    out[at] = half & 0xff;
    out[at + 1] = half >>> 8;
    for (let i = 0; i < BLOCK; i++) {
      const scaled = Math.fround(values[start + i]! * inverse);
      // Half away from zero, as C's roundf.
      signed[at + 2 + i] = scaled < 0 ? -Math.floor(0.5 - scaled) : Math.floor(scaled + 0.5);
    }
  }
}

function encodeQ4(values: Float32Array, out: Uint8Array): void {
  for (let start = 0, at = 0; start < values.length; start += BLOCK, at += Q4_BYTES) {
    let most = 0;
    let extreme = 0;
    for (let i = start; i < start + BLOCK; i++) {
      const value = values[i]!;
      const magnitude = Math.abs(value);
      if (magnitude > most) {
        most = magnitude;
        extreme = value;
      } else if (Number.isNaN(magnitude)) throw badValues('Q4_0', start);
    }
    const scale = Math.fround(extreme / -8);
    if (Math.abs(scale) >= SCALE_BOUND) throw badValues('Q4_0', start);
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    const half = toF16(scale);
    out[at] = half & 0xff;
    out[at + 1] = half >>> 8;
    for (let i = 0; i < BLOCK / 2; i++) {
      const low = nibble(values[start + i]!, inverse);
      out[at + 2 + i] = low | (nibble(values[start + 16 + i]!, inverse) << 4);
    }
  }
}

function nibble(value: number, inverse: number): number {
  return Math.min(15, Math.fround(Math.fround(value * inverse) + 8.5) | 0);
}

function decodeQ8(bytes: Uint8Array, out: Float32Array): void {
  const table = f16Table();
  const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let start = 0, at = 0; start < out.length; start += BLOCK, at += Q8_BYTES) {
    const scale = table[bytes[at]! | (bytes[at + 1]! << 8)]!;
    for (let i = 0; i < BLOCK; i++) out[start + i] = signed[at + 2 + i]! * scale;
  }
}

function decodeQ4(bytes: Uint8Array, out: Float32Array): void {
  const table = f16Table();
  for (let start = 0, at = 0; start < out.length; start += BLOCK, at += Q4_BYTES) {
    const scale = table[bytes[at]! | (bytes[at + 1]! << 8)]!;
    for (let i = 0; i < BLOCK / 2; i++) {
      const pair = bytes[at + 2 + i]!;
      out[start + i] = ((pair & 15) - 8) * scale;
      out[start + 16 + i] = ((pair >>> 4) - 8) * scale;
    }
  }
}
