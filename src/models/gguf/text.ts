/**
 * Strings of a GGUF, without loss. The format says UTF-8, but files with other bytes in token strings exist and
 * llama.cpp reads them. A byte that is not part of valid UTF-8 becomes the lone surrogate U+DC00 + byte (the
 * "surrogate escape" of PEP 383), which no valid UTF-8 can produce; writing turns it back into the byte. Two
 * different broken tokens stay different. `text.isWellFormed()` tells whether any were met and
 * `text.toWellFormed()` gives text with U+FFFD in their place.
 *
 * @module models/gguf/text
 */

import { isUtf8 } from 'node:buffer';

/** Decodes bytes [start, end). */
export function decodeText(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end);
  // U+FFFD is in the text when the decoder put it there, or when the file really has one.
  if (!text.includes('\uFFFD') || isUtf8(bytes.subarray(start, end))) return text;
  return decodeEscaped(bytes, start, end);
}

/** True if bytes [start, end) are valid UTF-8. */
export function isText(bytes: Buffer, start: number, end: number): boolean {
  return isUtf8(bytes.subarray(start, end));
}

function decodeEscaped(bytes: Buffer, start: number, end: number): string {
  const units = new Uint16Array(end - start);
  let count = 0;
  let at = start;
  while (at < end) {
    const lead = bytes[at]!;
    const length = sequenceLength(bytes, at, end);
    if (length === 0) units[count++] = 0xdc00 + lead;
    else if (length === 1) units[count++] = lead;
    else if (length === 2) units[count++] = ((lead & 0x1f) << 6) | (bytes[at + 1]! & 0x3f);
    else {
      const upper = ((bytes[at + 1]! & 0x3f) << 6) | (bytes[at + 2]! & 0x3f);
      if (length === 3) units[count++] = ((lead & 0x0f) << 12) | upper;
      else {
        const point = (((lead & 0x07) << 18) | (upper << 6) | (bytes[at + 3]! & 0x3f)) - 0x10000;
        units[count++] = 0xd800 | (point >>> 10);
        units[count++] = 0xdc00 | (point & 0x3ff);
      }
    }
    at += Math.max(1, length);
  }
  return Buffer.from(units.buffer, 0, count * 2).toString('utf16le');
}

/** Length of the well-formed UTF-8 sequence at `at` (Unicode 15, table 3-7), or 0. */
function sequenceLength(bytes: Buffer, at: number, end: number): number {
  const lead = bytes[at]!;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (at + length > end) return 0;
  const second = bytes[at + 1]!;
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i = 2; i < length; i++) {
    const next = bytes[at + i]!;
    if (next < 0x80 || next > 0xbf) return 0;
  }
  return length;
}

/** Encodes text that may hold escaped bytes; null when it holds another lone surrogate, which stands for no byte. */
export function encodeText(text: string): Buffer | null {
  if (text.isWellFormed()) return Buffer.from(text, 'utf8');
  const bytes = Buffer.allocUnsafe(text.length * 3);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const point = text.codePointAt(i)!;
    if (point >= 0xdc80 && point <= 0xdcff) {
      bytes[length++] = point - 0xdc00;
      continue;
    }
    if (point >= 0xd800 && point <= 0xdfff) return null;
    if (point < 0x80) bytes[length++] = point;
    else length += bytes.write(String.fromCodePoint(point), length, 'utf8');
    if (point > 0xffff) i++;
  }
  return bytes.subarray(0, length);
}
