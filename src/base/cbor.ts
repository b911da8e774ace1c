/**
 * Deterministic CBOR: one encoding for each value, and a decoder that takes no other. For what is signed, and for the
 * metadata of calls between nodes.
 *
 * RFC 8949 section 4.2.1 (core deterministic encoding): shortest integers, lengths and floats; definite lengths only; map
 * keys in bytewise order of their encodings, each once. Narrowed to what JSON programs mean by a value:
 *
 * | CBOR                    | here                                                                       |
 * | ----------------------- | -------------------------------------------------------------------------- |
 * | major 0, 1              | `number` within ±(2^53 - 1), else `bigint` within 64 bits                  |
 * | major 2                 | `Uint8Array` (a copy)                                                      |
 * | major 3                 | `string`, well-formed UTF-8                                                |
 * | major 4                 | array                                                                      |
 * | major 5                 | object; keys are strings                                                   |
 * | major 6 (tags)          | refused                                                                    |
 * | false, true, null       | the same                                                                   |
 * | undefined, other simple | refused                                                                    |
 * | floats                  | `number`; finite, and no integer within ±(2^53 - 1), which has its own form |
 *
 * Negative zero is zero. Everything is bounded before it is allocated.
 *
 * @module base/cbor
 */
import { InputError } from './errors.ts';

export type CborValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly CborValue[]
  | CborMap;
export interface CborMap {
  readonly [key: string]: CborValue;
}

export interface CborLimits {
  /** Bytes of the whole encoding. @default 65536 */
  readonly maxBytes?: number;
  /** Arrays and maps within each other; 0 allows none. @default 16 */
  readonly maxDepth?: number;
  /** Values of all kinds together; a key of a map counts as one. @default 4096 */
  readonly maxItems?: number;
}

const DEFAULTS: Required<CborLimits> = { maxBytes: 65_536, maxDepth: 16, maxItems: 4096 };
const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const U64_MAX = 0xffff_ffff_ffff_ffffn;

function refuse(what: string): never {
  throw new InputError('cbor_invalid', `Not deterministic CBOR: ${what}.`);
}

/** Where a float is written in one width to be looked at in another. */
const floatView = new DataView(new ArrayBuffer(8));

/** The 16 bits of a value in IEEE 754 half precision, or undefined when it does not fit exactly. */
function halfOf(value: number): number | undefined {
  floatView.setFloat32(0, value);
  const bits = floatView.getUint32(0);
  if (floatView.getFloat32(0) !== value) return undefined;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 127;
  const mantissa = bits & 0x7f_ffff;
  if (exponent >= -14 && exponent <= 15) {
    if ((mantissa & 0x1fff) !== 0) return undefined;
    return sign | ((exponent + 15) << 10) | (mantissa >>> 13);
  }
  if (exponent >= -24 && exponent < -14) {
    // Subnormal halves count in units of 2^-24.
    const shift = -exponent - 1;
    const full = mantissa | 0x80_0000;
    if ((full & ((1 << shift) - 1)) !== 0) return undefined;
    return sign | (full >>> shift);
  }
  return undefined;
}

function halfToNumber(bits: number): number {
  const exponent = (bits >>> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0x1f) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25));
}

/** Bytewise order of encoded text keys: by length first, since the length is in the head, then by UTF-8 bytes. */
function compareKeys(a: Uint8Array, b: Uint8Array): number {
  return a.length - b.length || Buffer.compare(a, b);
}

class Writer {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  #items = 0;
  readonly #limits: Required<CborLimits>;

  constructor(limits: Required<CborLimits>) {
    this.#limits = limits;
  }

  done(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  #room(count: number): void {
    const need = this.#at + count;
    if (need > this.#limits.maxBytes) refuse(`the value takes more than ${this.#limits.maxBytes} bytes`);
    if (need <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(need, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  #head(major: number, argument: number): void {
    this.#room(9);
    const first = major << 5;
    if (argument < 24) {
      this.#bytes[this.#at++] = first | argument;
    } else if (argument < 0x100) {
      this.#bytes[this.#at++] = first | 24;
      this.#bytes[this.#at++] = argument;
    } else if (argument < 0x1_0000) {
      this.#bytes[this.#at++] = first | 25;
      this.#view.setUint16(this.#at, argument);
      this.#at += 2;
    } else if (argument < 0x1_0000_0000) {
      this.#bytes[this.#at++] = first | 26;
      this.#view.setUint32(this.#at, argument);
      this.#at += 4;
    } else {
      this.#bytes[this.#at++] = first | 27;
      this.#view.setUint32(this.#at, Math.floor(argument / 0x1_0000_0000));
      this.#view.setUint32(this.#at + 4, argument % 0x1_0000_0000);
      this.#at += 8;
    }
  }

  #raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #big(value: bigint): void {
    const magnitude = value < 0n ? -1n - value : value;
    if (magnitude > U64_MAX) refuse(`the integer ${value} has more than 64 bits`);
    const major = value < 0n ? 1 : 0;
    if (magnitude <= BigInt(Number.MAX_SAFE_INTEGER)) {
      this.#head(major, Number(magnitude));
      return;
    }
    this.#room(9);
    this.#bytes[this.#at++] = (major << 5) | 27;
    this.#view.setBigUint64(this.#at, magnitude);
    this.#at += 8;
  }

  #number(value: number): void {
    if (!Number.isFinite(value)) refuse(`${value} is not finite`);
    if (Number.isSafeInteger(value)) {
      if (value < 0) this.#head(1, -1 - value);
      else this.#head(0, value);
      return;
    }
    this.#room(9);
    const half = halfOf(value);
    if (half !== undefined) {
      this.#bytes[this.#at++] = 0xf9;
      this.#view.setUint16(this.#at, half);
      this.#at += 2;
    } else if (Math.fround(value) === value) {
      this.#bytes[this.#at++] = 0xfa;
      this.#view.setFloat32(this.#at, value);
      this.#at += 4;
    } else {
      this.#bytes[this.#at++] = 0xfb;
      this.#view.setFloat64(this.#at, value);
      this.#at += 8;
    }
  }

  #text(value: string): Uint8Array {
    // Each UTF-16 unit takes at least one byte: refused before the bytes are made.
    if (value.length > this.#limits.maxBytes)
      refuse(`the value takes more than ${this.#limits.maxBytes} bytes`);
    if (!value.isWellFormed()) refuse('a string holds half of a surrogate pair');
    return utf8Encoder.encode(value);
  }

  write(value: CborValue, depth: number): void {
    if (++this.#items > this.#limits.maxItems)
      refuse(`the value has more than ${this.#limits.maxItems} items`);
    if (value === null) this.#head(7, 22);
    else if (typeof value === 'boolean') this.#head(7, value ? 21 : 20);
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'bigint') this.#big(value);
    else if (typeof value === 'string') {
      const bytes = this.#text(value);
      this.#head(3, bytes.length);
      this.#raw(bytes);
    } else if (value instanceof Uint8Array) {
      this.#head(2, value.length);
      this.#raw(value);
    } else if (typeof value === 'object') {
      if (depth >= this.#limits.maxDepth) refuse(`the value is deeper than ${this.#limits.maxDepth}`);
      if (Array.isArray(value)) {
        this.#head(4, value.length);
        for (let index = 0; index < value.length; index++) this.write(value[index] as CborValue, depth + 1);
      } else this.#map(value as CborMap, depth);
    } else refuse(`${typeof value} has no encoding`);
  }

  #map(value: CborMap, depth: number): void {
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) refuse('only plain objects have an encoding');
    const entries = Object.keys(value).map((key) => ({ bytes: this.#text(key), value: value[key]! }));
    entries.sort((a, b) => compareKeys(a.bytes, b.bytes));
    this.#head(5, entries.length);
    for (const entry of entries) {
      if (++this.#items > this.#limits.maxItems)
        refuse(`the value has more than ${this.#limits.maxItems} items`);
      this.#head(3, entry.bytes.length);
      this.#raw(entry.bytes);
      this.write(entry.value, depth + 1);
    }
  }
}

/** @throws {InputError} `cbor_invalid` for what has no encoding here and for what passes a limit. */
export function encodeCbor(value: CborValue, limits: CborLimits = {}): Uint8Array {
  const writer = new Writer({ ...DEFAULTS, ...limits });
  writer.write(value, 0);
  return writer.done();
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #limits: Required<CborLimits>;
  #at = 0;
  #items = 0;

  constructor(bytes: Uint8Array, limits: Required<CborLimits>) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#limits = limits;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  #skip(count: number): number {
    if (count > this.left) refuse('it ends in the middle of a value');
    const at = this.#at;
    this.#at += count;
    return at;
  }

  #count(): void {
    if (++this.#items > this.#limits.maxItems) refuse(`it has more than ${this.#limits.maxItems} items`);
  }

  /** The argument of a head in its shortest form; beyond 2^53 - 1 as bigint. */
  #argument(info: number): number | bigint {
    if (info < 24) return info;
    let value: number;
    if (info === 24) {
      value = this.#view.getUint8(this.#skip(1));
      if (value >= 24) return value;
    } else if (info === 25) {
      value = this.#view.getUint16(this.#skip(2));
      if (value >= 0x100) return value;
    } else if (info === 26) {
      value = this.#view.getUint32(this.#skip(4));
      if (value >= 0x1_0000) return value;
    } else if (info === 27) {
      const wide = this.#view.getBigUint64(this.#skip(8));
      if (wide >= 0x1_0000_0000n) return wide <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(wide) : wide;
    } else refuse(info === 31 ? 'a length is indefinite' : `the additional information ${info} is reserved`);
    return refuse('a number is not in its shortest form');
  }

  /** A count or length, refused before anything of that size is made: each element takes a byte at least. */
  #length(info: number, bytesEach: number): number {
    const value = this.#argument(info);
    if (typeof value === 'bigint' || value * bytesEach > this.left)
      return refuse('a length is beyond the end');
    return value;
  }

  #textOf(info: number): string {
    const length = this.#length(info, 1);
    const at = this.#skip(length);
    try {
      return utf8Decoder.decode(this.#bytes.subarray(at, at + length));
    } catch {
      return refuse('a string is not UTF-8');
    }
  }

  #float(info: number): number {
    let value: number;
    if (info === 25) value = halfToNumber(this.#view.getUint16(this.#skip(2)));
    else if (info === 26) {
      value = this.#view.getFloat32(this.#skip(4));
      if (Number.isFinite(value) && halfOf(value) !== undefined)
        refuse('a float is not in its shortest form');
    } else {
      value = this.#view.getFloat64(this.#skip(8));
      if (Math.fround(value) === value) refuse('a float is not in its shortest form');
    }
    if (!Number.isFinite(value)) refuse('a float is not finite');
    if (Number.isSafeInteger(value)) refuse('an integer is written as a float');
    return value;
  }

  #simple(info: number): CborValue {
    if (info === 20) return false;
    if (info === 21) return true;
    if (info === 22) return null;
    if (info >= 25 && info <= 27) return this.#float(info);
    return refuse(`the simple value ${info} has no meaning here`);
  }

  value(depth: number): CborValue {
    this.#count();
    const first = this.#bytes[this.#skip(1)]!;
    const info = first & 0x1f;
    switch (first >>> 5) {
      case 0:
        return this.#argument(info);
      case 1: {
        const argument = this.#argument(info);
        if (typeof argument === 'bigint') return -1n - argument;
        // -2^53 itself is the one argument within the safe range whose value is not.
        return argument === Number.MAX_SAFE_INTEGER ? -1n - BigInt(argument) : -1 - argument;
      }
      case 2: {
        const length = this.#length(info, 1);
        const at = this.#skip(length);
        return new Uint8Array(this.#bytes.subarray(at, at + length));
      }
      case 3:
        return this.#textOf(info);
      case 4:
        return this.#array(info, depth);
      case 5:
        return this.#map(info, depth);
      case 6:
        return refuse('tags have no meaning here');
      default:
        return this.#simple(info);
    }
  }

  #deeper(depth: number): number {
    if (depth >= this.#limits.maxDepth) refuse(`it is deeper than ${this.#limits.maxDepth}`);
    return depth + 1;
  }

  #array(info: number, depth: number): CborValue[] {
    const inner = this.#deeper(depth);
    const length = this.#length(info, 1);
    const out: CborValue[] = [];
    for (let index = 0; index < length; index++) out.push(this.value(inner));
    return out;
  }

  #map(info: number, depth: number): CborMap {
    const inner = this.#deeper(depth);
    const length = this.#length(info, 2);
    const out: Record<string, CborValue> = {};
    let last: Uint8Array | undefined;
    for (let index = 0; index < length; index++) {
      this.#count();
      const start = this.#skip(1);
      if (this.#bytes[start]! >>> 5 !== 3) refuse('a key of a map is not a string');
      const key = this.#textOf(this.#bytes[start]! & 0x1f);
      // Whole encodings are compared: the head makes shorter keys come first.
      const encoded = this.#bytes.subarray(start, this.#at);
      if (last !== undefined && Buffer.compare(last, encoded) >= 0)
        refuse('keys are not in order, or twice there');
      last = encoded;
      const value = this.value(inner);
      // Assignment would set the prototype instead of a property.
      if (key === '__proto__')
        Object.defineProperty(out, key, { value, enumerable: true, writable: true, configurable: true });
      else out[key] = value;
    }
    return out;
  }
}

/** Reads one value that fills `bytes`. @throws {InputError} `cbor_invalid` for anything but its one encoding. */
export function decodeCbor(bytes: Uint8Array, limits: CborLimits = {}): CborValue {
  const all = { ...DEFAULTS, ...limits };
  if (bytes.length > all.maxBytes) refuse(`it has ${bytes.length} bytes, more than ${all.maxBytes}`);
  const reader = new Reader(bytes, all);
  const value = reader.value(0);
  if (reader.left > 0) refuse(`${reader.left} bytes follow the value`);
  return value;
}
