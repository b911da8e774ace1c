/**
 * A question as tokens of one language. What is not understood whole is not understood.
 *
 * @module gateway/ladder/arithmetic/lexer
 */

import type { Lexicon, Operation, Word } from './lexicon.ts';
import { type Marks, NUMBER, readNumber } from './numbers.ts';
import { type Rational, rational } from './rational.ts';

export type Token =
  | { readonly kind: 'number'; readonly value: Rational; readonly whole: boolean }
  /** `tight`: a sign that touches what stands on both of its sides. */
  | { readonly kind: 'operation'; readonly is: Operation; readonly tight: boolean; readonly sign: string }
  | { readonly kind: 'word'; readonly is: Word | '(' | ')' | '!' | '%'; readonly sign: boolean };

export interface Question {
  readonly tokens: readonly Token[];
  /** The words around it ask for a result, or an `=` does. */
  readonly clear: boolean;
}

const MAX_TOKENS = 200;
const MAX_PHRASE = 5;
const SPACE = /[\s\u00a0\u202f]/;
const WORD = /[\p{L}]+(?:[-'’][\p{L}]+)*/uy;

const SIGNS: Readonly<Record<string, Operation>> = {
  '+': '+',
  '-': '-',
  '−': '-',
  '–': '-',
  '*': '*',
  '×': '*',
  '·': '*',
  '∙': '*',
  '/': '/',
  '÷': '/',
  '^': '^',
};
const MARKS: Readonly<Record<string, Word | '(' | ')' | '!' | '%'>> = {
  '(': '(',
  ')': ')',
  '!': '!',
  '%': '%',
  '²': 'squared',
  '³': 'cubed',
  '√': 'root',
};

const plain = (word: string): string =>
  word.toLowerCase().normalize('NFD').replace(/\p{M}/gu, '').replaceAll('ß', 'ss').replaceAll('’', "'");

/** Null when a part of the text is not understood. */
export function lex(text: string, lexicon: Lexicon, marks: Marks): Question | null {
  const body = stripped(text, lexicon);
  if (body === null) return null;
  const tokens = tokensOf(body.text, lexicon, marks);
  return tokens === null ? null : { tokens, clear: body.clear };
}

/** The text without the words around the expression. */
function stripped(text: string, lexicon: Lexicon): { text: string; clear: boolean } | null {
  let rest = text.trim().replace(/^[¿¡\s]+/, '');
  let clear = false;
  // `2 + 3!` is a factorial or a shout, unless something says which.
  const shouts = /^[^!]*!\s*\.?$/.test(rest);
  const ended = rest.replace(/(?:\s*[?.=])+\s*$/, '');
  if (/=/.test(rest.slice(ended.length))) clear = true;
  rest = ended;
  for (let found = true; found; ) {
    found = false;
    for (const [phrases, says] of [
      [lexicon.clear, true],
      [lexicon.lead, false],
    ] as const) {
      const length = Math.max(0, ...phrases.map((phrase) => startsWith(rest, phrase)));
      if (length === 0) continue;
      rest = rest.slice(length).replace(/^[\s,:]+/, '');
      clear ||= says;
      found = true;
    }
  }
  for (const phrase of lexicon.trail) {
    const at = rest.length - phrase.length - 1;
    if (at > 0 && plain(rest.slice(at)).replace(/^[\s,]/, ' ') === ` ${phrase}`) {
      rest = rest.slice(0, at).replace(/[\s,]+$/, '');
      break;
    }
  }
  return shouts && !clear ? null : { text: rest, clear };
}

/** Units of `text` that say `phrase`, up to the end of a word; 0 when it begins with something else. */
function startsWith(text: string, phrase: string): number {
  // Accents are one unit each in composed text: both have the same length.
  const start = plain(text.slice(0, phrase.length));
  if (start !== phrase) return 0;
  const next = text.charAt(phrase.length);
  return next === '' || /[\s,:]/.test(next) ? phrase.length : 0;
}

function tokensOf(text: string, lexicon: Lexicon, marks: Marks): Token[] | null {
  const tokens: Token[] = [];
  const spaced = lexicon.spaces
    ? text.replace(/(?<![\d.,])(\d{1,3}(?: \d{3})+)(?!\d| \d)/g, (all) => all.replaceAll(' ', '\u00a0'))
    : text;
  let at = 0;
  while (at < spaced.length) {
    if (tokens.length >= MAX_TOKENS) return null;
    const char = spaced.charAt(at);
    if (SPACE.test(char)) {
      at++;
      continue;
    }
    NUMBER.lastIndex = at;
    const number = NUMBER.exec(spaced)?.[0];
    if (number !== undefined) {
      const value = readNumber(number, marks);
      if (value === null) return null;
      tokens.push({ kind: 'number', value, whole: /^\d+$/.test(number) });
      at += number.length;
      continue;
    }
    const operation = spaced.startsWith('**', at) ? '^' : SIGNS[char];
    if (operation !== undefined) {
      const sign = spaced.startsWith('**', at) ? '**' : char;
      tokens.push({ kind: 'operation', is: operation, tight: isTight(spaced, at, sign.length), sign });
      at += sign.length;
      continue;
    }
    const mark = MARKS[char];
    if (mark !== undefined) {
      tokens.push({ kind: 'word', is: mark, sign: true });
      at++;
      continue;
    }
    const phrase = phraseAt(spaced, at, lexicon);
    if (phrase === null) return null;
    tokens.push(phrase.token);
    at = phrase.end;
  }
  return tokens;
}

const isTight = (text: string, at: number, length: number): boolean =>
  at > 0 &&
  !SPACE.test(text.charAt(at - 1)) &&
  at + length < text.length &&
  !SPACE.test(text.charAt(at + length));

/** The longest known phrase that begins at the place. */
function phraseAt(text: string, at: number, lexicon: Lexicon): { token: Token; end: number } | null {
  let phrase = '';
  let best: { token: Token; end: number } | null = null;
  let from = at;
  for (let count = 0; count < MAX_PHRASE; count++) {
    WORD.lastIndex = from;
    const word = WORD.exec(text)?.[0];
    if (word === undefined) break;
    const end = from + word.length;
    phrase = count === 0 ? plain(word) : `${phrase} ${plain(word)}`;
    const token = tokenOf(phrase, lexicon, isTight(text, at, word.length));
    if (token !== null) best = { token, end };
    from = end;
    while (SPACE.test(text.charAt(from))) from++;
  }
  return best;
}

function tokenOf(phrase: string, lexicon: Lexicon, tight: boolean): Token | null {
  if (phrase === 'x') return { kind: 'operation', is: '*', tight, sign: 'x' };
  if (Object.hasOwn(lexicon.numbers, phrase)) {
    const value = rational(BigInt(lexicon.numbers[phrase]!));
    return value && { kind: 'number', value, whole: true };
  }
  if (!Object.hasOwn(lexicon.words, phrase)) return null;
  const is = lexicon.words[phrase]!;
  if (is === '+' || is === '-' || is === '*' || is === '/' || is === 'mod' || is === '^')
    return { kind: 'operation', is, tight: false, sign: phrase };
  return { kind: 'word', is, sign: phrase === 'sqrt' };
}
