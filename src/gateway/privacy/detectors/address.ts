/**
 * Postal addresses: streets with their numbers as English, German, Dutch, Spanish, French, Italian and Portuguese write
 * them, and the localities behind them; post-office boxes; what stands after "address:".
 *
 * @module gateway/privacy/detectors/address
 */
import { isDigit, isWord } from '../characters.ts';
import { ADDRESS_CUE } from '../cues.ts';
import type { Detector, Span } from '../types.ts';
import { NUMBER, type TextView, WORD } from '../view.ts';
import { afterLabel, box, type Street, townAt } from './address-places.ts';
import { tailOf } from './address-tail.ts';
import {
  ADJECTIVES,
  ARTICLES,
  FRENCH_TYPES,
  GERMAN_STARTS,
  NO_STREETS,
  STREET_ENDINGS,
  STREET_SUFFIXES,
  STREET_TYPES,
  US_STATES,
  WEAK_ENDINGS,
} from './address-words.ts';
import { MONTHS } from './birth-dates.ts';
import { NO_NAMES } from './name-cues.ts';

const REACH = 60;
const MAX_WORDS = 6;

export const addresses: Detector = {
  name: 'address',
  classes: ['address'],
  detect(view) {
    const spans: Span[] = [];
    const add = (first: number, last: number, confidence: number) =>
      spans.push({ class: 'address', start: view.starts[first]!, end: view.ends[last]!, confidence });
    for (let token = 0; token < view.tokens; token++) {
      view.steps++;
      const labelled = afterLabel(view, token);
      if (labelled !== null) spans.push(labelled);
      const street = streetAt(view, token);
      if (street !== null) {
        const last = tailOf(view, street.last);
        add(street.first, last, street.confidence);
        token = last;
        continue;
      }
      const town = townAt(view, token);
      if (town !== null) {
        add(town.first, town.last, town.confidence);
        token = town.last;
      }
    }
    return spans;
  },
};

function streetAt(view: TextView, token: number): Street | null {
  if (view.kinds[token] === NUMBER) return numberFirst(view, token);
  if (view.kinds[token] !== WORD || isWord(view.code(view.starts[token]! - 1))) return null;
  return (
    typeFirst(view, token) ?? endingWithNumber(view, token) ?? germanStart(view, token) ?? box(view, token)
  );
}

/** A house number: up to five digits, a letter behind them. Its last token, or -1. */
function houseNumber(view: TextView, token: number): number {
  if (view.kinds[token] !== NUMBER || view.ends[token]! - view.starts[token]! > 5) return -1;
  let last = token;
  const next = token + 1;
  const isLetter = view.kinds[next] === WORD && view.ends[next]! - view.starts[next]! === 1;
  // "12a", "12 B": a single letter that ends a word, but not "12 I" nor "12 y".
  if (isLetter && (view.gap(token) === 0 || (view.gap(token) === 1 && /^[A-H]$/.test(view.word(next)))))
    last = next;
  // "12-14", "12/3"
  const sign = view.isMark(last + 1, '-') || view.isMark(last + 1, '/');
  if (sign && view.gap(last) === 0 && view.kinds[last + 2] === NUMBER && view.gap(last + 1) === 0) last += 2;
  return view.code(view.ends[last]!) === 37 || (isWord(view.code(view.ends[last]!)) && last === token)
    ? -1
    : last;
}

/** "221B Baker Street", "1600 Pennsylvania Avenue NW", "350 5th Ave", "12 bis, rue de la Paix". */
function numberFirst(view: TextView, token: number): Street | null {
  const before = view.code(view.starts[token]! - 1);
  if (isWord(before) || ((before === 46 || before === 44) && isDigit(view.code(view.starts[token]! - 2))))
    return null;
  const number = houseNumber(view, token);
  if (number < 0) return null;
  let at = number + 1;
  if (/^(?:bis|ter|quater)$/.test(view.plain(at))) at++;
  if (view.isMark(at, ',')) at++;
  if (FRENCH_TYPES.has(view.plain(at))) {
    const last = nameWords(view, view.isMark(at + 1, '.') ? at + 2 : at + 1);
    if (last >= 0) return { first: token, last, confidence: 0.9 };
  }
  let capitals = 0;
  for (let words = 0; words < MAX_WORDS && at < view.tokens; words++) {
    view.steps++;
    const plain = view.plain(at);
    if (capitals > 0 && STREET_SUFFIXES.has(plain) && view.isCapital(at)) {
      let last = at;
      if (view.isMark(last + 1, '.') && view.gap(last) === 0 && !view.isMark(last + 2, '.'))
        last = abbreviation(view, last);
      if (
        /^(?:n|s|e|w|ne|nw|se|sw|north|south|east|west)$/.test(view.plain(last + 1)) &&
        view.isCapital(last + 1)
      )
        last++;
      // "Park Place" is followed by no further suffix; "Hill Road" is.
      if (STREET_SUFFIXES.has(view.plain(last + 1)) && view.isCapital(last + 1) && last === at) last++;
      return { first: token, last, confidence: 0.9 };
    }
    // "5th", "42nd", "N.", "St. John's"
    const isOrdinal =
      view.kinds[at] === NUMBER && /^(?:st|nd|rd|th)$/.test(view.plain(at + 1)) && view.gap(at) === 0;
    if (isOrdinal) at++;
    else if (!view.isCapital(at)) break;
    capitals++;
    at++;
    if ((view.isMark(at, '.') || view.isMark(at, "'") || view.isMark(at, '-')) && view.gap(at - 1) === 0) {
      at++;
      if (view.plain(at) === 's' && view.gap(at - 1) === 0) at++;
    }
  }
  return capitals > 0 ? beforeTown(view, token, at - 1) : null;
}

/** "192 Broadway, Leeds LS4 1AB": any name between a number and a town with its postcode. */
function beforeTown(view: TextView, first: number, last: number): Street | null {
  if (!view.isCapital(last)) return null;
  const end = tailOf(view, last);
  if (end === last) return null;
  const isState = view.kinds[end] === NUMBER && US_STATES.has(view.word(end - 1));
  const isUk = /\d[A-Z]{2}$/.test(view.text.slice(view.starts[last]!, view.ends[end]!));
  return isState || isUk ? { first, last, confidence: 0.75 } : null;
}

/** The point of "St." belongs to the address when the address goes on behind it. */
function abbreviation(view: TextView, token: number): number {
  const next = token + 2;
  const goesOn =
    view.isMark(next, ',') ||
    view.isMark(next, '#') ||
    view.kinds[next] === NUMBER ||
    /^(?:apt|suite|unit|ste|fl)$/.test(view.plain(next));
  return goesOn ? token + 1 : token;
}

/** Last token of a street's name: capitals with articles between them; -1 when there is none. */
function nameWords(view: TextView, from: number): number {
  let last = -1;
  let at = from;
  for (let words = 0; words < MAX_WORDS && at < view.tokens; words++) {
    view.steps++;
    if (
      view.isCapital(at) &&
      !(last >= 0 && NO_NAMES.has(view.plain(at)) && view.gap(at - 1) > 0 && !ARTICLES.has(view.plain(at)))
    )
      last = at;
    else if (isDateName(view, at)) {
      // "Calle 8 de Marzo", "rue du 8 mai 1945", "Straße des 17. Juni"
      at += /^(?:de|\.)$/.test(view.word(at + 1)) ? 2 : 1;
      if (view.kinds[at + 1] === NUMBER && view.word(at + 1).length === 4 && !view.isCapital(at)) at++;
      last = at;
    } else if (!ARTICLES.has(view.plain(at))) break;
    at++;
    if (
      (view.isMark(at, "'") || view.isMark(at, '-') || view.isMark(at, '.')) &&
      view.gap(at - 1) === 0 &&
      view.gap(at) === 0
    )
      at++;
  }
  return last;
}

/** A day and its month, which streets are named after. */
function isDateName(view: TextView, token: number): boolean {
  if (view.kinds[token] !== NUMBER || view.ends[token]! - view.starts[token]! > 2) return false;
  const month = /^(?:de|\.)$/.test(view.plain(token + 1) || view.word(token + 1)) ? token + 2 : token + 1;
  return MONTHS.has(view.plain(month));
}

/** "Calle de Alcalá, 12, 3º B", "Via Roma 5", "C/ Mayor nº 8". */
function typeFirst(view: TextView, token: number): Street | null {
  const plain = view.plain(token);
  let at = token + 1;
  const isSlashed = plain === 'c' && view.isMark(at, '/') && view.gap(token) === 0;
  const isGranVia = plain === 'gran' && view.plain(at) === 'via';
  if (!isSlashed && !isGranVia && !STREET_TYPES.has(plain)) return null;
  if (isSlashed || view.isMark(at, '.')) at++;
  const name = nameWords(view, at);
  if (name < 0) return null;
  at = name + 1;
  if (view.isMark(at, ',')) at++;
  if (/^(?:n|no|num|numero|nr)$/.test(view.plain(at)) && view.kinds[at] === WORD) {
    at++;
    while (view.isMark(at, '.') || view.isMark(at, 'º') || view.isMark(at, '°')) at++;
  }
  // º is a letter of its own, and stands for "number" behind n.
  if (view.word(at) === 'nº' || view.word(at) === 'º') at++;
  const number = houseNumber(view, at);
  return number < 0 ? null : { first: token, last: number, confidence: 0.88 };
}

/** "Hauptstraße 12", "Karl-Marx-Allee 5a", "Lange Str. 7", "Prinsengracht 263". */
function endingWithNumber(view: TextView, token: number): Street | null {
  const follower = view.isMark(token + 1, '.') ? token + 2 : token + 1;
  const plain = view.plain(token);
  if (plain.length < 3) return null;
  if ((plain === 'strasse' || plain === 'platz') && /^(?:des|der)$/.test(view.plain(token + 1))) {
    const name = nameWords(view, token + 1);
    const number = name < 0 ? -1 : houseNumber(view, name + 1);
    return number < 0 ? null : { first: token, last: number, confidence: 0.85 };
  }
  if (view.kinds[follower] !== NUMBER || NO_STREETS.has(plain)) return null;
  const ending = STREET_ENDINGS.find((each) => plain.endsWith(each));
  view.steps += STREET_ENDINGS.length;
  if (ending === undefined) return null;
  const isOwnWord = plain === ending;
  if (!view.isCapital(token) && !(isOwnWord && view.isMark(token - 1, '-'))) return null;
  const at = view.isMark(token + 1, '.') ? token + 2 : token + 1;
  const number = houseNumber(view, at);
  if (number < 0 || view.gap(at - 1) > 1) return null;
  let first = token;
  // "Karl-Marx-Allee", "Lange Straße", "Alte Poststraße"
  for (let words = 0; words < 4; words++) {
    view.steps++;
    const isJoined =
      view.isMark(first - 1, '-') && view.gap(first - 1) === 0 && view.kinds[first - 2] === WORD;
    if (isJoined) first -= 2;
    else if (isOwnWord && first === token && view.isCapital(first - 1) && view.gap(first - 1) === 1) first--;
    else if (ADJECTIVES.has(view.plain(first - 1)) && view.isCapital(first - 1)) first--;
    else break;
  }
  const isWeak = WEAK_ENDINGS.has(ending);
  if (isOwnWord && first === token) return null;
  if (
    isWeak &&
    view.cueBefore(ADDRESS_CUE, view.starts[first]!, REACH) > REACH &&
    !isPostcodeNear(view, number)
  ) {
    const isStreetLike = ending === 'weg' || ending === 'str' || ending === 'singel';
    return isStreetLike && view.plain(token) !== 'weg' ? { first, last: number, confidence: 0.7 } : null;
  }
  return { first, last: number, confidence: 0.88 };
}

/** A postcode of four or five digits stands within three tokens. */
function isPostcodeNear(view: TextView, token: number): boolean {
  for (let at = token + 1; at <= token + 8; at++) {
    view.steps++;
    const length = view.kinds[at] === NUMBER ? view.ends[at]! - view.starts[at]! : 0;
    if (length === 5 || length === 4) return true;
  }
  return false;
}

function germanStart(view: TextView, token: number): Street | null {
  if (!GERMAN_STARTS.has(view.plain(token)) || !view.isCapital(token)) return null;
  let at = token + 1;
  if (/^(?:der|den|dem|die|das)$/.test(view.plain(at))) at++;
  const first = at;
  while (at < first + 3 && view.isCapital(at)) at++;
  if (at === first) return null;
  const number = houseNumber(view, at);
  if (number < 0) return null;
  const isCued =
    view.cueBefore(ADDRESS_CUE, view.starts[token]!, REACH) <= REACH || isPostcodeNear(view, number);
  if (isCued) return { first: token, last: number, confidence: 0.75 };
  const name = view.plain(first);
  const ends = number + 1 >= view.tokens || view.kinds[number + 1] !== WORD || view.isCapital(number + 1);
  const isLikely =
    ends && !NO_STREETS.has(name) && !NO_NAMES.has(name) && view.ends[at]! - view.starts[at]! <= 3;
  return isLikely ? { first: token, last: number, confidence: 0.55 } : null;
}
