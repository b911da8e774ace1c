/**
 * Makes the header of a GGUF file and lays out its tensors. The same input gives the same bytes.
 *
 * @module models/gguf/encode
 */

import type { Gguf, GgufArray, GgufValue, GgufValueType } from '../types.ts';
import { parseGgufHeader } from './header.ts';
import { alignUp, DEFAULT_ALIGNMENT, ggufError, quoted } from './limits.ts';
import { encodeText } from './text.ts';
import { removedTensorType, tensorBytes, tensorType } from './types-table.ts';
import { valueTypes } from './value-types.ts';

export interface GgufTensorLayout {
  readonly name: string;
  /** ggml order: dims[0] is the contiguous dimension. */
  readonly dims: readonly number[];
  /** `ggml_type` number. */
  readonly type: number;
}

export interface GgufLayout {
  /** Entries in the order in which they are written; a `ReadonlyMap` of `readGguf` will do. */
  readonly metadata: Iterable<readonly [key: string, value: GgufValue]>;
  /** Tensors in the order in which their data is written. */
  readonly tensors: readonly GgufTensorLayout[];
  /**
   * Alignment of tensor data, bytes. An entry `general.alignment` is added when it is not 32 and the metadata has
   * none; the two must agree. @default what the metadata says, else 32
   */
  readonly alignment?: number;
  /** @default 3 */
  readonly version?: 2 | 3;
}

export interface EncodedHeader {
  /** From the start of the file up to `gguf.dataOffset`, padding included. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What reading the file will give. */
  readonly gguf: Gguf;
}

/**
 * Encodes the header. What it returns has been read back with the reader's own checks, so a file that this module
 * writes can be read.
 *
 * @throws {InputError} any `GgufErrorCode`: a value outside its type, a bad name, a shape the type cannot have.
 */
export function encodeGgufHeader(layout: GgufLayout): EncodedHeader {
  const entries = withAlignment([...layout.metadata], layout.alignment);
  const alignment = alignmentOf(entries);
  const out = new Writer();
  out.u32(0x46554747);
  out.u32(layout.version ?? 3);
  out.u64(layout.tensors.length);
  out.u64(entries.length);
  for (const [key, value] of entries) {
    out.text(key, `the key ${quoted(key)}`);
    writeValue(out, value, key);
  }
  let offset = 0;
  for (const tensor of layout.tensors) {
    offset = writeTensor(out, tensor, offset, alignment);
  }
  out.pad(alignment);
  const bytes = out.finish();
  const gguf = parseGgufHeader(bytes, bytes.length + offset);
  if ('need' in gguf) throw new TypeError('an encoded header must be complete');
  return { bytes, gguf };
}

type Entry = readonly [key: string, value: GgufValue];

function withAlignment(entries: Entry[], alignment: number | undefined): Entry[] {
  if (alignment === undefined) return entries;
  const present = entries.find(([key]) => key === 'general.alignment')?.[1].value;
  if (present === undefined) {
    if (alignment === DEFAULT_ALIGNMENT) return entries;
    return [...entries, ['general.alignment', { type: 'uint32', value: alignment }]];
  }
  if (present === alignment) return entries;
  throw ggufError(
    'gguf_alignment',
    `The alignment ${alignment} contradicts general.alignment in the metadata.`,
  );
}

/** A value that is no alignment at all is left to the reader's check, which names it. */
function alignmentOf(entries: readonly Entry[]): number {
  const value = entries.find(([key]) => key === 'general.alignment')?.[1].value;
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : DEFAULT_ALIGNMENT;
}

/** Writes one row of the tensor table; returns the relative offset of the next tensor. */
function writeTensor(out: Writer, tensor: GgufTensorLayout, offset: number, alignment: number): number {
  const type = tensorType(tensor.type);
  if (type === undefined) {
    const removed = removedTensorType(tensor.type);
    throw ggufError(
      'gguf_tensor_type',
      `Tensor ${quoted(tensor.name)} cannot be written with ${removed === undefined ? 'unknown' : 'removed'} type ${tensor.type}.`,
      { tensor: tensor.name, type: tensor.type },
    );
  }
  const bytes = tensorBytes(type, tensor.dims);
  const next = bytes === null ? Number.NaN : alignUp(offset + bytes, alignment);
  if (!Number.isSafeInteger(next)) {
    throw ggufError(
      'gguf_tensor_shape',
      `Tensor ${quoted(tensor.name)} cannot have the shape ${tensor.dims.join(' x ') || 'of no dimension'} with type ${type.name}.`,
      { tensor: tensor.name, type: type.name },
    );
  }
  out.text(tensor.name, `the tensor name ${quoted(tensor.name)}`);
  out.u32(tensor.dims.length);
  for (const dim of tensor.dims) out.u64(dim);
  out.u32(tensor.type);
  out.u64(offset);
  return next;
}

const typeNumbers: ReadonlyMap<GgufValueType, number> = new Map(
  valueTypes.map((type, number) => [type.name, number]),
);

function badValue(key: string, type: string, value: unknown): Error {
  const shown = typeof value === 'object' ? `a ${value?.constructor.name}` : quoted(String(value));
  return ggufError('gguf_value', `The value ${shown} of ${quoted(key)} cannot be written as ${type}.`, {
    type,
  });
}

function writeValue(out: Writer, entry: GgufValue, key: string): void {
  out.u32(typeNumbers.get(entry.type) ?? badType(key, entry.type));
  if (entry.type === 'array') writeArray(out, entry.value, key);
  else writeScalar(out, entry.type, entry.value, key);
}

function badType(key: string, type: unknown): never {
  throw badValue(key, 'a metadata type', type);
}

function writeArray(out: Writer, array: GgufArray, key: string): void {
  const { type, values } = array;
  const number = typeNumbers.get(type) ?? badType(key, type);
  out.u32(number);
  out.u64(values.length);
  const kind = valueTypes[number]!.array;
  if (kind !== undefined) {
    if (!(values instanceof kind)) throw badValue(key, `an array of ${type} (use ${kind.name})`, values);
    out.bytes(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return;
  }
  if (!Array.isArray(values)) throw badValue(key, `an array of ${type}`, values);
  for (const value of values) {
    if (type === 'array') writeArray(out, value, key);
    else writeScalar(out, type as 'string' | 'bool', value, key);
  }
}

/** Bounds of integer types. */
const RANGES: Readonly<Record<string, readonly [min: number | bigint, max: number | bigint]>> = {
  uint8: [0, 0xff],
  int8: [-0x80, 0x7f],
  uint16: [0, 0xffff],
  int16: [-0x8000, 0x7fff],
  uint32: [0, 0xffff_ffff],
  int32: [-0x8000_0000, 0x7fff_ffff],
  uint64: [0n, 2n ** 64n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
};

/** `typeof` of the values of the other scalar types. */
const SCALARS: Readonly<Record<string, string>> = {
  string: 'string',
  bool: 'boolean',
  float32: 'number',
  float64: 'number',
};

function writeScalar(out: Writer, type: Exclude<GgufValueType, 'array'>, value: unknown, key: string): void {
  const range = RANGES[type];
  if (range !== undefined) {
    const kind = typeof range[0];
    const whole = kind === 'bigint' || Number.isInteger(value);
    if (typeof value !== kind || !whole || (value as number) < range[0] || (value as number) > range[1]) {
      throw badValue(key, type, value);
    }
  }
  if (range === undefined && typeof value !== SCALARS[type]) throw badValue(key, type, value);
  if (type === 'string') out.text(value as string, `the value of ${quoted(key)}`);
  else if (type === 'bool') out.u8(value === true ? 1 : 0);
  else if (type === 'float32') out.f32(value as number);
  else if (type === 'float64') out.f64(value as number);
  else if (typeof value === 'bigint') out.big(BigInt.asUintN(64, value));
  else if (type === 'uint8' || type === 'int8') out.u8((value as number) & 0xff);
  else if (type === 'uint16' || type === 'int16') out.u16((value as number) & 0xffff);
  else out.u32((value as number) >>> 0);
}

/** A growing little-endian buffer. */
class Writer {
  #bytes = new Uint8Array(64 * 1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** Makes room and returns where it starts. Growing replaces the view, so call this before touching it. */
  #room(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
  u8(value: number): void {
    const at = this.#room(1);
    this.#view.setUint8(at, value);
  }
  u16(value: number): void {
    const at = this.#room(2);
    this.#view.setUint16(at, value, true);
  }
  u32(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
  }
  /** A count: a non-negative safe integer. */
  u64(value: number): void {
    const at = this.#room(8);
    this.#view.setUint32(at, value % 0x1_0000_0000, true);
    this.#view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true);
  }
  big(value: bigint): void {
    const at = this.#room(8);
    this.#view.setBigUint64(at, value, true);
  }
  f32(value: number): void {
    const at = this.#room(4);
    this.#view.setFloat32(at, value, true);
  }
  f64(value: number): void {
    const at = this.#room(8);
    this.#view.setFloat64(at, value, true);
  }
  bytes(bytes: Uint8Array): void {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }
  text(text: string, what: string): void {
    const bytes = encodeText(text);
    if (bytes === null) {
      throw ggufError('gguf_value', `There is a lone surrogate that stands for no byte in ${what}.`);
    }
    this.u64(bytes.length);
    this.bytes(bytes);
  }
  pad(alignment: number): void {
    this.#room(alignUp(this.#length, alignment) - this.#length);
  }
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }
}
