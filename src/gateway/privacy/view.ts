/**
 * A text as detectors see it: look-alike characters made plain, cut into words, numbers and signs, its cues found.
 *
 * Everything is made in one pass of bounded work for each character. `steps` counts that work and what detectors add.
 *
 * @module gateway/privacy/view
 */
import {
  DIGIT,
  DROPPED,
  foldCode,
  foldPair,
  isLetter,
  kindOf,
  LETTER,
  NEWLINE,
  SPACE,
  UPPER,
} from './characters.ts';
import { CUE_WORDS } from './cues.ts';
import { isEscapeSign, readEscape } from './escapes.ts';

export const WORD = 1;
export const NUMBER = 2;
export const MARK = 3;
export const BREAK = 4;

/** Longer words are in no list. */
const MAX_WORD = 40;
const ACCENTS = /[\u0300-\u036f]/g;

interface Folded {
  readonly text: string;
  /** Null: offsets of the view are offsets of the text. */
  readonly starts: Int32Array | null;
  readonly ends: Int32Array | null;
}

export class TextView {
  /** What detectors read. */
  readonly text: string;
  /** Units of work done so far. */
  steps = 0;
  /** Number of tokens. */
  readonly tokens: number;
  /** Of each token: WORD, NUMBER (digits), MARK (one sign), BREAK (one line break). */
  readonly kinds: Uint8Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly #folded: Folded;
  readonly #plain: (string | undefined)[] = [];
  /** Tokens that are cues, ascending, and what each is a cue for. */
  readonly #cues: number[] = [];
  readonly #cueMasks: number[] = [];
  /** All masks together: most texts have few kinds of cues. */
  #allCues = 0;

  constructor(original: string) {
    this.#folded = fold(original);
    const text = this.#folded.text;
    this.text = text;
    const capacity = text.length;
    const kinds = new Uint8Array(capacity);
    const starts = new Int32Array(capacity);
    const ends = new Int32Array(capacity);
    let count = 0;
    for (let i = 0; i < text.length; ) {
      const kind = kindOf(text.charCodeAt(i));
      if (kind === SPACE) {
        i++;
        continue;
      }
      const start = i++;
      if (kind === DIGIT) {
        while (i < text.length && kindOf(text.charCodeAt(i)) === DIGIT) i++;
        kinds[count] = NUMBER;
      } else if (kind >= UPPER && kind <= LETTER) {
        while (i < text.length && isLetter(text.charCodeAt(i))) i++;
        kinds[count] = WORD;
      } else {
        kinds[count] = kind === NEWLINE ? BREAK : MARK;
      }
      starts[count] = start;
      ends[count] = i;
      count++;
    }
    this.tokens = count;
    this.kinds = kinds;
    this.starts = starts;
    this.ends = ends;
    this.steps = original.length + text.length + count;
    for (let token = 0; token < count; token++) {
      if (kinds[token] !== WORD) continue;
      const mask = CUE_WORDS.get(this.plain(token)) ?? this.#joinedCue(token);
      if (mask === 0) continue;
      this.#allCues |= mask;
      this.#cues.push(token);
      this.#cueMasks.push(mask);
    }
  }

  /** The token as it is written in the view. */
  word(token: number): string {
    return this.text.slice(this.starts[token], this.ends[token]);
  }

  /** The token in lower case and without accents; empty when it is too long for any list, or not there. */
  plain(token: number): string {
    const known = this.#plain[token];
    if (known !== undefined) return known;
    if (token < 0 || token >= this.tokens) return '';
    const length = this.ends[token]! - this.starts[token]!;
    this.steps += Math.min(length, MAX_WORD);
    const plain = length > MAX_WORD ? '' : plainWord(this.word(token));
    this.#plain[token] = plain;
    return plain;
  }

  /** The unit of the view at a place; NaN outside. */
  code(at: number): number {
    return this.text.charCodeAt(at);
  }

  /** The token is a word that begins with a capital. */
  isCapital(token: number): boolean {
    return this.kinds[token] === WORD && kindOf(this.text.charCodeAt(this.starts[token]!)) === UPPER;
  }

  /** The token is this one sign. */
  isMark(token: number, mark: string): boolean {
    return this.kinds[token] === MARK && this.text[this.starts[token]!] === mark;
  }

  /** Units between the end of a token and the start of the next. */
  gap(token: number): number {
    return token + 1 < this.tokens ? this.starts[token + 1]! - this.ends[token]! : 0;
  }

  /** First token that starts at or after a place. */
  tokenAt(place: number): number {
    return this.#firstFrom(this.tokens, (index) => index, place);
  }

  /** First cue whose token starts at or after a place. */
  #cueAt(place: number): number {
    return this.#firstFrom(this.#cues.length, (index) => this.#cues[index]!, place);
  }

  /** First index, of `count` tokens in order, whose token starts at or after a place; counted as steps. */
  #firstFrom(count: number, tokenOf: (index: number) => number, place: number): number {
    let low = 0;
    let high = count;
    while (low < high) {
      this.steps++;
      const middle = (low + high) >> 1;
      if (this.starts[tokenOf(middle)]! < place) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Units from the end of the nearest cue of the mask before a place to that place; Infinity when beyond `reach`. */
  cueBefore(mask: number, place: number, reach: number): number {
    if ((this.#allCues & mask) === 0) return Number.POSITIVE_INFINITY;
    const low = this.#cueAt(place);
    // Few cues fit into a reach: this loop is bounded by it.
    for (let i = low - 1; i >= 0; i--) {
      this.steps++;
      const end = this.ends[this.#cues[i]!]!;
      if (place - end > reach) break;
      if ((this.#cueMasks[i]! & mask) !== 0) return Math.max(0, place - end);
    }
    return Number.POSITIVE_INFINITY;
  }

  /** As `cueBefore`, after a place. */
  cueAfter(mask: number, place: number, reach: number): number {
    if ((this.#allCues & mask) === 0) return Number.POSITIVE_INFINITY;
    const low = this.#cueAt(place);
    for (let i = low; i < this.#cues.length; i++) {
      this.steps++;
      const start = this.starts[this.#cues[i]!]!;
      if (start - place > reach) break;
      if ((this.#cueMasks[i]! & mask) !== 0) return start - place;
    }
    return Number.POSITIVE_INFINITY;
  }

  /** What the parts of `secretAccessKey` are cues for. */
  #joinedCue(token: number): number {
    const length = this.ends[token]! - this.starts[token]!;
    if (length < 6 || length > MAX_WORD) return 0;
    this.steps += length;
    let mask = 0;
    let from = this.starts[token]!;
    for (let at = from + 1; at <= this.ends[token]!; at++) {
      const isEnd = at === this.ends[token]!;
      if (
        !isEnd &&
        !(kindOf(this.text.charCodeAt(at)) === UPPER && kindOf(this.text.charCodeAt(at - 1)) !== UPPER)
      )
        continue;
      if (isEnd && from === this.starts[token]!) break;
      mask |= CUE_WORDS.get(plainWord(this.text.slice(from, at))) ?? 0;
      from = at;
    }
    return mask;
  }

  /** Offsets of the original text for a span of the view. */
  original(start: number, end: number): { start: number; end: number } {
    const { starts, ends } = this.#folded;
    if (starts === null || ends === null) return { start, end };
    return { start: starts[start]!, end: ends[end - 1]! };
  }
}

/** Lower case, without accents; ß is ss. */
export function plainWord(word: string): string {
  const lower = word.toLowerCase();
  for (let i = 0; i < lower.length; i++) {
    if (lower.charCodeAt(i) > 0x7f)
      return lower.normalize('NFD').replace(ACCENTS, '').replaceAll('ß', 'ss').replaceAll('œ', 'oe');
  }
  return lower;
}

/** A text as a view would have it. */
export const folded = (text: string): string => fold(text).text;

function fold(text: string): Folded {
  let at = 0;
  while (at < text.length && !isFolded(text, at)) at++;
  if (at === text.length) return { text, starts: null, ends: null };

  const codes = new Uint16Array(text.length);
  const starts = new Int32Array(text.length);
  const ends = new Int32Array(text.length);
  let count = 0;
  for (let i = 0; i < text.length; ) {
    let code = text.charCodeAt(i);
    let width = 1;
    const written = isEscapeSign(code) ? readEscape(text, i) : null;
    if (written !== null) ({ code, width } = written);
    let plain = code < 0x80 ? code : foldCode(code);
    if (code >= 0xd800 && code <= 0xdbff) {
      const pair = foldPair(code, text.charCodeAt(i + 1));
      if (pair !== DROPPED) {
        plain = pair;
        width = 2;
      }
    }
    if (plain === DROPPED) {
      // What is invisible belongs to the character before it, so that a replaced value leaves none of it behind.
      if (count > 0) ends[count - 1] = i + width;
    } else {
      codes[count] = plain;
      starts[count] = i;
      ends[count] = i + width;
      count++;
    }
    i += width;
  }
  return { text: decode(codes.subarray(0, count)), starts, ends };
}

function isFolded(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code < 0x80) return isEscapeSign(code) && readEscape(text, at) !== null;
  return foldCode(code) !== code || code === 0xd835 || code === 0xdb40;
}

const CHUNK = 8192;
function decode(codes: Uint16Array): string {
  let text = '';
  for (let i = 0; i < codes.length; i += CHUNK) text += String.fromCharCode(...codes.subarray(i, i + CHUNK));
  return text;
}
