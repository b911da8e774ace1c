/**
 * The form of placeholders, and how one is recognised in what a model wrote.
 *
 * `[EMAIL_1]`: a kind in capitals and a number in square brackets. It is ASCII, so every tokenizer cuts it into a few
 * common tokens and no model has to spell bytes it hardly saw; bracketed kinds are how people have written redacted texts
 * for years; unlike `<EMAIL_1>` it is no tag that a model would close or a page would hide. Models drop the brackets,
 * change the case or escape them for Markdown, so these variants are recognised too.
 *
 * @module gateway/privacy/placeholders
 */
import { isDigit, isWord } from './characters.ts';
import type { PiiClass, Span } from './types.ts';

export const LABELS: Readonly<Record<PiiClass, string>> = {
  secret: 'SECRET',
  card: 'CARD',
  iban: 'IBAN',
  id: 'ID',
  email: 'EMAIL',
  phone: 'PHONE',
  ip: 'IP',
  mac: 'MAC',
  birth: 'BIRTHDATE',
  plate: 'PLATE',
  address: 'ADDRESS',
  name: 'NAME',
  other: 'PRIVATE',
  text: 'TEXT',
};

/** Longest first: `IP` begins nothing else here, but a label that began another would have to come after it. */
const BY_LENGTH = Object.values(LABELS).sort((a, b) => b.length - a.length);
const MAX_DIGITS = 5;
/** Values of one label. */
export const MAX_NUMBER = 10 ** MAX_DIGITS - 1;

/** Units of the longest form that is recognised; a restorer holds back no more. */
export const MAX_FORM = 3 + 1 + BY_LENGTH[0]!.length + 3 + MAX_DIGITS + 1 + 3;

/** `EMAIL_1`: the form without its brackets, by which placeholders are kept. */
export const coreOf = (label: string, number: number): string => `${label}_${number}`;
export const formOf = (core: string): string => `[${core}]`;

export interface Match {
  /** As `coreOf` makes it. */
  readonly core: string;
  /** Offset after the form. */
  readonly end: number;
}

/** How a backslash is written where the text is: `\` in text, `\\` inside a JSON string. */
export type Escape = '\\' | '\\\\';

export interface MatchOptions {
  /** The unit before is part of a word. */
  readonly afterWord: boolean;
  /** Nothing comes after the text. */
  readonly isFinal: boolean;
  readonly escape: Escape;
}

/**
 * The placeholder that begins at a place, null when none does, `more` when it depends on what comes after the text.
 *
 * In brackets: any case, `_`, `-`, a space or nothing before the number, a space inside each bracket; both brackets may be
 * escaped. Without brackets: capitals and `_` only, and no word may touch it.
 */
export function matchForm(text: string, at: number, options: MatchOptions): Match | null | 'more' {
  const first = text.charCodeAt(at);
  // [ and \ begin forms in brackets; capitals begin bare ones.
  if (first === 91 || first === 92) return matchBracketed(text, at, options);
  return first >= 65 && first <= 90 && !options.afterWord ? matchBare(text, at, options) : null;
}

/** 1: `wanted` stands there, 0: something else, -1: the text ends within it. */
function follows(text: string, at: number, wanted: string): 1 | 0 | -1 {
  if (text.startsWith(wanted, at)) return 1;
  const left = text.length - at;
  return left < wanted.length && wanted.startsWith(text.slice(at)) ? -1 : 0;
}

const undecided = ({ isFinal }: MatchOptions) => (isFinal ? null : 'more');

function matchBracketed(text: string, start: number, options: MatchOptions): Match | null | 'more' {
  const backslash = options.escape;
  const isEscaped = text.charCodeAt(start) === 92;
  const open = follows(text, start, isEscaped ? `${backslash}[` : '[');
  if (open !== 1) return open === 0 ? null : undecided(options);
  let at = start + (isEscaped ? backslash.length + 1 : 1);
  if (text[at] === ' ') at++;
  const label = labelAt(text.slice(at, at + BY_LENGTH[0]!.length).toUpperCase(), text.length - at);
  if (label === null) return null;
  if (label === 'more') return undecided(options);
  at += label.length;
  const escaped = follows(text, at, `${backslash}_`);
  if (escaped === -1) return undecided(options);
  if (escaped === 1) at += backslash.length + 1;
  else if (text[at] === '_' || text[at] === '-' || text[at] === ' ') at++;
  const number = numberAt(text, at, options);
  if (number === null || number === 'more') return number;
  at += number.length;
  if (text[at] === ' ') at++;
  const close = follows(text, at, isEscaped ? `${backslash}]` : ']');
  if (close !== 1) return close === 0 ? null : undecided(options);
  return { core: coreOf(label, Number(number)), end: at + (isEscaped ? backslash.length + 1 : 1) };
}

function matchBare(text: string, start: number, options: MatchOptions): Match | null | 'more' {
  const backslash = options.escape;
  const label = labelAt(text.slice(start, start + BY_LENGTH[0]!.length), text.length - start);
  if (label === null) return null;
  if (label === 'more') return undecided(options);
  let at = start + label.length;
  const escaped = follows(text, at, `${backslash}_`);
  if (escaped === -1) return undecided(options);
  if (escaped === 1) at += backslash.length + 1;
  else if (text[at] === '_') at++;
  else return at >= text.length ? undecided(options) : null;
  const number = numberAt(text, at, options);
  if (number === null || number === 'more') return number;
  at += number.length;
  if (isWord(text.charCodeAt(at))) return null;
  // An escaped underscore goes on with the word: NAME_1\_OLD.
  const goesOn = follows(text, at, `${backslash}_`);
  if (goesOn !== 0)
    return goesOn === 1 ? null : options.isFinal ? { core: coreOf(label, Number(number)), end: at } : 'more';
  return { core: coreOf(label, Number(number)), end: at };
}

/** The label that `start` begins with. `left`: units there are in all. */
function labelAt(start: string, left: number): string | null | 'more' {
  let isOpen = false;
  for (const label of BY_LENGTH) {
    if (start.startsWith(label)) return label;
    if (left < label.length && label.startsWith(start.slice(0, left))) isOpen = true;
  }
  return isOpen ? 'more' : null;
}

/** Digits of a number from 1 without leading zeros, when something stands behind them or nothing can. */
function numberAt(text: string, start: number, options: MatchOptions): string | null | 'more' {
  let at = start;
  while (at < start + MAX_DIGITS + 1 && isDigit(text.charCodeAt(at))) at++;
  if (at >= text.length && !options.isFinal && at - start <= MAX_DIGITS)
    return text[start] === '0' ? null : 'more';
  if (at === start || at - start > MAX_DIGITS || text[start] === '0') return null;
  return text.slice(start, at);
}

const LOOSE = new RegExp(`(?:${Object.values(LABELS).join('|')})\\\\?_[0-9]{1,5}`, 'g');

/** Everything that begins as a placeholder does, whatever touches it. */
export function looseForms(text: string): Span[] {
  return [...text.matchAll(LOOSE)].map(({ index, 0: form }) => ({
    class: 'text',
    start: index,
    end: index + form.length,
    confidence: 1,
  }));
}

/** Everything in a text that a restorer would take for a placeholder. */
export function formsIn(text: string): { core: string; start: number; end: number }[] {
  const found: { core: string; start: number; end: number }[] = [];
  let afterWord = false;
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === 91 || code === 92 || (code >= 65 && code <= 90 && !afterWord)) {
      const match = matchForm(text, at, { afterWord, isFinal: true, escape: '\\' });
      if (match !== null && match !== 'more') {
        found.push({ core: match.core, start: at, end: match.end });
        at = match.end;
        afterWord = isWord(text.charCodeAt(at - 1));
        continue;
      }
    }
    afterWord = isWord(code);
    at++;
  }
  return found;
}
