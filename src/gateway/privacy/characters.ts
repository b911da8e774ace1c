/**
 * What kind of character a UTF-16 unit is, and what plain character a look-alike stands for.
 *
 * @module gateway/privacy/characters
 */

export const SPACE = 1;
export const NEWLINE = 2;
export const DIGIT = 3;
export const UPPER = 4;
export const LOWER = 5;
/** Letters without case. */
export const LETTER = 6;
export const SIGN = 7;

const LETTERS = /\p{L}/u;
const UPPERCASE = /[\p{Lu}\p{Lt}]/u;
const LOWERCASE = /\p{Ll}/u;

/** Filled as characters are met: asking the regular expressions for each character of a text would be slow. */
const KINDS = new Uint8Array(65_536);

export function kindOf(code: number): number {
  const known = KINDS[code]!;
  if (known !== 0) return known;
  const kind = classify(code);
  KINDS[code] = kind;
  return kind;
}

function classify(code: number): number {
  if (code === 10 || code === 13 || code === 0x2028 || code === 0x2029) return NEWLINE;
  if (code === 32 || code === 9) return SPACE;
  if (code >= 48 && code <= 57) return DIGIT;
  const character = String.fromCharCode(code);
  if (UPPERCASE.test(character)) return UPPER;
  if (LOWERCASE.test(character)) return LOWER;
  return LETTERS.test(character) ? LETTER : SIGN;
}

export const isLetter = (code: number): boolean => {
  const kind = kindOf(code);
  return kind >= UPPER && kind <= LETTER;
};

export const isDigit = (code: number): boolean => code >= 48 && code <= 57;

/** Letters and digits of any script, and `_`. False for NaN, which is what stands before and after a text. */
export const isWord = (code: number): boolean => {
  const kind = kindOf(code);
  return (kind >= DIGIT && kind <= LETTER) || code === 95;
};

/** A-Z, a-z, 0-9. */
export const isAlphanumeric = (code: number): boolean =>
  (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);

/** The character is left out of the view: zero-width, soft hyphens, direction marks, combining marks. */
export const DROPPED = -1;

/** Zeros of the decimal digits of other scripts. */
const ZEROS = [0x0660, 0x06f0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0e50];

/** The plain character that `code` (one UTF-16 unit above 0x7f) stands for; itself when it stands for nothing else. */
export function foldCode(code: number): number {
  if (code < 0x300) {
    if (code === 0xa0) return 32;
    return code === 0xad ? DROPPED : code;
  }
  if (code <= 0x36f) return DROPPED;
  if (code < 0x2000) {
    for (const zero of ZEROS) if (code >= zero && code <= zero + 9) return 48 + code - zero;
    if (code === 0x61c || code === 0x180e) return DROPPED;
    return code === 0x1680 ? 32 : code;
  }
  if (code < 0x2070) return foldPunctuation(code);
  // Marks around and through other characters: the frames of keycaps.
  if (code >= 0x20d0 && code <= 0x20ff) return DROPPED;
  if (code === 0x2212) return 45;
  // Letters in circles, capitals first.
  if (code >= 0x24b6 && code <= 0x24e9) return code < 0x24d0 ? code - 0x24b6 + 65 : code - 0x24d0 + 97;
  if (code === 0x3000) return 32;
  if (code >= 0xfe00 && code <= 0xfe0f) return DROPPED;
  if (code === 0xfe58 || code === 0xfe63) return 45;
  if (code === 0xfe6b) return 64;
  if (code === 0xfeff) return DROPPED;
  return code >= 0xff01 && code <= 0xff5e ? code - 0xfee0 : code;
}

function foldPunctuation(code: number): number {
  if (code <= 0x200a || code === 0x202f || code === 0x205f) return 32;
  if (code <= 0x200f || (code >= 0x202a && code <= 0x202e) || code >= 0x2060) return DROPPED;
  if (code <= 0x2013) return 45;
  if (code === 0x2019) return 39;
  return code === 0x2024 ? 46 : code;
}

/**
 * Letters and digits of the mathematical alphabets, which are drawn as styled ASCII (U+1D400 to U+1D7FF), and tags, which
 * are ASCII that is not drawn (U+E0020 to U+E007E).
 */
export function foldPair(high: number, low: number): number {
  if (high === 0xdb40 && low >= 0xdc20 && low <= 0xdc7e) return low - 0xdc00;
  if (high !== 0xd835 || low < 0xdc00) return DROPPED;
  const folded = String.fromCharCode(high, low).normalize('NFKC');
  return folded.length === 1 ? folded.charCodeAt(0) : DROPPED;
}
