/**
 * Where on a page of a PDF something stands: its text comes in pieces, cut wherever whoever wrote the file moved the pen.
 *
 * @module web/pages/knowledge/source/pdf-marks
 */
import { highlight } from '../search/highlight.ts';

/** Characters of one piece, from and to (behind the last). */
export interface Span {
  readonly piece: number;
  readonly from: number;
  readonly to: number;
}

interface Letters {
  readonly text: string;
  /** Of each letter the piece, and its place in that. */
  readonly piece: readonly number[];
  readonly at: readonly number[];
}

/** Without spaces and hyphens: lines end anywhere, and words are parted at their ends. */
const bare = (text: string): string =>
  text
    .normalize('NFKC')
    .replace(/[\s\p{Cf}\p{Pd}]/gu, '')
    .toLowerCase();

function lettersOf(pieces: readonly string[]): Letters {
  let text = '';
  const piece: number[] = [];
  const at: number[] = [];
  for (const [index, str] of pieces.entries()) {
    let offset = 0;
    for (const sign of str) {
      const letters = bare(sign);
      for (let i = 0; i < letters.length; i++) {
        piece.push(index);
        at.push(offset);
      }
      text += letters;
      offset += sign.length;
    }
  }
  return { text, piece, at };
}

function spansOf({ piece, at }: Letters, pieces: readonly string[], from: number, to: number): Span[] {
  const spans: Span[] = [];
  for (let i = from; i < to; ) {
    const index = piece[i]!;
    let last = i;
    while (last + 1 < to && piece[last + 1] === index) last++;
    const end = at[last]! + ([...pieces[index]!.slice(at[last]!)][0]?.length ?? 1);
    spans.push({ piece: index, from: at[i]!, to: end });
    i = last + 1;
  }
  return spans;
}

/** Pieces of the sentence, also where it goes over lines; empty when it does not stand there. */
export function spansOfSentence(pieces: readonly string[], sentence: string): Span[] {
  const wanted = bare(sentence);
  if (wanted === '') return [];
  const letters = lettersOf(pieces);
  const from = letters.text.indexOf(wanted);
  return from < 0 ? [] : spansOf(letters, pieces, from, from + wanted.length);
}

/** Letters of a passage by which it is found again. */
const ENOUGH = 24;

/** The part of a passage that is on this page: it may begin before it, and end after it. */
export function spansOfPassage(pieces: readonly string[], passage: string): Span[] {
  const wanted = bare(passage);
  const letters = lettersOf(pieces);
  if (wanted.length === 0 || letters.text.length === 0) return [];
  const least = Math.min(ENOUGH, wanted.length);
  let from = letters.text.indexOf(wanted.slice(0, least));
  let at = 0;
  if (from < 0) {
    // It began on the page before: this one has its end.
    from = 0;
    at = wanted.indexOf(letters.text.slice(0, ENOUGH));
    if (at < 0) return [];
  }
  let length = 0;
  while (
    at + length < wanted.length &&
    from + length < letters.text.length &&
    wanted[at + length] === letters.text[from + length]
  )
    length++;
  return spansOf(letters, pieces, from, from + length);
}

/** Words that were looked for, by their stems. */
export function spansOfWords(pieces: readonly string[], stems: ReadonlySet<string>): Span[] {
  return pieces.flatMap((str, piece) => {
    let from = 0;
    return highlight(str, stems).flatMap(({ text, hit }) => {
      const span = { piece, from, to: from + text.length };
      from = span.to;
      return hit ? [span] : [];
    });
  });
}
