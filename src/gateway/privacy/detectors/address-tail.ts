/**
 * What may follow a street: flats and floors, postcodes, towns, states, countries.
 *
 * @module gateway/privacy/detectors/address-tail
 */
import { isDigit, isWord } from '../characters.ts';
import { BREAK, NUMBER, type TextView, WORD } from '../view.ts';
import { ARTICLES, IN_WORDS, UNITS, US_STATES } from './address-words.ts';
import { NO_NAMES } from './name-cues.ts';

/** Parts between commas or line breaks. */
const MAX_PARTS = 6;

/** Last token of the address whose street ends with `last`. */
export function tailOf(view: TextView, last: number): number {
  let end = last;
  for (let part = 0; part < MAX_PARTS; part++) {
    view.steps++;
    const next = partAfter(view, end);
    if (next < 0) return end;
    end = next;
  }
  return end;
}

/** Last token of the next part behind `token`, or -1. */
function partAfter(view: TextView, token: number): number {
  let at = token + 1;
  let comma = false;
  let line = false;
  while (at < token + 4 && (view.isMark(at, ',') || view.isMark(at, '-') || view.kinds[at] === BREAK)) {
    if (view.kinds[at] === BREAK) {
      if (line) return -1;
      line = true;
    }
    comma ||= view.isMark(at, ',');
    at++;
  }
  if (IN_WORDS.has(view.plain(at)) && isPostcode(view, at + 1)) at++;
  if (at >= view.tokens) return -1;
  const unit = unitAt(view, at);
  if (unit >= 0) return unit;
  const uk = isUkPostcode(view, at);
  if (uk >= 0) return uk;
  if (US_STATES.has(view.word(at)) && view.kinds[at + 1] === NUMBER && view.word(at + 1).length === 5)
    return at + 1;
  if (isPostcode(view, at)) {
    let last = at;
    if (view.isMark(last + 1, '-') && view.gap(last) === 0 && view.kinds[last + 2] === NUMBER) last += 2;
    if (/^[A-Z]{2}$/.test(view.word(last + 1) || '-') && view.word(at).length === 4) last++;
    return townFrom(view, last + 1, 0) < 0 ? last : townFrom(view, last + 1, 0);
  }
  if (US_STATES.has(view.word(at)) && comma) return at;
  // "São Paulo - SP, 01310-100"
  if (view.isMark(at - 1, '-') && /^[A-Z]{2}$/.test(view.word(at)) && isPostcodeOrState(view, at + 1))
    return at;
  if (!comma && !line) return -1;
  const town = townFrom(view, at, line ? 1 : 0);
  // Behind a line break only a town with its postcode or state is a part of the address.
  if (town < 0 || !line) return town;
  return isPostcodeOrState(view, town + 1) || isUkPostcode(view, town + 1) >= 0 ? town : -1;
}

function isPostcodeOrState(view: TextView, token: number): boolean {
  const at = view.isMark(token, ',') ? token + 1 : token;
  return isPostcode(view, at) || US_STATES.has(view.word(at));
}

/** Four to six digits in one group. */
function isPostcode(view: TextView, token: number): boolean {
  if (view.kinds[token] !== NUMBER) return false;
  const length = view.ends[token]! - view.starts[token]!;
  if (length < 4 || length > 6) return false;
  const after = view.code(view.ends[token]!);
  return !isWord(after) && !(after === 46 && isDigit(view.code(view.ends[token]! + 1)));
}

/** Up to four words with capitals; articles between them. */
function townFrom(view: TextView, from: number, fewest: number): number {
  let last = -1;
  for (let at = from, words = 0; words < 5 && at < view.tokens; words++, at++) {
    view.steps++;
    const plain = view.plain(at);
    if (isUkPostcode(view, at) >= 0) break;
    const isTown =
      view.isCapital(at) &&
      (!NO_NAMES.has(plain) ||
        /^(?:london|berlin|madrid|paris|new|york|san|las|los|la|el|le|am)$/.test(plain));
    if (isTown) {
      last = at;
      // Stratford-upon-Avon, Aix-en-Provence, L'Aquila
      for (let joins = 0; joins < 3 && isJoined(view, at); joins++) {
        at += 2;
        last = at;
      }
    } else if (!(words > 0 && ARTICLES.has(plain))) break;
  }
  return last >= from + fewest - 1 ? last : -1;
}

const isJoined = (view: TextView, token: number) =>
  (view.isMark(token + 1, '-') || view.isMark(token + 1, "'")) &&
  view.gap(token) === 0 &&
  view.gap(token + 1) === 0 &&
  view.kinds[token + 2] === WORD;

/** "Apt 4B", "#12", "3º B", "2. OG". */
function unitAt(view: TextView, token: number): number {
  let at = token;
  if (view.isMark(at, '#')) return view.kinds[at + 1] === NUMBER ? at + 1 : -1;
  if (/^(?:bajo|izq|izquierda|dcha|derecha)$/.test(view.plain(at))) return pointAfter(view, at);
  if (UNITS.has(view.plain(at))) {
    if (view.isMark(at + 1, '.')) at++;
    if (view.isMark(at + 1, '#')) at++;
    const isShort = at + 1 < view.tokens && view.ends[at + 1]! - view.starts[at + 1]! <= 4;
    if (view.kinds[at + 1] === NUMBER && isShort) {
      const isLetter =
        view.kinds[at + 2] === WORD && view.word(at + 2).length === 1 && view.gap(at + 1) === 0;
      return isLetter ? at + 2 : at + 1;
    }
    return view.kinds[at + 1] === WORD && isShort && view.isCapital(at + 1) && view.word(at + 1).length === 1
      ? at + 1
      : -1;
  }
  if (view.kinds[at] !== NUMBER || view.ends[at]! - view.starts[at]! > 2) return -1;
  // º and ª are letters to Unicode; ° is a sign.
  if (view.isMark(at + 1, '.') && /^[ºª]/.test(view.word(at + 2)) && view.gap(at) === 0) at++;
  const mark = view.word(at + 1);
  if (/^(?:e|er|eme|nd|th|rd|st)$/.test(mark) && /^(?:etage|floor|stock)$/.test(view.plain(at + 2)))
    return at + 2;
  if (!/^[ºª°]/.test(mark) || view.gap(at) > 0) {
    return view.isMark(at + 1, '.') && /^(?:og|stock|etage)$/.test(view.plain(at + 2)) ? at + 2 : -1;
  }
  at++;
  if (view.kinds[at + 1] === WORD && (view.word(at + 1).length === 1 || UNITS.has(view.plain(at + 1)))) {
    return pointAfter(view, at + 1);
  }
  return at;
}

/** The point of an abbreviation that does not end the address: "2º izq., 28004 Madrid". */
const pointAfter = (view: TextView, token: number) =>
  view.isMark(token + 1, '.') && view.isMark(token + 2, ',') ? token + 1 : token;

/** Last token of a UK postcode that begins with `token`, or -1. */
export function isUkPostcode(view: TextView, token: number): number {
  if (view.kinds[token] !== WORD || view.ends[token]! - view.starts[token]! > 2) return -1;
  const start = view.starts[token]!;
  if (!isDigit(view.code(start + 1)) && !isDigit(view.code(start + 2))) return -1;
  const match = /^[A-Z]{1,2}\d[A-Z\d]? ?\d[ABD-HJLNP-UW-Z]{2}/.exec(view.text.slice(start, start + 8));
  view.steps += 8;
  if (match === null || isWord(view.code(start + match[0].length))) return -1;
  const last = view.tokenAt(start + match[0].length) - 1;
  return match[0].length >= 6 || match[0].includes(' ') ? last : -1;
}
