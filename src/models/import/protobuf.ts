/**
 * The little of the protobuf wire format that ONNX files need, over hostile bytes: every length is checked
 * against what is left, and a varint has at most ten bytes.
 *
 * @module models/import/protobuf
 */

import { InputError } from '../../base/index.ts';

/** One field of a message. Numbers are those of wire type 0; `bytes` those of type 2; fixed values are bytes too. */
export interface WireField {
  readonly number: number;
  readonly wire: 0 | 1 | 2 | 5;
  /** Value of a varint (wire 0) as a signed 64-bit number, rounded beyond 2^53. */
  readonly value: number;
  /** Payload of wire 1, 2 and 5: offset and length in the message's buffer. */
  readonly start: number;
  readonly length: number;
}

export function damaged(what: string): InputError {
  return new InputError('onnx_damaged', `The ONNX file is damaged or cut off: ${what}.`);
}

/**
 * The varint at `at` as a signed 64-bit number, and the position after it. Values beyond 2^53 are rounded: callers
 * check the range of whatever they use as a size.
 */
export function readVarint(bytes: Uint8Array, at: number, end: number): { value: number; next: number } {
  let value = 0;
  let scale = 1;
  for (let i = 0; ; i++) {
    if (at + i >= end) throw damaged('a number runs past the end');
    const byte = bytes[at + i] as number;
    if (i === 9) return { value: negative(bytes, at), next: checkLast(byte, at + 10) };
    value += (byte & 127) * scale;
    scale *= 128;
    if (byte < 128) return { value, next: at + i + 1 };
  }
}

/** Only a number with the sign bit set takes ten bytes, and its tenth is 1. */
function checkLast(byte: number, next: number): number {
  if (byte !== 1) throw damaged('a number has more than 64 bits');
  return next;
}

/** Two's complement of a ten-byte varint: minus (the inverted 63 bits plus one). */
function negative(bytes: Uint8Array, at: number): number {
  let inverted = 0;
  for (let i = 8; i >= 0; i--) inverted = inverted * 128 + (~(bytes[at + i] as number) & 127);
  return -(inverted + 1);
}

/** The fields of the message in `bytes[start, end)`, in order. */
export function* fields(bytes: Uint8Array, start = 0, end = bytes.length): Generator<WireField> {
  let at = start;
  while (at < end) {
    const field = fieldAt(bytes, at, end);
    const past = field.start + field.length;
    if (past > end)
      throw damaged(`field ${field.number} claims ${field.length} bytes, ${end - field.start} are left`);
    yield field;
    at = past;
  }
}

/** The field at `at`. Its payload may lie past `end`: the caller checks, since it may not have read it yet. */
export function fieldAt(bytes: Uint8Array, at: number, end: number): WireField {
  const tag = readVarint(bytes, at, end);
  const wire = tag.value & 7;
  const number = Math.floor(tag.value / 8);
  if (!Number.isSafeInteger(tag.value) || number < 1) throw damaged('a field has no valid tag');
  if (wire === 0) {
    const { value, next } = readVarint(bytes, tag.next, end);
    return { number, wire, value, start: next, length: 0 };
  }
  if (wire === 1 || wire === 5)
    return { number, wire, value: 0, start: tag.next, length: wire === 1 ? 8 : 4 };
  if (wire !== 2) throw damaged(`field ${number} has the wire type ${wire}, which ONNX never uses`);
  const length = readVarint(bytes, tag.next, end);
  if (length.value < 0 || !Number.isSafeInteger(length.value))
    throw damaged(`field ${number} claims an impossible length`);
  return { number, wire, value: 0, start: length.next, length: length.value };
}
