/**
 * Characters that are written as something else: `%40` in addresses, `\\u0040` in JSON, `&#64;` in HTML.
 *
 * @module gateway/privacy/escapes
 */
import { isDigit } from './characters.ts';

const AMPERSAND = 38;
const PERCENT = 37;
const BACKSLASH = 92;

export const isEscapeSign = (code: number): boolean =>
  code === PERCENT || code === BACKSLASH || code === AMPERSAND;

export interface Escape {
  readonly code: number;
  /** Units that it is written in. */
  readonly width: number;
}

/** Value of a hexadecimal digit; -1 for anything else. */
function hex(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** The number in `count` hexadecimal digits; -1 when there are none. */
function hexAt(text: string, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const digit = hex(text.charCodeAt(i));
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/** The character that an escape at a place stands for; null where none does. Control characters stay as written. */
export function readEscape(text: string, at: number): Escape | null {
  const sign = text.charCodeAt(at);
  if (sign === PERCENT) {
    // "100%20" and the like: a percentage is no escape.
    if (isDigit(text.charCodeAt(at - 1)) && text.charCodeAt(at + 3) === 32) return null;
    return percentAt(text, at);
  }
  if (sign === BACKSLASH) {
    if (text.charCodeAt(at + 1) !== 117) return null;
    const code = hexAt(text, at + 2, 4);
    return code < 32 || (code >= 0xd800 && code <= 0xdfff) ? null : { code, width: 6 };
  }
  if (sign !== AMPERSAND || text.charCodeAt(at + 1) !== 35) return null;
  const found = /^&#(?:x([\da-f]{1,4})|(\d{1,5}));/i.exec(text.slice(at, at + 8));
  if (found === null) return null;
  const code = found[1] === undefined ? Number(found[2]) : Number.parseInt(found[1], 16);
  return code < 32 || code > 0xffff || (code >= 0xd800 && code <= 0xdfff)
    ? null
    : { code, width: found[0].length };
}

/** One octet, or the octets of one character in UTF-8. */
function percentAt(text: string, at: number): Escape | null {
  const first = hexAt(text, at + 1, 2);
  if (first < 32) return null;
  if (first < 0x80) return { code: first, width: 3 };
  const more = first >= 0xe0 && first < 0xf0 ? 2 : first >= 0xc2 && first < 0xe0 ? 1 : 0;
  if (more === 0) return null;
  let code = more === 2 ? first & 15 : first & 31;
  for (let i = 1; i <= more; i++) {
    const next = text.charCodeAt(at + 3 * i) === PERCENT ? hexAt(text, at + 3 * i + 1, 2) : -1;
    if (next < 0x80 || next > 0xbf) return null;
    code = code * 64 + (next & 63);
  }
  return code >= 0xd800 && code <= 0xdfff ? null : { code, width: 3 * (more + 1) };
}
