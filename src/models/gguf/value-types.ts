/**
 * Metadata value types by number (GGUF specification, `gguf_metadata_value_type`).
 *
 * @module models/gguf/value-types
 */

import type { GgufScalar, GgufValueType } from '../types.ts';
import type { Cursor } from './cursor.ts';

export type TypedArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array;

interface TypedArrayKind {
  new (buffer: ArrayBuffer): TypedArray;
  readonly BYTES_PER_ELEMENT: number;
}

export interface ValueTypeInfo {
  readonly name: GgufValueType;
  /** Fewest bytes one item takes in a file. */
  readonly minBytes: number;
  /** Typed array of numeric types. Its byte order is the host's; every supported host is little-endian. */
  readonly array?: TypedArrayKind;
  /** Reads one scalar (not strings and arrays). */
  readonly read?: (cursor: Cursor) => GgufScalar;
}

/** Index = type number. */
export const valueTypes: readonly ValueTypeInfo[] = [
  { name: 'uint8', minBytes: 1, array: Uint8Array, read: (cursor) => cursor.u8() },
  { name: 'int8', minBytes: 1, array: Int8Array, read: (cursor) => cursor.i8() },
  { name: 'uint16', minBytes: 2, array: Uint16Array, read: (cursor) => cursor.u16() },
  { name: 'int16', minBytes: 2, array: Int16Array, read: (cursor) => cursor.i16() },
  { name: 'uint32', minBytes: 4, array: Uint32Array, read: (cursor) => cursor.u32() },
  { name: 'int32', minBytes: 4, array: Int32Array, read: (cursor) => cursor.i32() },
  { name: 'float32', minBytes: 4, array: Float32Array, read: (cursor) => cursor.f32() },
  { name: 'bool', minBytes: 1, read: (cursor) => cursor.bool() },
  { name: 'string', minBytes: 8 },
  { name: 'array', minBytes: 12 },
  { name: 'uint64', minBytes: 8, array: BigUint64Array, read: (cursor) => cursor.big(false) },
  { name: 'int64', minBytes: 8, array: BigInt64Array, read: (cursor) => cursor.big(true) },
  { name: 'float64', minBytes: 8, array: Float64Array, read: (cursor) => cursor.f64() },
];
