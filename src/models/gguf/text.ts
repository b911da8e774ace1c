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
  const pieces: string[] = [];
  let good = start;
  let at = start;
  while (at < end) {
    const length = sequenceLength(bytes, at, end);
    if (length > 0) {
      at += length;
      continue;
    }
    if (at > good) pieces.push(bytes.toString('utf8', good, at));
    pieces.push(String.fromCharCode(0xdc00 + bytes[at]!));
    at += 1;
    good = at;
  }
  if (at > good) pieces.push(bytes.toString('utf8', good, at));
  return pieces.join('');
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
  const pieces: Buffer[] = [];
  let good = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0xd800 || unit > 0xdfff) continue;
    const next = text.charCodeAt(i + 1);
    if (unit < 0xdc00 && next >= 0xdc00 && next <= 0xdfff) {
      i++;
      continue;
    }
    if (unit < 0xdc80 || unit > 0xdcff) return null;
    pieces.push(Buffer.from(text.slice(good, i), 'utf8'), Buffer.of(unit - 0xdc00));
    good = i + 1;
  }
  pieces.push(Buffer.from(text.slice(good), 'utf8'));
  return Buffer.concat(pieces);
}
