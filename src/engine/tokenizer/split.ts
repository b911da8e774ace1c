/**
 * Cuts a text into words with the steps of a pre-tokenizer. Each step cuts every piece of the step before: its
 * matches become pieces, and so does what lies between two matches.
 *
 * Patterns that speak of Unicode classes run over the "class text", in which each code point is one character:
 * ASCII as it is, a non-ASCII space U+000B, anything else the character of its class. That is how the reference
 * does it, and it makes `[^a-z]` or `\s` mean exactly the same here.
 *
 * @module engine/tokenizer/split
 */

import { STEP } from './limits.ts';
import type { Steps } from './merge-queue.ts';
import type { SplitStep } from './patterns.ts';
import { classOf, isHan, LETTER, MARK, NUMBER, PUNCTUATION, SYMBOL, WHITESPACE } from './unicode.ts';

const NON_ASCII = /[^\0-\x7F]/;
const ASTRAL = /[\uD800-\uDFFF]/;
const OTHER_SPACE = /[\x85\xA0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]/g;

function classCharacter(codePoint: number): number {
  if (codePoint < 0x80) return codePoint;
  const flags = classOf(codePoint);
  if ((flags & WHITESPACE) !== 0) return 0x0b;
  if ((flags & NUMBER) !== 0) return 0xd1;
  if ((flags & LETTER) !== 0) return 0xd2;
  if ((flags & PUNCTUATION) !== 0) return 0xd3;
  if ((flags & MARK) !== 0) return 0xd4;
  return (flags & SYMBOL) !== 0 ? 0xd5 : 0xd0;
}

function hanCharacter(codePoint: number): number {
  const character = classCharacter(codePoint);
  if (codePoint < 0x80 || !isHan(codePoint)) return character;
  return character === 0xd2 ? 0xd6 : 0xd7;
}

function mapCodePoints(text: string, map: (codePoint: number) => number): string {
  if (!NON_ASCII.test(text)) return text;
  const out = Buffer.allocUnsafe(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const codePoint = text.codePointAt(i)!;
    if (codePoint > 0xffff) i++;
    out[length++] = map(codePoint);
  }
  return out.toString('latin1', 0, length);
}

/** Positions in UTF-16 units to positions in code points and back; null when they are the same. */
interface Places {
  readonly codePointOf: Int32Array;
  readonly unitOf: Int32Array;
}

function places(text: string): Places | null {
  if (!ASTRAL.test(text)) return null;
  const codePointOf = new Int32Array(text.length + 1);
  const unitOf = new Int32Array(text.length + 1);
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    unitOf[count] = i;
    codePointOf[i] = count;
    if (text.codePointAt(i)! > 0xffff) codePointOf[++i] = count;
    count++;
  }
  unitOf[count] = text.length;
  codePointOf[text.length] = count;
  return { codePointOf, unitOf };
}

/**
 * Ends of the pieces of `piece`, relative to it, as far as `most` matches go. Null when the rest of the piece was cut, or
 * where to go on: `done` is the end before it, `next` where the search starts.
 */
function cutSome(
  piece: string,
  pattern: RegExp,
  from: { readonly done: number; readonly next: number },
  ends: number[],
  most: number,
): { readonly done: number; readonly next: number } | null {
  let { done } = from;
  pattern.lastIndex = from.next;
  for (let found = 0; ; found++) {
    if (found >= most) return { done, next: pattern.lastIndex };
    const match = pattern.exec(piece);
    if (match === null) break;
    if (match.index > done) ends.push(match.index);
    done = match.index + match[0].length;
    if (match[0].length > 0) ends.push(done);
    // A pattern of look-ahead alone matches nothing: step on, or it would stay here for ever.
    else pattern.lastIndex = match.index + 1;
  }
  if (done < piece.length) ends.push(piece.length);
  return null;
}

const START = { done: 0, next: 0 } as const;

function cutByPattern(piece: string, pattern: RegExp): number[] {
  const ends: number[] = [];
  cutSome(piece, pattern, START, ends, Number.POSITIVE_INFINITY);
  return ends;
}

/** The same in steps. The pattern is shared: whoever uses it meanwhile does not change where this goes on. */
function* cutLong(piece: string, pattern: RegExp): Steps<number[]> {
  const ends: number[] = [];
  let at = cutSome(piece, pattern, START, ends, STEP);
  while (at !== null) {
    yield;
    at = cutSome(piece, pattern, at, ends, STEP);
  }
  return ends;
}

const DIGITS = /[0-9\xD1]+/g;

function cutDigits(piece: string): number[] {
  const ends: number[] = [];
  for (const match of piece.matchAll(DIGITS)) {
    const last = match.index + match[0].length;
    const first = match.index + (match[0].length % 3);
    if (first > match.index) ends.push(first);
    for (let end = first + 3; end <= last; end += 3) ends.push(end);
  }
  if ((ends.at(-1) ?? 0) < piece.length) ends.push(piece.length);
  return ends;
}

/** Ends (in UTF-16 units, ascending, the last one is the text's length) of the words of a well-formed text. */
export function* splitWords(text: string, steps: readonly SplitStep[]): Steps<readonly number[]> {
  if (text === '') return [];
  const place = places(text);
  const views = new Map<SplitStep['kind'], string>();
  const viewOf = (kind: SplitStep['kind']): string => {
    const key = kind === 'digits' ? 'class' : kind;
    let view = views.get(key);
    if (view === undefined) {
      if (key === 'text') view = text.replace(OTHER_SPACE, '\v');
      else view = mapCodePoints(text, key === 'han' ? hanCharacter : classCharacter);
      views.set(key, view);
    }
    return view;
  };
  let ends: number[] = [text.length];
  for (const step of steps) {
    const view = viewOf(step.kind);
    const inUnits = step.kind === 'text' || place === null;
    const next: number[] = [];
    let start = 0;
    let paused = 0;
    for (const end of ends) {
      if (end - paused >= STEP) {
        paused = end;
        yield;
      }
      const from = inUnits ? start : place.codePointOf[start]!;
      const to = inUnits ? end : place.codePointOf[end]!;
      const piece = view.slice(from, to);
      let cuts: number[];
      if (step.kind === 'digits') cuts = cutDigits(piece);
      else if (piece.length <= STEP) cuts = cutByPattern(piece, step.pattern);
      else cuts = yield* cutLong(piece, step.pattern);
      for (const cut of cuts) next.push(inUnits ? from + cut : place.unitOf[from + cut]!);
      start = end;
    }
    ends = next;
  }
  return ends;
}
