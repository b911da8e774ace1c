/**
 * Names of people, by what stands around them and a short list of first names. No dictionary of words: a name that
 * nothing points at is missed.
 *
 * @module gateway/privacy/detectors/names
 */
import type { Detector, Span } from '../types.ts';
import { BREAK, MARK, NUMBER, type TextView, WORD } from '../view.ts';
import { AMBIGUOUS_NAMES, FIRST_NAMES } from './first-names.ts';
import {
  CLOSINGS,
  GREETINGS,
  LABELS,
  NO_NAMES,
  PARTICLES,
  STRONG_PHRASES,
  TITLES,
  WEAK_PHRASES,
  WEAK_TITLES,
} from './name-cues.ts';

/** Words of the longest name, particles included. */
const MAX_WORDS = 6;

export const names: Detector = {
  name: 'name',
  classes: ['name'],
  detect(view) {
    const spans: Span[] = [];
    let floor = 0;
    for (let token = 0; token < view.tokens; token++) {
      view.steps++;
      if (view.kinds[token] !== WORD) continue;
      const found = afterCue(view, token) ?? (token >= floor ? listed(view, token) : null);
      if (found === null || found.last < floor) continue;
      const first = Math.max(found.first, floor);
      spans.push({
        class: 'name',
        start: view.starts[first]!,
        end: view.ends[found.last]!,
        confidence: found.confidence,
        kind: found.kind,
      });
      floor = found.last + 1;
      token = Math.max(token, found.last);
    }
    return spans;
  },
};

interface Found {
  /** Tokens. */
  readonly first: number;
  readonly last: number;
  readonly confidence: number;
  readonly kind: string;
}

/** A name that the word at `token` announces. */
function afterCue(view: TextView, token: number): Found | null {
  const plain = view.plain(token);
  if (TITLES.has(plain) || plain === 'm') {
    const found = afterTitle(view, token, plain);
    if (found !== null) return found;
  }
  if (GREETINGS.has(plain) && view.isCapital(token)) {
    const first = skipGreeting(view, token + 1);
    const found = sequence(view, first, 'greeting', 0.75);
    if (found !== null && endsGreeting(view, found.last)) return found;
  }
  if (LABELS.has(plain) && view.isMark(afterQuote(view, token + 1), ':')) {
    let first = afterQuote(view, afterQuote(view, token + 1) + 1);
    while (view.isMark(first, '*')) first++;
    if (sameLine(view, token, first)) {
      const found = sequence(view, first, 'label', 0.8);
      if (found !== null) return found;
    }
  }
  if (endsPhrase(view, token, STRONG_PHRASES.get(plain))) {
    const first = view.isMark(token + 1, ':') ? token + 2 : token + 1;
    return sequence(view, first, 'introduction', 0.9) ?? lowerCase(view, first);
  }
  if (endsPhrase(view, token, WEAK_PHRASES.get(plain))) {
    const first = view.isMark(token + 1, ',') || view.isMark(token + 1, '(') ? token + 2 : token + 1;
    const found = sequence(view, first, 'cue', 0.7);
    if (found !== null && (found.last > found.first || isListed(view, found.first) || isRelation(plain)))
      return found;
  }
  // "Yo, Eva Sanz, con DNI", "I, Eva Sanz, hereby"
  if (/^(?:i|ich|yo|je|io|eu|ik)$/.test(plain) && view.isMark(token + 1, ',')) {
    const found = sequence(view, token + 2, 'introduction', 0.8);
    if (found !== null && found.last > found.first && view.isMark(found.last + 1, ',')) return found;
  }
  return CLOSINGS.has(plain) ? signature(view, token) : null;
}

/** After "I am" a single word must be a known name; after "my wife" any capital will do. */
const isRelation = (plain: string) =>
  !/^(?:am|m|is|s|bin|ist|soy|est|suis|ici|sono|ben|met|contact|with|by)$/.test(plain);

function afterTitle(view: TextView, token: number, plain: string): Found | null {
  const isWeak = WEAK_TITLES.has(plain) || plain === 'm';
  if (!view.isCapital(token) && (isWeak || view.kinds[token - 1] === NUMBER)) return null;
  let first = token + 1;
  const hasPoint = view.isMark(first, '.');
  if (hasPoint) first++;
  if (
    isWeak &&
    !hasPoint &&
    !/^(?:don|dona|miss|doctor|professor|sir|fr|hr|judge|officer|captain)$/.test(plain)
  )
    return null;
  // "Herr Prof. Dr. Weber"
  for (let more = 0; more < 3 && TITLES.has(view.plain(first)); more++) {
    view.steps++;
    first += view.isMark(first + 1, '.') ? 2 : 1;
  }
  if (!sameLine(view, token, first)) return null;
  return sequence(view, first, 'title', 0.85);
}

/** Words with capitals, initials, particles and hyphens from a token on; null when it does not begin with a name. */
function sequence(view: TextView, from: number, kind: string, confidence: number): Found | null {
  let last = -1;
  let at = from;
  for (let words = 0; words < MAX_WORDS && at < view.tokens; words++) {
    view.steps++;
    const plain = view.plain(at);
    const isName =
      view.isCapital(at) && (!NO_NAMES.has(plain) || AMBIGUOUS_NAMES.has(plain) || isInitial(view, at));
    const isParticle = PARTICLES.has(plain) && isNameAhead(view, at);
    if (!isName && !isParticle) break;
    at = endOfWord(view, at);
    if (isName) last = at;
    at++;
    // An initial has a point.
    if (view.isMark(at, '.') && view.ends[at - 1]! - view.starts[at - 1]! === 1 && view.isCapital(at + 1))
      at++;
  }
  return last < 0 ? null : { first: from, last, confidence, kind };
}

/** "A." or "O'": a letter that is a word elsewhere. */
function isInitial(view: TextView, token: number): boolean {
  if (view.ends[token]! - view.starts[token]! !== 1) return false;
  const isShort = view.isMark(token + 1, '.') || view.isMark(token + 1, "'");
  return isShort && view.gap(token) === 0 && view.isCapital(token + 2);
}

/** A particle belongs to a name when a capital follows it, or another particle and then a capital. */
function isNameAhead(view: TextView, token: number): boolean {
  const next = PARTICLES.has(view.plain(token + 1)) && !view.isCapital(token + 1) ? token + 2 : token + 1;
  return view.isCapital(next) && view.gap(token) === 1 && !NO_NAMES.has(view.plain(next));
}

/** Last token of a word with hyphens and apostrophes: O'Neill, Müller-Lüdenscheidt, d'Arc. */
function endOfWord(view: TextView, token: number): number {
  let at = token;
  for (let parts = 0; parts < 3; parts++) {
    view.steps++;
    const isJoined =
      (view.isMark(at + 1, '-') || view.isMark(at + 1, "'")) && view.gap(at) === 0 && view.gap(at + 1) === 0;
    if (!isJoined || view.kinds[at + 2] !== WORD || !view.isCapital(at + 2)) break;
    at += 2;
  }
  return at;
}

function sameLine(view: TextView, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (view.kinds[at] === BREAK) return false;
  return to < view.tokens;
}

const afterQuote = (view: TextView, token: number) =>
  view.isMark(token, '"') || view.isMark(token, "'") ? token + 1 : token;

function skipGreeting(view: TextView, token: number): number {
  let at = token;
  for (let more = 0; more < 3; more++) {
    const plain = view.plain(at);
    if (!TITLES.has(plain) && !/^(?:there|tag|morgen|abend|again)$/.test(plain)) break;
    at += view.isMark(at + 1, '.') ? 2 : 1;
  }
  return at;
}

/** After a greeting and a name there is a comma, a line break, a dash or nothing. */
function endsGreeting(view: TextView, last: number): boolean {
  const next = last + 1;
  if (next >= view.tokens || view.kinds[next] === BREAK) return true;
  if (view.kinds[next] === MARK) return true;
  return view.kinds[next] === WORD && !view.isCapital(next);
}

/** The tokens up to `token` end with one of the phrases. */
function endsPhrase(
  view: TextView,
  token: number,
  phrases: readonly (readonly string[])[] | undefined,
): boolean {
  if (phrases === undefined) return false;
  return phrases.some((phrase) => {
    view.steps += phrase.length;
    return phrase.every((word, i) => {
      const at = token - phrase.length + 1 + i;
      return word === "'" ? view.isMark(at, "'") : view.plain(at) === word;
    });
  });
}

/** "my name is anna schmidt": in small letters only a listed first name, with the word behind it. */
function lowerCase(view: TextView, first: number): Found | null {
  if (!FIRST_NAMES.has(view.plain(first)) || view.isCapital(first)) return null;
  const next = first + 1;
  const hasSurname = view.kinds[next] === WORD && view.gap(first) === 1 && !NO_NAMES.has(view.plain(next));
  return { first, last: hasSurname ? next : first, confidence: 0.8, kind: 'introduction' };
}

/** The line after "Best regards,": up to four words with capitals and nothing else. */
function signature(view: TextView, token: number): Found | null {
  let at = token + 1;
  if (view.isMark(at, ',') || view.isMark(at, '!') || view.isMark(at, '.')) at++;
  const isComma = at > token + 1;
  let breaks = 0;
  while (breaks < 4 && view.kinds[at] === BREAK) {
    view.steps++;
    breaks++;
    at++;
  }
  if (breaks === 0 && !isComma) return null;
  while (view.isMark(at, '-')) at++;
  if (TITLES.has(view.plain(at))) at += view.isMark(at + 1, '.') ? 2 : 1;
  const found = sequence(view, at, 'signature', 0.8);
  if (found === null) return null;
  const next = found.last + 1;
  const ends =
    next >= view.tokens || view.kinds[next] === BREAK || view.isMark(next, ',') || view.isMark(next, '|');
  if (!ends) return null;
  // "Thanks" and its like end other lines too.
  const isThanks = /^(?:thanks|danke|dank|gracias|merci)$/.test(view.plain(token));
  const isSure = isListed(view, at) || (breaks > 0 && (!isThanks || found.last > at));
  return isSure ? found : null;
}

const isListed = (view: TextView, token: number) =>
  FIRST_NAMES.has(view.plain(token)) || AMBIGUOUS_NAMES.has(view.plain(token));

/** A first name of the list, with the surname behind it. */
function listed(view: TextView, token: number): Found | null {
  if (!view.isCapital(token)) return null;
  const plain = view.plain(token);
  const isPlain = FIRST_NAMES.has(plain) && !AMBIGUOUS_NAMES.has(plain);
  if (!isPlain && !AMBIGUOUS_NAMES.has(plain)) return null;
  // Part of a path, an identifier or an address.
  const before = view.text[view.starts[token]! - 1];
  if (before !== undefined && '_/@.\\-#$'.includes(before)) return null;
  const after = view.text[view.ends[token]!];
  if (after !== undefined && '_/@(\\'.includes(after)) return null;
  const found = sequence(view, token, 'first_name', 0.6);
  if (found === null) return null;
  if (isPlain) return { ...found, confidence: found.last > token ? 0.75 : 0.6 };
  // "Mark Weber", but not "Will Monday" at the beginning of a sentence or "May Day".
  return found.last > token ? { ...found, confidence: isSentenceStart(view, token) ? 0.5 : 0.55 } : null;
}

function isSentenceStart(view: TextView, token: number): boolean {
  if (token === 0 || view.kinds[token - 1] === BREAK) return true;
  return view.isMark(token - 1, '.') || view.isMark(token - 1, '!') || view.isMark(token - 1, '?');
}
