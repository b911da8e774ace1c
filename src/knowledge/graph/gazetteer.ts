/**
 * Titles and aliases of a knowledge base, found in texts by their longest run of words.
 *
 * @module knowledge/graph/gazetteer
 */

import { isCapital } from './names.ts';
import { piecesOf } from './normal.ts';
import { type Word, wordsIn } from './words.ts';

export interface Match {
  /** Normal form of the title. */
  readonly form: string;
  /** Index of the first word and behind the last. */
  readonly from: number;
  readonly to: number;
}

/** Words of a title that are compared. */
const MOST_WORDS = 12;

export class Gazetteer {
  /** Forms with how many times they were added, by their first word. */
  readonly #byFirst = new Map<string, Map<string, number>>();
  /** Words of the longest form that begins with a word. */
  readonly #longest = new Map<string, number>();

  /** @returns whether it is new */
  add(form: string): boolean {
    const words = form.split(' ');
    if (form.length < 2 || words.length > MOST_WORDS) return false;
    const first = words[0]!;
    const forms = this.#byFirst.get(first) ?? new Map<string, number>();
    const count = forms.get(form) ?? 0;
    forms.set(form, count + 1);
    this.#byFirst.set(first, forms);
    if (words.length > (this.#longest.get(first) ?? 0)) this.#longest.set(first, words.length);
    return count === 0;
  }

  /** @returns whether it is gone now */
  remove(form: string): boolean {
    const first = form.split(' ', 1)[0]!;
    const forms = this.#byFirst.get(first);
    const count = forms?.get(form);
    if (forms === undefined || count === undefined) return false;
    if (count > 1) forms.set(form, count - 1);
    else forms.delete(form);
    if (forms.size === 0) {
      this.#byFirst.delete(first);
      this.#longest.delete(first);
    }
    return count === 1;
  }

  has(form: string): boolean {
    return this.#byFirst.get(form.split(' ', 1)[0]!)?.has(form) ?? false;
  }

  /** Longest first, from left to right, without overlaps. Titles of one word must have a capital in the text. */
  in(words: readonly Word[], folded: readonly string[] = foldedOf(words)): Match[] {
    const matches: Match[] = [];
    for (let from = 0; from < words.length; ) {
      const to = this.#longestAt(words, folded, from);
      if (to > from) matches.push({ form: folded.slice(from, to).join(' '), from, to });
      from = Math.max(to, from + 1);
    }
    return matches;
  }

  #longestAt(words: readonly Word[], folded: readonly string[], from: number): number {
    const first = folded[from]!.split(' ', 1)[0]!;
    const forms = this.#byFirst.get(first);
    if (forms === undefined) return from;
    let form = '';
    let best = from;
    const most = Math.min(words.length, from + this.#longest.get(first)!);
    for (let to = from; to < most; to++) {
      if (to > from && words[to]!.sentence !== words[from]!.sentence) break;
      form = to === from ? folded[to]! : `${form} ${folded[to]!}`;
      if (forms.has(form) && (to > from || isCapital(words[from]!.text))) best = to + 1;
    }
    return best;
  }
}

/** Words as forms have them; a word with a hyphen stays one here and is several there. */
export function foldedOf(words: readonly Word[]): string[] {
  return words.map(({ text }) => (/^[a-z0-9]+$/u.test(text) ? text : piecesOf(text).join(' ')));
}

/** Words of a text as forms have them, one after the other: a form stands in the text where its words stand in these. */
export function wordFormsOf(text: string): string[] {
  return foldedOf(wordsIn(text)).flatMap((word) => word.split(' '));
}
