/**
 * Sentences of a chunk with the names in them and of whom each speaks: what definitions and relations are looked for in.
 *
 * @module knowledge/dream/clauses
 */
import { quotableSentences } from '../answer/claims/sentences.ts';
import { namesIn } from '../graph/names.ts';
import { normalForm, piecesOf, shortTitle } from '../graph/normal.ts';

export interface NameAt {
  readonly form: string;
  readonly surface: string;
  /** Characters of the sentence. */
  readonly from: number;
  readonly to: number;
}

export interface Clause {
  /** As it stands in the chunk. */
  readonly sentence: string;
  readonly names: readonly NameAt[];
  /** Of whom it speaks; null where that is not clear. */
  readonly subject: string | null;
  /** Where what is said of the subject begins, in characters of the sentence. */
  readonly from: number;
  /** 0 to 1: how sure it is that it speaks of the subject. */
  readonly sure: number;
  /** The first sentence of a document about the subject. */
  readonly opens: boolean;
  /** Whether it names its subject, and does not only say `it`. */
  readonly isNamed: boolean;
}

/** Of a document what it is about, and where its chunk begins. */
export interface About {
  readonly title: string;
  /** Position of the chunk in its document. */
  readonly position: number;
}

/** Sentences of one chunk that are looked at. */
const MOST = 400;
const PRONOUN =
  /^(?:He|She|It|They|The (?:film|movie|album|song|single|book|novel|band|group|city|town|village|company|river|series|show|game|school|university|station|district|play|episode|magazine|newspaper|team|club))\b/u;
const PART = / › /u;

export function clausesIn(text: string, { title, position }: About): Clause[] {
  // Headings are parts of a chunk's title; what a document is about is the first.
  const about = title.split(PART)[0]!;
  const form = normalForm(about);
  const named = piecesOf(shortTitle(about) ?? about);
  return quotableSentences(text)
    .slice(0, MOST)
    .map((sentence, i): Clause => {
      const names = namesIn(sentence).flatMap(({ surface, span: [from, to] }): NameAt[] => {
        const key = normalForm(surface);
        return key === '' ? [] : [{ form: key, surface, from, to }];
      });
      const opens = i === 0 && position === 0;
      const first = names[0];
      const base = { sentence, names, opens, isNamed: true };
      if (first !== undefined && begins(sentence, first)) {
        const pieces = piecesOf(first.surface);
        const isTitle =
          named.length > 0 &&
          (first.form === form ||
            (opens && pieces[0] === named[0] && named.every((piece) => pieces.includes(piece))) ||
            (named.length > 1 && pieces.length === 1 && pieces[0] === named.at(-1)));
        return { ...base, subject: isTitle ? form : first.form, from: first.to, sure: isTitle ? 1 : 0.8 };
      }
      // A title in small letters, or one that is no name: the document says it of itself.
      const start = opens ? startOf(sentence, named) : null;
      if (start !== null) return { ...base, subject: form, from: start, sure: 1 };
      const pronoun = PRONOUN.exec(sentence);
      if (pronoun !== null && form !== '' && position === 0)
        return { ...base, isNamed: false, subject: form, from: pronoun[0].length, sure: 0.75 };
      return { ...base, subject: null, from: 0, sure: 0 };
    });
}

/** Whether what the sentence says is said of its first name: `Born in Paris, ...` has none, and `Ann, Bob and Cy were` several. */
function begins(sentence: string, { surface, from, to }: NameAt): boolean {
  return (
    /^(?:["“'‘`]{1,2}|(?:The|A|An) )?$/u.test(sentence.slice(0, from)) &&
    !/^(?:\p{L}+(?:ed|ing)|Born|Written|Made|Set|Shot|Built|Known|Given|Told)$/u.test(surface) &&
    !/^,? (?:and|&) \p{Lu}|^, \p{Lu}[^,]{0,60},? (?:and|&) /u.test(sentence.slice(to, to + 90))
  );
}

/** Behind the words of the title, where the sentence begins with them. */
function startOf(sentence: string, words: readonly string[]): number | null {
  if (words.length === 0) return null;
  const pattern = /[\p{L}\p{M}\p{N}]+(?:['’.][\p{L}\p{N}]+)*/gu;
  let at = 0;
  for (const { 0: word, index } of sentence.slice(0, 400).matchAll(pattern)) {
    const folded = piecesOf(word)[0] ?? '';
    if (at === 0 && /^(?:the|an?)$/u.test(folded)) continue;
    if (folded !== words[at]) return null;
    if (++at === words.length) return index + word.length;
  }
  return null;
}
