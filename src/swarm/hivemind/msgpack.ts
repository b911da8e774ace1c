/**
 * MessagePack as Hivemind's serializer writes it: the shortest form of each integer and length, all floats in 64 bits, bytes
 * and text apart, tuples as extension 0x40, dictionaries of the DHT as extension 0x50. Integers and floats are told apart,
 * since Python tells them apart: `1` and `1.0` are different bytes, and different keys.
 *
 * Source: the MessagePack specification (github.com/msgpack/msgpack), held to bytes of the Python packages by
 * interop/hivemind/golden.json.
 *
 * @module swarm/hivemind/msgpack
 */
import { InputError } from '../../base/index.ts';
import { HivemindFault } from './fault.ts';

export const TUPLE = 0x40;

/** A float of Python, also when its value is whole. */
export class Float {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** A tuple of Python. */
export class Tuple {
  readonly items: readonly MsgValue[];
  constructor(items: readonly MsgValue[]) {
    this.items = items;
  }
}

/** An extension other than a tuple. */
export class Extension {
  readonly type: number;
  readonly data: Uint8Array;
  constructor(type: number, data: Uint8Array) {
    this.type = type;
    this.data = data;
  }
}

/** Keys are text or bytes, as Python demands by default. */
export type MsgMap = ReadonlyMap<string | Uint8Array, MsgValue>;

/** `number` is a whole number within 2^53, `bigint` one beyond. */
export type MsgValue =
  | null
  | boolean
  | number
  | bigint
  | Float
  | string
  | Uint8Array
  | readonly MsgValue[]
  | Tuple
  | MsgMap
  | Extension;

/** Nested containers, one in the other. */
const MAX_DEPTH = 32;
/** Values in one text, containers and what they hold. */
const MAX_ITEMS = 200_000;
const utf8 = new TextDecoder('utf-8', { fatal: true });
const toUtf8 = new TextEncoder();

/** @throws {InputError} `hivemind_value` for a whole number beyond 64 bits, a broken text, or too deep a value */
export function encodeMsgpack(value: MsgValue): Uint8Array {
  const parts: Uint8Array[] = [];
  write(value, parts, 0);
  return concat(parts);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function write(value: MsgValue, out: Uint8Array[], depth: number): void {
  if (depth > MAX_DEPTH) throw unfit(`is nested over ${MAX_DEPTH} deep`);
  if (value === null) out.push(Uint8Array.of(0xc0));
  else if (typeof value === 'boolean') out.push(Uint8Array.of(value ? 0xc3 : 0xc2));
  else if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw unfit('has a number that is not whole');
    if (value >= 0 && value < 2 ** 32) out.push(unsigned(value));
    else writeInteger(BigInt(value), out);
  } else if (typeof value === 'bigint') writeInteger(value, out);
  else if (typeof value === 'string') {
    if (!value.isWellFormed()) throw unfit('has a text that is no Unicode');
    const bytes = toUtf8.encode(value);
    if (bytes.length < 32) out.push(Uint8Array.of(0xa0 | bytes.length), bytes);
    else out.push(lengthed([0xd9, 0xda, 0xdb], bytes.length), bytes);
  } else if (value instanceof Uint8Array) out.push(lengthed([0xc4, 0xc5, 0xc6], value.length), value);
  else if (value instanceof Float) {
    const bytes = new Uint8Array(9);
    bytes[0] = 0xcb;
    new DataView(bytes.buffer).setFloat64(1, value.value);
    out.push(bytes);
  } else if (value instanceof Tuple) {
    const inner: Uint8Array[] = [];
    write(value.items, inner, depth + 1);
    writeExtension(TUPLE, concat(inner), out);
  } else if (value instanceof Extension) writeExtension(value.type, value.data, out);
  else if (value instanceof Map) {
    out.push(counted(0x80, [0xde, 0xdf], value.size));
    for (const [key, item] of value as MsgMap) {
      write(key, out, depth + 1);
      write(item, out, depth + 1);
    }
  } else {
    const items = value as readonly MsgValue[];
    out.push(counted(0x90, [0xdc, 0xdd], items.length));
    for (const item of items) write(item, out, depth + 1);
  }
}

function writeInteger(value: bigint, out: Uint8Array[]): void {
  if (value >= 0n) {
    if (value < 1n << 32n) out.push(unsigned(Number(value)));
    else if (value < 1n << 64n) out.push(bigEndian(0xcf, value, 8));
    else throw unfit('has a number over 64 bits');
  } else if (value >= -32n) out.push(Uint8Array.of(Number(256n + value)));
  else if (value >= -(1n << 7n)) out.push(bigEndian(0xd0, value, 1));
  else if (value >= -(1n << 15n)) out.push(bigEndian(0xd1, value, 2));
  else if (value >= -(1n << 31n)) out.push(bigEndian(0xd2, value, 4));
  else if (value >= -(1n << 63n)) out.push(bigEndian(0xd3, value, 8));
  else throw unfit('has a number under 64 bits');
}

function bigEndian(head: number, value: bigint, size: number): Uint8Array {
  const out = new Uint8Array(1 + size);
  out[0] = head;
  for (let index = size, rest = value; index > 0; index--, rest >>= 8n) out[index] = Number(rest & 0xffn);
  return out;
}

/** A whole number below 2^32. */
function unsigned(value: number): Uint8Array {
  return value < 128 ? Uint8Array.of(value) : lengthed([0xcc, 0xcd, 0xce], value);
}

/** Head of what has a length, in 8, 16 or 32 bits. Dictionaries have thousands of these: no big integers here. */
function lengthed(heads: readonly [number, number, number], length: number): Uint8Array {
  if (length < 1 << 8) return Uint8Array.of(heads[0], length);
  if (length < 1 << 16) return Uint8Array.of(heads[1], length >>> 8, length);
  return Uint8Array.of(heads[2], length >>> 24, length >>> 16, length >>> 8, length);
}

function counted(small: number, heads: readonly [number, number], count: number): Uint8Array {
  if (count < 16) return Uint8Array.of(small | count);
  // Unlike lengths, counts have no form of 8 bits.
  return count < 1 << 8 ? Uint8Array.of(heads[0], 0, count) : lengthed([0, ...heads], count);
}

function writeExtension(type: number, data: Uint8Array, out: Uint8Array[]): void {
  const fixed = [1, 2, 4, 8, 16].indexOf(data.length);
  const head = fixed >= 0 ? Uint8Array.of(0xd4 + fixed) : lengthed([0xc7, 0xc8, 0xc9], data.length);
  out.push(head, Uint8Array.of(type & 0xff), data);
}

function unfit(what: string): InputError {
  return new InputError('hivemind_value', `The value ${what}, so that it cannot be stored in the DHT.`);
}

/**
 * One value that takes up all bytes; byte strings of it are views.
 *
 * @throws {HivemindFault} for bytes that are none, or go beyond the bounds of depth and number
 */
export function decodeMsgpack(bytes: Uint8Array): MsgValue {
  return new Reader(bytes, { items: 0 }).all(0);
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** Shared with the readers of tuples within. */
  readonly #count: { items: number };
  #at = 0;

  constructor(bytes: Uint8Array, count: { items: number }) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#count = count;
  }

  all(depth: number): MsgValue {
    const value = this.#value(depth);
    if (this.#at !== this.#bytes.length) throw new HivemindFault('Bytes follow the value.');
    return value;
  }

  /** Where the next bytes are, which it takes. */
  #take(count: number): number {
    const at = this.#at;
    if (count > this.#bytes.length - at) throw new HivemindFault('The value ends too early.');
    this.#at += count;
    return at;
  }

  #unsigned(size: 1 | 2 | 4): number {
    const at = this.#take(size);
    if (size === 1) return this.#view.getUint8(at);
    return size === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #slice(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  #text(length: number): string {
    try {
      return utf8.decode(this.#slice(length));
    } catch (error) {
      if (error instanceof HivemindFault) throw error;
      throw new HivemindFault('A text is no UTF-8.');
    }
  }

  #value(depth: number): MsgValue {
    if (depth > MAX_DEPTH) throw new HivemindFault(`A value is nested over ${MAX_DEPTH} deep.`);
    if (++this.#count.items > MAX_ITEMS) throw new HivemindFault(`A value has over ${MAX_ITEMS} parts.`);
    const head = this.#unsigned(1);
    if (head < 0x80) return head;
    if (head >= 0xe0) return head - 256;
    if (head < 0x90) return this.#map(head & 0x0f, depth);
    if (head < 0xa0) return this.#array(head & 0x0f, depth);
    if (head < 0xc0) return this.#text(head & 0x1f);
    if (head >= 0xcc && head <= 0xd3) return this.#integer(head);
    if (head >= 0xd4 && head <= 0xd8) return this.#extension(1 << (head - 0xd4), depth);
    switch (head) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xca:
        return new Float(this.#view.getFloat32(this.#take(4)));
      case 0xcb:
        return new Float(this.#view.getFloat64(this.#take(8)));
      case 0xc1:
        throw new HivemindFault('A value has no type.');
      case 0xdc:
      case 0xdd:
        return this.#array(this.#unsigned(head === 0xdc ? 2 : 4), depth);
      case 0xde:
      case 0xdf:
        return this.#map(this.#unsigned(head === 0xde ? 2 : 4), depth);
    }
    // What is left has a length of 1, 2 or 4 bytes: byte strings from 0xc4, extensions from 0xc7, texts from 0xd9.
    const first = head >= 0xd9 ? 0xd9 : head >= 0xc7 ? 0xc7 : 0xc4;
    const length = this.#unsigned((1 << (head - first)) as 1 | 2 | 4);
    if (first === 0xd9) return this.#text(length);
    return first === 0xc7 ? this.#extension(length, depth) : this.#slice(length);
  }

  #integer(head: number): number | bigint {
    const signed = head >= 0xd0;
    const size = 1 << ((head - 0xcc) & 3);
    const at = this.#take(size);
    const view = this.#view;
    if (size === 1) return signed ? view.getInt8(at) : view.getUint8(at);
    if (size === 2) return signed ? view.getInt16(at) : view.getUint16(at);
    if (size === 4) return signed ? view.getInt32(at) : view.getUint32(at);
    const value = signed ? view.getBigInt64(at) : view.getBigUint64(at);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  #array(count: number, depth: number): MsgValue[] {
    this.#mustHold(count);
    const out: MsgValue[] = [];
    for (let index = 0; index < count; index++) out.push(this.#value(depth + 1));
    return out;
  }

  #map(count: number, depth: number): MsgMap {
    this.#mustHold(2 * count);
    const out = new Map<string | Uint8Array, MsgValue>();
    for (let index = 0; index < count; index++) {
      const key = this.#value(depth + 1);
      if (typeof key !== 'string' && !(key instanceof Uint8Array))
        throw new HivemindFault('A key of a map is neither text nor bytes.');
      out.set(key, this.#value(depth + 1));
    }
    return out;
  }

  /** Each value takes a byte at least: a count beyond that is a lie, found before anything is made for it. */
  #mustHold(values: number): void {
    if (values > this.#bytes.length - this.#at) throw new HivemindFault('The value ends too early.');
  }

  #extension(length: number, depth: number): MsgValue {
    const type = this.#view.getInt8(this.#take(1));
    const data = this.#slice(length);
    if (type !== TUPLE) return new Extension(type, data);
    const items = new Reader(data, this.#count).all(depth + 1);
    if (!Array.isArray(items)) throw new HivemindFault('A tuple holds no list.');
    return new Tuple(items);
  }
}
