/**
 * Which parts of a text are said to be what was looked for. Texts of documents are shown as they are: what comes out of here are
 * pieces of them, for text nodes.
 *
 * @module web/pages/knowledge/search/highlight
 */

export interface Piece {
  readonly text: string;
  readonly hit: boolean;
}

const WORD = /[\p{L}\p{M}\p{N}]+/gu;
/** Those that the node does not look up, unless a question has nothing else. */
const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    'a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was ' +
    'will with am been being can could did do does doing from had has have having he her here him his how i me my our she ' +
    'should so some than them too us we were what when where which while who whom why would you your'
  ).split(' '),
);
/** Words of a question that are looked up, as the node bounds them. */
const MOST_WORDS = 128;

/** Without capitals and accents: how the node compares words. */
const folded = (word: string): string => word.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

/** What forms of an English word have in common; near enough to the node's Porter stems to mark what these found. */
export function stemOf(word: string): string {
  let stem = folded(word);
  if (stem.length < 4 || /\d/.test(stem)) return stem;
  stem = stem
    .replace(/ies$/, 'y')
    .replace(/sses$/, 'ss')
    .replace(/([^su])s$/, '$1');
  const cut = stem.replace(/(?<=[a-z]{3})(?:ing|ed|er|ly|ment|ness)$/, '');
  // `stopped` and `stop`, `making` and `make`.
  return (cut === stem ? cut : cut.replace(/([^aeiouls])\1$/, '$1'))
    .replace(/(?<=..)e$/, '')
    .replace(/y$/, 'i');
}

/** Stems of the words that a question looks up. */
export function stemsOf(question: string): ReadonlySet<string> {
  const all = [...new Set(question.toLowerCase().match(WORD) ?? [])];
  const telling = all.filter((word) => !STOP_WORDS.has(word));
  return new Set((telling.length > 0 ? telling : all).slice(0, MOST_WORDS).map(stemOf));
}

/** The text in pieces, in their order: together they are the text. */
export function highlight(text: string, stems: ReadonlySet<string>): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const { 0: word, index } of stems.size === 0 ? [] : text.matchAll(WORD)) {
    if (!stems.has(stemOf(word))) continue;
    if (index > from) pieces.push({ text: text.slice(from, index), hit: false });
    pieces.push({ text: word, hit: true });
    from = index + word.length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from), hit: false });
  return pieces;
}

/** About `length` characters of a text where the most of what was looked for stands, cut between words. */
export function excerpt(text: string, stems: ReadonlySet<string>, length: number): string {
  if (text.length <= length * 1.2) return text;
  const at: number[] = [];
  for (const { 0: word, index } of text.matchAll(WORD)) if (stems.has(stemOf(word))) at.push(index);
  let best = 0;
  let most = 0;
  for (const [first, start] of at.entries()) {
    let last = first;
    while (last + 1 < at.length && at[last + 1]! < start + length * 0.8) last++;
    if (last - first + 1 > most) {
      most = last - first + 1;
      best = start;
    }
  }
  const wanted = Math.max(0, Math.min(best - Math.floor(length * 0.15), text.length - length));
  const from = wanted === 0 ? 0 : wanted + Math.max(0, text.slice(wanted).search(/(?<=\s)\S/u));
  const rest = text.slice(from, from + length);
  const end = from + length >= text.length ? rest.length : Math.max(rest.search(/\s\S*$/u), length * 0.5);
  return `${from > 0 ? '… ' : ''}${rest.slice(0, end).trim()}${from + end < text.length ? ' …' : ''}`;
}

/** The text in pieces, with one sentence of it marked. Spaces and line ends between its words may differ. */
export function markSentence(text: string, sentence: string | null): Piece[] {
  const words = sentence?.trim().split(/\s+/u) ?? [];
  const whole = { text, hit: false };
  if (words.length === 0 || words[0] === '') return [whole];
  let at = text.indexOf(words[0]!);
  for (; at >= 0; at = text.indexOf(words[0]!, at + 1)) {
    const end = endOf(text, at, words);
    if (end === null) continue;
    return [
      { text: text.slice(0, at), hit: false },
      { text: text.slice(at, end), hit: true },
      { text: text.slice(end), hit: false },
    ].filter((piece) => piece.text !== '');
  }
  return [whole];
}

function endOf(text: string, from: number, words: readonly string[]): number | null {
  let at = from;
  for (const word of words) {
    if (at > from) while (/\s/u.test(text[at] ?? '')) at++;
    if (!text.startsWith(word, at)) return null;
    at += word.length;
  }
  return at;
}
