/**
 * The part of Protocol Buffers that Hivemind's messages use (encoding of proto2 and proto3, protobuf.dev): reading within
 * bounds and without copies, unknown fields passed over; writing in the order of field numbers, as Google's encoders do.
 *
 * @module swarm/hivemind/protobuf
 */
import { HivemindFault } from './fault.ts';

export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Of one message, so that a message of empty fields costs no more than its bytes. */
const MAX_FIELDS = 20_000;
const utf8 = new TextDecoder('utf-8', { fatal: true });

export interface Field {
  readonly number: number;
  readonly wire: number;
  /** Of a varint: its low 53 bits, which all counts and enumerations here fit in. */
  readonly integer: number;
  /** A view: of a length-delimited field its content, of a fixed one its 8 or 4 bytes; else empty. */
  readonly bytes: Uint8Array;
}

const NONE = new Uint8Array(0);

/** @throws {HivemindFault} for bytes that are no message, or have too many fields */
export function* readFields(message: Uint8Array): Generator<Field> {
  let at = 0;
  for (let count = 1; at < message.length; count++) {
    if (count > MAX_FIELDS) throw new HivemindFault(`A message has over ${MAX_FIELDS} fields.`);
    const tag = readVarint(message, at);
    at = tag.end;
    const number = Math.floor(tag.value / 8);
    const wire = tag.value % 8;
    if (number === 0 || number > 0x1fff_ffff) throw new HivemindFault('A field has no valid number.');
    if (wire === WIRE.varint) {
      const { value, end } = readVarint(message, at);
      at = end;
      yield { number, wire, integer: value, bytes: NONE };
      continue;
    }
    let length = wire === WIRE.fixed64 ? 8 : 4;
    if (wire === WIRE.bytes) ({ value: length, end: at } = readVarint(message, at));
    // Groups, which were given up long ago, are among the rest.
    else if (wire !== WIRE.fixed64 && wire !== WIRE.fixed32)
      throw new HivemindFault(`A field has the wire type ${wire}.`);
    if (length > message.length - at) throw new HivemindFault('A field is longer than its message.');
    yield { number, wire, integer: 0, bytes: message.subarray(at, at + length) };
    at += length;
  }
}

/**
 * An unsigned varint of at most 10 bytes; bits over 53 are dropped.
 *
 * @throws {HivemindFault} when it does not end
 */
export function readVarint(bytes: Uint8Array, at: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let index = 0; index < 10; index++) {
    const byte = bytes[at + index];
    if (byte === undefined) break;
    if (index < 7) value += (byte & 0x7f) * 2 ** (7 * index);
    else if (index === 7) value += (byte & 0x0f) * 2 ** 49;
    if (byte < 0x80) return { value, end: at + index + 1 };
  }
  throw new HivemindFault('A number does not end.');
}

/** The content of a field that must be bytes. */
export function bytesOf(field: Field): Uint8Array {
  if (field.wire !== WIRE.bytes) throw wrongType(field);
  return field.bytes;
}

export function textOf(field: Field): string {
  try {
    return utf8.decode(bytesOf(field));
  } catch {
    throw new HivemindFault('A text is no UTF-8.');
  }
}

export function integerOf(field: Field): number {
  if (field.wire !== WIRE.varint) throw wrongType(field);
  return field.integer;
}

export function doubleOf(field: Field): number {
  if (field.wire !== WIRE.fixed64) throw wrongType(field);
  return float64(field.bytes, 0);
}

/** Adds a repeated double, packed or not. */
export function pushDoubles(into: number[], field: Field, most: number): void {
  if (field.wire === WIRE.fixed64) pushBounded(into, doubleOf(field), most);
  else {
    const bytes = bytesOf(field);
    if (bytes.length % 8 !== 0) throw new HivemindFault('A list of numbers has a broken length.');
    for (let at = 0; at < bytes.length; at += 8) pushBounded(into, float64(bytes, at), most);
  }
}

/** Adds a repeated bool, packed or not. */
export function pushBools(into: boolean[], field: Field, most: number): void {
  if (field.wire === WIRE.varint) pushBounded(into, field.integer !== 0, most);
  else {
    const bytes = bytesOf(field);
    for (let at = 0; at < bytes.length; ) {
      const { value, end } = readVarint(bytes, at);
      pushBounded(into, value !== 0, most);
      at = end;
    }
  }
}

export function pushBounded<T>(into: T[], item: T, most: number): void {
  if (into.length >= most) throw new HivemindFault(`A list has over ${most} items.`);
  into.push(item);
}

function wrongType({ number, wire }: Field): HivemindFault {
  return new HivemindFault(`Field ${number} has the wire type ${wire}, which it cannot have.`);
}

function float64(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset + at, 8).getFloat64(0, true);
}

/** Puts fields together. Those of the default value are left out by `proto3` methods, written by the others. */
export class ProtobufWriter {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  #push(part: Uint8Array): void {
    this.#parts.push(part);
    this.#length += part.length;
  }

  /** A field of bytes, also when they are none. */
  bytes(number: number, value: Uint8Array): this {
    this.#push(encodeVarint(number * 8 + WIRE.bytes));
    this.#push(encodeVarint(value.length));
    this.#push(value);
    return this;
  }

  text(number: number, value: string): this {
    return this.bytes(number, new TextEncoder().encode(value));
  }

  /** Left out when empty. */
  proto3Bytes(number: number, value: Uint8Array): this {
    return value.length === 0 ? this : this.bytes(number, value);
  }

  proto3Integer(number: number, value: number): this {
    if (value === 0) return this;
    this.#push(encodeVarint(number * 8 + WIRE.varint));
    this.#push(encodeVarint(value));
    return this;
  }

  proto3Double(number: number, value: number): this {
    // -0 is no default.
    if (Object.is(value, 0)) return this;
    this.#push(encodeVarint(number * 8 + WIRE.fixed64));
    this.#push(doubles([value]));
    return this;
  }

  packedDoubles(number: number, values: readonly number[]): this {
    return this.proto3Bytes(number, doubles(values));
  }

  packedBools(number: number, values: readonly boolean[]): this {
    return this.proto3Bytes(
      number,
      Uint8Array.from(values, (value) => (value ? 1 : 0)),
    );
  }

  finish(): Uint8Array {
    const out = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }
}

function doubles(values: readonly number[]): Uint8Array {
  const out = new Uint8Array(values.length * 8);
  const view = new DataView(out.buffer);
  for (const [index, value] of values.entries()) view.setFloat64(index * 8, value, true);
  return out;
}

/** @param value a whole number, 0 to 2^53 - 1 */
export function encodeVarint(value: number): Uint8Array {
  const out: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) out.push((rest % 128) | 0x80);
  out.push(rest);
  return Uint8Array.from(out);
}
