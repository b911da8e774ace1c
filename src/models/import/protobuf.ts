/**
 * The little of the protobuf wire format that ONNX files need, over hostile bytes: every length is checked
 * against what is left, and a varint has at most ten bytes.
 *
 * @module models/import/protobuf
 */

import { InputError } from '../../base/errors.ts';

/** One field of a message. Numbers are those of wire type 0; `bytes` those of type 2; fixed values are bytes too. */
export interface WireField {
  readonly number: number;
  readonly wire: 0 | 1 | 2 | 5;
  /** Value of a varint (wire 0), as an unsigned number; -1 when it exceeds 2^53 - 1 (negative int64). */
  readonly value: number;
  /** Payload of wire 1, 2 and 5: offset and length in the message's buffer. */
  readonly start: number;
  readonly length: number;
}

export function damaged(what: string): InputError {
  return new InputError('onnx_damaged', `The ONNX file is damaged or cut off: ${what}.`);
}

/** Position after the varint at `at`, and its value (or -1 above 2^53 - 1). */
export function readVarint(bytes: Uint8Array, at: number, end: number): { value: number; next: number } {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 10; i++) {
    if (at + i >= end) throw damaged('a number runs past the end');
    const byte = bytes[at + i] as number;
    value += (byte & 127) * scale;
    scale *= 128;
    if (byte < 128) return { value: Number.isSafeInteger(value) ? value : -1, next: at + i + 1 };
  }
  throw damaged('a number has more than ten bytes');
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
  if (tag.value < 0 || number < 1) throw damaged('a field has no valid tag');
  if (wire === 0) {
    const { value, next } = readVarint(bytes, tag.next, end);
    return { number, wire, value, start: next, length: 0 };
  }
  if (wire === 1 || wire === 5)
    return { number, wire, value: 0, start: tag.next, length: wire === 1 ? 8 : 4 };
  if (wire !== 2) throw damaged(`field ${number} has the wire type ${wire}, which ONNX never uses`);
  const length = readVarint(bytes, tag.next, end);
  if (length.value < 0) throw damaged(`field ${number} claims an impossible length`);
  return { number, wire, value: 0, start: length.next, length: length.value };
}
