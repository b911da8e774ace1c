/**
 * Payment cards and IBANs.
 *
 * @module gateway/privacy/detectors/accounts
 */
import { isAlphanumeric, isDigit, isWord } from '../characters.ts';
import { CARD_CUE, IBAN_CUE } from '../cues.ts';
import type { Detector, Span } from '../types.ts';
import { NUMBER, type TextView, WORD } from '../view.ts';
import { type Chain, digitsOf, endsThere, readChain } from './chain.ts';
import { isIbanChecksum, isLuhn } from './checksums.ts';

/** First digits as numbers of a given length, from and to, and how many digits such cards have. */
const BRANDS: readonly (readonly [
  kind: string,
  prefix: number,
  from: number,
  to: number,
  lengths: readonly number[],
])[] = [
  ['visa', 1, 4, 4, [13, 16, 19]],
  ['mastercard', 2, 51, 55, [16]],
  ['mastercard', 4, 2221, 2720, [16]],
  ['amex', 2, 34, 34, [15]],
  ['amex', 2, 37, 37, [15]],
  ['discover', 4, 6011, 6011, [16, 19]],
  ['discover', 3, 644, 659, [16, 19]],
  ['diners', 3, 300, 305, [14]],
  ['diners', 2, 36, 36, [14]],
  ['diners', 2, 38, 39, [14]],
  ['jcb', 4, 3528, 3589, [16]],
  ['unionpay', 2, 62, 62, [16, 17, 18, 19]],
  ['mir', 4, 2200, 2204, [16]],
  ['rupay', 2, 60, 60, [16]],
  ['rupay', 2, 81, 82, [16]],
  ['maestro', 2, 50, 50, [16, 18, 19]],
  ['maestro', 2, 56, 58, [16, 18, 19]],
  ['maestro', 2, 67, 67, [16, 18, 19]],
];

export const cards: Detector = {
  name: 'card',
  classes: ['card'],
  detect(view) {
    const spans: Span[] = [];
    for (let token = 0; token < view.tokens; token++) {
      view.steps++;
      if (view.kinds[token] !== NUMBER) continue;
      const chain = readChain(view, token);
      const span = (chain === null || chain.plus ? null : cardAt(view, chain)) ?? signedCardAt(view, token);
      if (span === null) continue;
      spans.push(span);
      while (token + 1 < view.tokens && view.starts[token + 1]! < span.end) token++;
    }
    return spans;
  },
};

function cardAt(view: TextView, chain: Chain): Span | null {
  const start = view.starts[chain.token]!;
  let digits = 0;
  for (let count = 1; count <= chain.groups.length; count++) {
    digits += chain.groups[count - 1]!.length;
    if (digits > 19) return null;
    if (digits < 13) continue;
    const end = chain.ends[count - 1]!;
    if (!isGrouped(chain, count) || isWord(view.code(end))) continue;
    const number = digitsOf(chain, count);
    const brand = brandOf(number);
    view.steps += number.length;
    const cue = view.cueBefore(CARD_CUE, start, 50) < 50;
    if ((brand === null && !cue) || !isLuhn(number)) continue;
    if (!cue && !endsThere(view, end)) continue;
    return { class: 'card', start, end, confidence: cue ? 0.99 : 0.9, kind: brand ?? 'card' };
  }
  return null;
}

/** Groups as cards are written: of three digits or more, the same sign between all of them. */
function isGrouped(chain: Chain, count: number): boolean {
  for (let i = 1; i < count; i++) {
    if (chain.separators[i - 1] !== chain.separators[0] || chain.separators[0] === ')') return false;
    if (chain.groups[i]!.length < 3 && i < count - 1) return false;
  }
  return count === 1 || chain.groups[0]!.length >= 4;
}

/** Signs of which one, the same between all groups, may stand where cards have a blank. */
const CARD_SIGNS = '_|.\n';
/** Groups of digits of cards, and digits one by one. */
const CARD_SHAPE = /^(?:4(?:,4){3}|4,6,5|1(?:,1){12,18}|1[3-9])$/;
const MAX_CARD = 19;

/** `4111_1111_1111_1111`, `4.1.1.1...`, a group on each line: whole runs only, as columns of numbers look alike. */
function signedCardAt(view: TextView, token: number): Span | null {
  const start = view.starts[token]!;
  const sign = CARD_SIGNS.indexOf(view.text[view.ends[token]!] ?? '-');
  const before = view.code(start - 1);
  if (isWord(before) && before !== 95) return null;
  if (sign < 0 && before !== 95) return null;
  const between = CARD_SIGNS[sign] ?? '_';
  let number = '';
  let shape = '';
  let end = start;
  for (let at = token; at < view.tokens && view.kinds[at] === NUMBER && number.length <= MAX_CARD; at += 2) {
    view.steps++;
    if (view.ends[at]! - view.starts[at]! > MAX_CARD) return null;
    number += view.word(at);
    shape += `${at === token ? '' : ','}${view.ends[at]! - view.starts[at]!}`;
    end = view.ends[at]!;
    if (view.text[end] !== between || view.starts[at + 2] !== end + 1) break;
  }
  view.steps += shape.length;
  // A run that began before this place or goes on after it is something else.
  const goesOn = view.text[start - 1] === between && isDigit(view.code(start - 2));
  const after = view.code(end);
  if (goesOn || !CARD_SHAPE.test(shape) || (isWord(after) && after !== 95)) return null;
  const brand = brandOf(number);
  if (brand === null || !isLuhn(number)) return null;
  return { class: 'card', start, end, confidence: 0.8, kind: brand };
}

function brandOf(number: string): string | null {
  for (const [kind, prefix, from, to, lengths] of BRANDS) {
    const value = Number(number.slice(0, prefix));
    if (value >= from && value <= to && lengths.includes(number.length)) return kind;
  }
  return null;
}

/** Characters of an IBAN by country, ISO 13616 registry; other countries have 15 to 34. */
const IBAN_LENGTHS: Readonly<Record<string, number>> = {
  ...{
    AD: 24,
    AE: 23,
    AL: 28,
    AT: 20,
    AZ: 28,
    BA: 20,
    BE: 16,
    BG: 22,
    BH: 22,
    BR: 29,
    CH: 21,
    CR: 22,
    CY: 28,
  },
  ...{
    CZ: 24,
    DE: 22,
    DK: 18,
    DO: 28,
    EE: 20,
    EG: 29,
    ES: 24,
    FI: 18,
    FO: 18,
    FR: 27,
    GB: 22,
    GE: 22,
    GI: 23,
  },
  ...{
    GL: 18,
    GR: 27,
    GT: 28,
    HR: 21,
    HU: 28,
    IE: 22,
    IL: 23,
    IQ: 23,
    IS: 26,
    IT: 27,
    JO: 30,
    KW: 30,
    KZ: 20,
  },
  ...{
    LB: 28,
    LI: 21,
    LT: 20,
    LU: 20,
    LV: 21,
    MC: 27,
    MD: 24,
    ME: 22,
    MK: 19,
    MR: 27,
    MT: 31,
    MU: 30,
    NL: 18,
  },
  ...{
    NO: 15,
    PK: 24,
    PL: 28,
    PT: 25,
    QA: 29,
    RO: 24,
    RS: 22,
    SA: 24,
    SE: 24,
    SI: 19,
    SK: 24,
    SM: 27,
    TN: 24,
  },
  ...{ TR: 26, UA: 29, VA: 22, VG: 24, XK: 20 },
};

export const ibans: Detector = {
  name: 'iban',
  classes: ['iban'],
  detect(view) {
    const spans: Span[] = [];
    for (let token = 0; token + 1 < view.tokens; token++) {
      view.steps++;
      if (view.kinds[token] !== WORD || view.ends[token]! - view.starts[token]! !== 2) continue;
      const span = ibanAt(view, view.starts[token]!);
      if (span !== null) spans.push(span);
    }
    return spans;
  },
};

function ibanAt(view: TextView, start: number): Span | null {
  if (isWord(view.code(start - 1)) || !isDigit(view.code(start + 2))) return null;
  if (IBAN_LENGTHS[view.text.slice(start, start + 2).toUpperCase()] === undefined) {
    // Two letters and digits begin many things: other countries only where a word says so.
    if (view.cueBefore(IBAN_CUE, start, 30) > 30) return null;
  }
  let compact = '';
  const country = view.text.slice(start, start + 2).toUpperCase();
  const wanted = IBAN_LENGTHS[country];
  const limit = wanted ?? 34;
  // Every character may have a sign before it.
  for (let i = start; i < start + 2 * limit && compact.length < limit; i++) {
    view.steps++;
    const code = view.code(i);
    if (isAlphanumeric(code)) {
      compact += view.text[i]!.toUpperCase();
      const next = view.code(i + 1);
      const complete =
        wanted === undefined ? compact.length >= 15 && !isWord(next) : compact.length === wanted;
      if (complete && !isWord(next) && isIbanChecksum(compact)) {
        return { class: 'iban', start, end: i + 1, confidence: 0.99, kind: `iban_${country.toLowerCase()}` };
      }
    } else if ((code !== 32 && code !== 45 && code !== 46) || !isAlphanumeric(view.code(i + 1))) return null;
  }
  return null;
}
