/**
 * Character classes, lower case and decomposition as the reference tokenizers see them: Unicode 15.
 *
 * The JavaScript engine knows a newer Unicode. Models were trained with code points that joined later being
 * unassigned, so those are listed here and stay unassigned. Checked for every code point against the tables of
 * llama.cpp v0.4.0.
 *
 * @module engine/tokenizer/unicode
 */

export const UNASSIGNED = 0x01;
export const NUMBER = 0x02;
export const LETTER = 0x04;
export const SEPARATOR = 0x08;
export const MARK = 0x10;
export const PUNCTUATION = 0x20;
export const SYMBOL = 0x40;
export const CONTROL = 0x80;
export const WHITESPACE = 0x100;

/** Ranges (inclusive, hexadecimal) that hold only code points unassigned in Unicode 15. */
const LATER =
  `88f 897 c5c cdc 1acf-1aeb 1b4e-1b4f 1b7f 1c89-1c8a 20c1 2427-2429 2b96 31e4-31e5 a7cb-a7cf a7d2 a7d4
a7da-a7f1 fbc3-fbd2 fd90-fd91 fdc8-fdce 105c0-105f3 10940-10959 10d40-10d8f 10ec2-10efc 11380-113e2 116d0-116e3
11b60-11bf9 11db0-11de9 11f5a 13460-143fa 16100-16139 16d40-16d79 16ea0-16ed3 16ff2-16ff6 187f8-187ff 18cff
18d09-18df2 1cc00-1cef0 1e5d0-1e6ff 1f6d8 1f777-1f77a 1f8b2-1f8d8 1fa54-1fa57 1fa89-1fa8f 1fabe 1fac6-1facd
1fadc-1fadf 1fae9-1faef 1fbcb-1fbef 1fbfa 2b73a-2b73f 2cea2-2cead 323b0-33479`
    .split(/\s+/)
    .map((range) => range.split('-').map((hex) => Number.parseInt(hex, 16)))
    .map(([first, last]) => [first!, last ?? first!] as const);

const CATEGORIES: readonly (readonly [RegExp, number])[] = [
  [/\p{L}/u, LETTER],
  [/\p{N}/u, NUMBER],
  [/\p{P}/u, PUNCTUATION],
  [/\p{S}/u, SYMBOL],
  [/\p{M}/u, MARK],
  [/\p{Z}/u, SEPARATOR],
  [/\p{Cn}/u, UNASSIGNED],
  [/\p{C}/u, CONTROL],
];

/** White space of the reference: `\s` of JavaScript without U+FEFF, with U+0085. */
const SPACE = /[\t-\r \x85\xA0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]/;

const pages: (Uint16Array | undefined)[] = [];

function isLater(codePoint: number): boolean {
  return LATER.some(([first, last]) => codePoint >= first && codePoint <= last);
}

function classify(codePoint: number): number {
  if (isLater(codePoint)) return UNASSIGNED;
  const character = String.fromCodePoint(codePoint);
  const category = CATEGORIES.find(([pattern]) => pattern.test(character))?.[1] ?? UNASSIGNED;
  return SPACE.test(character) ? category | WHITESPACE : category;
}

/** General category of a code point (one bit) with `WHITESPACE` added. Computed a page of 256 at a time. */
export function classOf(codePoint: number): number {
  const number = codePoint >> 8;
  let page = pages[number];
  if (page === undefined) {
    page = new Uint16Array(256);
    for (let i = 0; i < 256; i++) page[i] = classify((number << 8) | i);
    pages[number] = page;
  }
  return page[codePoint & 0xff]!;
}

/** First code point of the simple lower-case mapping. */
export function lowerCase(codePoint: number): number {
  if (codePoint < 0x80) return codePoint >= 0x41 && codePoint <= 0x5a ? codePoint + 0x20 : codePoint;
  if (isLater(codePoint)) return codePoint;
  const lower = String.fromCodePoint(codePoint).toLowerCase().codePointAt(0)!;
  return isLater(lower) ? codePoint : lower;
}

/** First code point of the canonical decomposition (the reference keeps only that one). */
export function firstOfDecomposition(codePoint: number): number {
  if (codePoint < 0xc0 || isLater(codePoint)) return codePoint;
  return String.fromCodePoint(codePoint).normalize('NFD').codePointAt(0)!;
}

/** CJK ideographs by block, as the Kimi pre-tokenizer tells them apart. */
export function isHan(codePoint: number): boolean {
  return (
    (codePoint >= 0x3400 && codePoint <= 0x4dbf) ||
    (codePoint >= 0x4e00 && codePoint <= 0x9fff) ||
    (codePoint >= 0xf900 && codePoint <= 0xfaff) ||
    (codePoint >= 0x20000 && codePoint <= 0x2a6df) ||
    (codePoint >= 0x2a700 && codePoint <= 0x2ebef) ||
    (codePoint >= 0x2f800 && codePoint <= 0x2fa1f)
  );
}
