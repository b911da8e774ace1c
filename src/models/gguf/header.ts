/**
 * The synchronous core of the GGUF reader: header bytes in, a checked `Gguf` out. Every count and length is held
 * against the bytes that are left, the stated limits and the memory budget before anything is allocated.
 * Layout: GGUF specification, versions 2 and 3, little-endian.
 *
 * @module models/gguf/header
 */

import type { Gguf, GgufArray, GgufTensor, GgufValue } from '../types.ts';
import { Cursor, ShortHeader } from './cursor.ts';
import {
  alignUp,
  clipped,
  DEFAULT_ALIGNMENT,
  GGUF_LIMITS,
  type GgufLimits,
  ggufError,
  quoted,
} from './limits.ts';
import { removedTensorType, tensorBytes, tensorType } from './types-table.ts';
import { type TypedArray, type ValueTypeInfo, valueTypes } from './value-types.ts';

/** Memory charged per object, bytes: measured retained sizes in V8, rounded up (`header.test.ts` holds them). */
const COST = { entry: 192, tensor: 384, array: 320, slot: 8 };

/** More header is needed: at least `need` bytes from the start of the file. */
export interface NeedMore {
  readonly need: number;
}

/**
 * Parses a header from the first bytes of a file of `fileBytes` bytes. Returns `{ need }` when `bytes` end before
 * the header does although the file goes on; a caller that has the whole file never gets it.
 *
 * @throws {InputError} any `GgufErrorCode`.
 */
export function parseGgufHeader(
  bytes: Uint8Array,
  fileBytes: number = bytes.byteLength,
  limits: GgufLimits = GGUF_LIMITS,
): Gguf | NeedMore {
  const cursor = new Cursor(bytes, fileBytes, limits);
  try {
    return parse(cursor, limits);
  } catch (error) {
    if (error instanceof ShortHeader) return { need: error.need };
    throw error;
  }
}

function parse(cursor: Cursor, limits: GgufLimits): Gguf {
  const version = readVersion(cursor);
  const tensorCount = cursor.count('the number of tensors', limits.tensors, 'tensors', 24);
  const entryCount = cursor.count('the number of metadata entries', limits.entries, 'entries', 13);
  const metadata = readMetadata(cursor, entryCount, limits);
  const alignment = readAlignment(metadata, limits);
  const relative = readTensors(cursor, tensorCount, limits);
  const dataOffset = alignUp(cursor.offset, alignment);
  const tensors = placeTensors(relative, dataOffset, alignment, cursor.fileBytes);
  return { version, alignment, metadata, tensors, dataOffset, fileBytes: cursor.fileBytes };
}

function readVersion(cursor: Cursor): number {
  cursor.what = 'the magic and version';
  const magic = cursor.u32();
  if (magic !== 0x46554747) {
    throw ggufError(
      'gguf_magic',
      `This is not a GGUF file: it starts with 0x${magic.toString(16).padStart(8, '0')} instead of "GGUF".`,
    );
  }
  const version = cursor.u32();
  if (version === 2 || version === 3) return version;
  if ((version & 0xffff) === 0 && version !== 0) {
    throw ggufError('gguf_endian', 'This GGUF file is big-endian; only little-endian files are supported.');
  }
  throw ggufError(
    'gguf_version',
    `This GGUF file has version ${version}; versions 2 and 3 are supported. Convert the model again with current tools.`,
    { version },
  );
}

function readMetadata(cursor: Cursor, count: number, limits: GgufLimits): Map<string, GgufValue> {
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < count; i++) {
    cursor.what = `metadata key ${i}`;
    const key = cursor.name(limits.keyBytes, 'keyBytes');
    if (metadata.has(key)) {
      throw ggufError('gguf_duplicate', `The metadata key ${quoted(key)} occurs twice.`, {
        key: clipped(key),
      });
    }
    cursor.what = `the value of ${quoted(key)}`;
    cursor.charge(COST.entry);
    metadata.set(key, readValue(cursor, limits));
  }
  return metadata;
}

function readValue(cursor: Cursor, limits: GgufLimits): GgufValue {
  const info = readType(cursor);
  if (info.name === 'array') return { type: 'array', value: readArray(cursor, limits, 1) };
  if (info.name === 'string')
    return { type: 'string', value: cursor.text(limits.stringBytes, 'stringBytes') };
  return { type: info.name, value: info.read!(cursor) };
}

function readType(cursor: Cursor): ValueTypeInfo {
  const at = cursor.offset;
  const number = cursor.u32();
  const info = valueTypes[number];
  if (info !== undefined) return info;
  throw ggufError(
    'gguf_value',
    `${cursor.What} has the unknown type ${number} at offset ${at}; known are 0 to 12.`,
    { type: number, offset: at },
  );
}

function readArray(cursor: Cursor, limits: GgufLimits, depth: number): GgufArray {
  if (depth > limits.depth) {
    throw ggufError(
      'gguf_limit',
      `${cursor.What} has arrays nested deeper than ${limits.depth} (limit depth) at offset ${cursor.offset}.`,
      { limit: 'depth', value: limits.depth, offset: cursor.offset },
    );
  }
  const info = readType(cursor);
  const count = cursor.count(`the array in ${cursor.what}`, limits.arrayItems, 'arrayItems', info.minBytes);
  cursor.charge(COST.array);
  return { type: info.name, values: readItems(cursor, info, count, limits, depth) };
}

function readItems(
  cursor: Cursor,
  info: ValueTypeInfo,
  count: number,
  limits: GgufLimits,
  depth: number,
): GgufArray['values'] {
  if (info.array !== undefined) return readNumbers(cursor, info.array, count);
  cursor.charge(count * COST.slot);
  if (info.name === 'string') {
    const values = new Array<string>(count);
    for (let i = 0; i < count; i++) values[i] = cursor.text(limits.stringBytes, 'stringBytes');
    return values;
  }
  if (info.name === 'bool') {
    const values = new Array<boolean>(count);
    for (let i = 0; i < count; i++) values[i] = cursor.bool();
    return values;
  }
  const values = new Array<GgufArray>(count);
  for (let i = 0; i < count; i++) values[i] = readArray(cursor, limits, depth + 1);
  return values;
}

function readNumbers(cursor: Cursor, kind: NonNullable<ValueTypeInfo['array']>, count: number): TypedArray {
  const bytes = count * kind.BYTES_PER_ELEMENT;
  cursor.charge(bytes);
  // A copy: the header's buffer is released after parsing, and its items need not be aligned.
  const copy = new Uint8Array(bytes);
  copy.set(cursor.take(bytes));
  return new kind(copy.buffer);
}

function readAlignment(metadata: ReadonlyMap<string, GgufValue>, limits: GgufLimits): number {
  const entry = metadata.get('general.alignment');
  if (entry === undefined) return DEFAULT_ALIGNMENT;
  const value = entry.value;
  if (entry.type === 'uint32' && typeof value === 'number') {
    const power = value > 0 && (value & (value - 1)) === 0;
    if (power && value >= limits.minAlignment && value <= limits.maxAlignment) return value;
  }
  throw ggufError(
    'gguf_alignment',
    `general.alignment is ${entry.type} ${typeof value === 'object' ? '' : quoted(String(value))}; it must be a uint32 power of two from ${limits.minAlignment} to ${limits.maxAlignment}.`,
  );
}

/** `offset` is relative to the start of tensor data here. */
function readTensors(cursor: Cursor, count: number, limits: GgufLimits): GgufTensor[] {
  const tensors: GgufTensor[] = [];
  const names = new Set<string>();
  for (let i = 0; i < count; i++) {
    cursor.what = `the name of tensor ${i}`;
    const name = cursor.name(limits.nameBytes, 'nameBytes');
    if (names.has(name)) {
      throw ggufError('gguf_duplicate', `The tensor ${quoted(name)} occurs twice.`, { tensor: name });
    }
    names.add(name);
    cursor.what = `tensor ${quoted(name)}`;
    cursor.charge(COST.tensor);
    tensors.push(readTensor(cursor, name, limits));
  }
  return tensors;
}

function readTensor(cursor: Cursor, name: string, limits: GgufLimits): GgufTensor {
  const rank = cursor.u32();
  if (rank < 1 || rank > limits.dims) {
    throw ggufError(
      'gguf_tensor_shape',
      `Tensor ${quoted(name)} has ${rank} dimensions; 1 to ${limits.dims} are supported.`,
      { tensor: name, dims: rank },
    );
  }
  const dims: number[] = [];
  for (let d = 0; d < rank; d++) {
    const dim = cursor.u64();
    if (dim < 1 || !Number.isSafeInteger(dim)) {
      throw ggufError(
        'gguf_tensor_shape',
        `Tensor ${quoted(name)} has dimension ${d} of ${dim}; it must be from 1 to 2^53 - 1.`,
        { tensor: name, dimension: d },
      );
    }
    dims.push(dim);
  }
  const number = cursor.u32();
  const type = tensorType(number);
  if (type === undefined) {
    const removed = removedTensorType(number);
    throw ggufError(
      'gguf_tensor_type',
      removed === undefined
        ? `Tensor ${quoted(name)} has the unknown type ${number}; a newer release of Kith may know it.`
        : `Tensor ${quoted(name)} has type ${removed} (${number}), which ggml has removed. Convert the model again.`,
      { tensor: name, type: number },
    );
  }
  const bytes = tensorBytes(type, dims);
  if (bytes === null) {
    throw ggufError(
      'gguf_tensor_shape',
      dims[0]! % type.block === 0
        ? `Tensor ${quoted(name)} (${dims.join(' x ')}) has more than 2^53 - 1 elements or bytes.`
        : `Tensor ${quoted(name)} has rows of ${dims[0]} elements; ${type.name} needs a multiple of ${type.block}.`,
      { tensor: name, type: type.name },
    );
  }
  return { name, dims, type: number, offset: cursor.u64(), bytes };
}

/** Checks where the tensors lie and makes their offsets absolute. */
function placeTensors(
  relative: readonly GgufTensor[],
  dataOffset: number,
  alignment: number,
  fileBytes: number,
): Map<string, GgufTensor> {
  const tensors = new Map<string, GgufTensor>();
  for (const tensor of relative) {
    const { name, bytes } = tensor;
    if (tensor.offset % alignment !== 0 || !Number.isSafeInteger(tensor.offset)) {
      throw ggufError(
        'gguf_tensor_offset',
        `Tensor ${quoted(name)} starts at data offset ${tensor.offset}, which is not a multiple of the alignment ${alignment}.`,
        { tensor: name, offset: tensor.offset, alignment },
      );
    }
    const offset = dataOffset + tensor.offset;
    if (bytes > fileBytes - offset) {
      throw ggufError(
        'gguf_truncated',
        `Tensor ${quoted(name)} needs ${bytes} bytes at offset ${offset}, but the file has ${fileBytes} bytes. The download may be incomplete.`,
        { tensor: name, offset, bytes, fileBytes },
      );
    }
    tensors.set(name, { ...tensor, offset });
  }
  const sorted = [...tensors.values()].sort((a, b) => a.offset - b.offset);
  for (let i = 1; i < sorted.length; i++) {
    const before = sorted[i - 1]!;
    const tensor = sorted[i]!;
    if (before.offset + before.bytes > tensor.offset) {
      throw ggufError(
        'gguf_tensor_overlap',
        `Tensors ${quoted(before.name)} and ${quoted(tensor.name)} overlap at offset ${tensor.offset}.`,
        { tensor: tensor.name, other: before.name, offset: tensor.offset },
      );
    }
  }
  return tensors;
}
