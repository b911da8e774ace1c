/**
 * Addresses without a street: post-office boxes, towns with their postcodes, and what stands after "address:".
 *
 * @module gateway/privacy/detectors/address-places
 */
import { isDigit, isWord } from '../characters.ts';
import type { Span } from '../types.ts';
import { BREAK, NUMBER, type TextView, WORD } from '../view.ts';
import { isUkPostcode, tailOf } from './address-tail.ts';
import { ADDRESS_LABELS, US_STATES } from './address-words.ts';

const MAX_LINE = 160;

/** Tokens, both included. */
export interface Street {
  readonly first: number;
  readonly last: number;
  readonly confidence: number;
}

/** "PO Box 123", "P.O. Box 7", "Postfach 10 20 30", "Apartado 55". */
export function box(view: TextView, token: number): Street | null {
  const plain = view.plain(token);
  const isBox =
    plain === 'box' && /^(?:po|o)$/.test(view.plain(view.isMark(token - 1, '.') ? token - 2 : token - 1));
  if (!isBox && plain !== 'postfach' && plain !== 'postbus') return null;
  let last = token;
  while (last < token + 4 && view.kinds[last + 1] === NUMBER) last++;
  if (last === token) return null;
  let first = token;
  if (isBox) {
    while (first > 0 && first > token - 4 && /^(?:po|p|o|\.)$/i.test(view.word(first - 1))) first--;
  }
  return { first, last, confidence: 0.9 };
}

/** Towns with postcodes that are plain without a street: "Portland, OR 97205", "SW1A 1AA", "D-10115 Berlin". */
export function townAt(view: TextView, token: number): Street | null {
  if (view.kinds[token] !== WORD || isWord(view.code(view.starts[token]! - 1))) return null;
  if (view.ends[token]! - view.starts[token]! > 2) return null;
  const uk = isUkPostcode(view, token);
  if (uk >= 0) return { first: token, last: uk, confidence: 0.75 };
  if (
    /^(?:D|CH|A|F|E|I|NL)$/.test(view.word(token)) &&
    view.isMark(token + 1, '-') &&
    view.gap(token) === 0
  ) {
    const length = view.kinds[token + 2] === NUMBER ? view.ends[token + 2]! - view.starts[token + 2]! : 0;
    if ((length === 4 || length === 5) && view.isCapital(token + 3)) {
      return { first: token, last: tailOf(view, token + 2), confidence: 0.8 };
    }
  }
  const isState = US_STATES.has(view.word(token)) && view.isMark(token - 1, ',') && view.isCapital(token - 2);
  if (!isState || view.kinds[token + 1] !== NUMBER || view.word(token + 1).length !== 5) return null;
  let first = token - 2;
  while (first > token - 5 && view.isCapital(first - 1) && view.gap(first - 1) === 1) first--;
  return { first, last: tailOf(view, token + 1), confidence: 0.85 };
}

/** "Address: ...": the rest of the line, when a number and a word are in it. */
export function afterLabel(view: TextView, token: number): Span | null {
  if (!ADDRESS_LABELS.has(view.plain(token))) return null;
  let at = token + 1;
  if (view.isMark(at, '"')) at++;
  if (!view.isMark(at, ':')) return null;
  at++;
  while (view.isMark(at, '"') || view.isMark(at, '*')) at++;
  if (at >= view.tokens || view.kinds[at] === BREAK || view.isMark(at, '{')) return null;
  const start = view.starts[at]!;
  let end = start;
  let hasDigit = false;
  for (; end < Math.min(view.text.length, start + MAX_LINE); end++) {
    view.steps++;
    const code = view.code(end);
    if (code === 10 || code === 13 || code === 34 || code === 59 || code === 64) break;
    // A sentence ends here: a point, a space and a capital, when a number came before.
    if (hasDigit && code === 46 && view.code(end + 1) === 32 && end - start > 12 && view.code(end - 3) !== 32)
      break;
    hasDigit ||= isDigit(code);
  }
  while (end > start && ' .,'.includes(view.text[end - 1]!)) end--;
  return hasDigit && end - start > 8 && /\p{L}{3}/u.test(view.text.slice(start, end))
    ? { class: 'address', start, end, confidence: 0.7 }
    : null;
}
