/**
 * A text as words with their places, sentences told apart, in one pass: what names are looked for in.
 *
 * @module knowledge/graph/words
 */

export interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** From 0. */
  readonly sentence: number;
  /** Begins a sentence, a line or a quotation: its capital says nothing. */
  readonly opens: boolean;
  /** Nothing but spaces, or the point of an initial, stands between it and the word before. */
  readonly joins: boolean;
}

/** Words of one text that are looked at. */
export const MOST_WORDS = 100_000;

// Each character can be taken in one way only, so that no text takes more than linear time.
const WORD = /[\p{L}\p{M}\p{N}]+(?:['’.&-][\p{L}\p{M}\p{N}]+)*/gu;
const TITLES = new Set([
  'mr',
  'mrs',
  'ms',
  'dr',
  'st',
  'prof',
  'sr',
  'jr',
  'vs',
  'no',
  'gen',
  'col',
  'lt',
  'rev',
  'hon',
  'capt',
]);
const ENDS = /[.!?…。！？]/u;

export function wordsIn(text: string): Word[] {
  const words: Word[] = [];
  let sentence = 0;
  let last = 0;
  for (const match of text.matchAll(WORD)) {
    if (words.length >= MOST_WORDS) break;
    const start = match.index;
    const between = text.slice(last, start);
    const before = words.at(-1);
    const point = before !== undefined && /^\.\s*$/u.test(between) && isShort(before.text);
    const ends = before !== undefined && !point && (ENDS.test(between) || /\n\s*\n|\n[-*#]/u.test(between));
    if (ends) sentence++;
    const line = between.includes('\n');
    words.push({
      ...{ text: match[0], start, end: start + match[0].length, sentence },
      opens: before === undefined || ends || line || /[:"“‘`(]\s*$/u.test(between),
      joins: before !== undefined && (point || /^[^\S\n]+$/u.test(between)),
    });
    last = start + match[0].length;
  }
  return words;
}

/** An initial, or a title before a name: its point ends no sentence. */
function isShort(word: string): boolean {
  return /^\p{Lu}$/u.test(word) || /^(?:\p{Lu}\.)+\p{Lu}$/u.test(word) || TITLES.has(word.toLowerCase());
}
