/**
 * What a writer writes, piece by piece, as sentences with the sources that each cites.
 *
 * Marks of citation are taken out of the text: `[1]`, `[1, 3]`, `[2-4]`, `[^1]`, `[source 1]`, `【1】`. Links and pictures of
 * Markdown become their words: an address in an answer could carry what was asked to somebody else.
 *
 * @module knowledge/answer/reading
 */
import { sentencesOf } from '../chunk/index.ts';

export interface ReadSentence {
  /** Without marks, with the spaces behind it. */
  readonly text: string;
  /** Numbers cited, each once, in their order. */
  readonly cites: readonly number[];
}

/** Characters that are held back while they may become a mark or a link. */
const MOST_HELD = 1000;
/** Characters of a sentence. What never ends is cut here. */
const LONGEST = 2000;
/** Numbers that one mark may hold. */
const MOST_CITED = 16;

const MARK =
  /^[[【]\s*(?:\^|sources?\s*|quelle\s*|n\s*=\s*)?(\d{1,4}(?:\s*(?:,|;|and|&|-|–|†[^\]】]*)\s*(?:sources?\s*)?\d{0,4})*)\s*[\]】]$/iu;

/** Numbers of a mark; null when the brackets hold something else. */
export function citedBy(bracket: string): number[] | null {
  const match = MARK.exec(bracket);
  if (match === null) return null;
  const cited: number[] = [];
  for (const part of match[1]!.split(/,|;|and|&/iu)) {
    const [from, to] = (part.match(/\d+/gu) ?? []).map(Number);
    if (from === undefined) continue;
    const last =
      to !== undefined && /[-–]/u.test(part) && to >= from ? Math.min(to, from + MOST_CITED) : from;
    for (let n = from; n <= last && cited.length < MOST_CITED; n++) if (!cited.includes(n)) cited.push(n);
  }
  return cited;
}

export class AnswerReader {
  /** What was read and not looked through yet: it may begin a mark. */
  #held = '';
  /** Text of the sentence under way, without marks. */
  #text = '';
  /** Marks in it, by where they stood. */
  #marks: { at: number; cites: readonly number[] }[] = [];
  /** True when marks stand before what they are about: "[1] says". */
  #leads: boolean | null = null;

  /** Sentences that ended with this piece. */
  push(piece: string): ReadSentence[] {
    this.#held += piece;
    this.#look(false);
    return this.#ended(false);
  }

  /** The rest. */
  end(): ReadSentence[] {
    this.#look(true);
    return this.#ended(true);
  }

  #look(all: boolean): void {
    for (;;) {
      const open = this.#held.search(/!?[[【]|!$/u);
      if (open < 0 || (all && this.#held[open] === '!' && open === this.#held.length - 1)) {
        this.#add(this.#held);
        this.#held = '';
        return;
      }
      this.#add(this.#held.slice(0, open));
      this.#held = this.#held.slice(open);
      const close = this.#held.search(/[\]】]/u);
      if (close < 0) {
        if (!all && this.#held.length < MOST_HELD) return;
        // Never closed: it is text.
        this.#add(this.#held.slice(0, 2));
        this.#held = this.#held.slice(2);
        continue;
      }
      const bracket = this.#held.slice(0, close + 1);
      const behind = this.#held.slice(close + 1);
      if (!all && behind === '') return;
      if (behind.startsWith('(')) {
        const end = behind.search(/[)\n]/u);
        if (end < 0 && !all && behind.length < MOST_HELD) return;
        if (!bracket.startsWith('!')) this.#add(bracket.slice(1, -1));
        this.#held = end < 0 ? '' : behind.slice(end + 1);
        continue;
      }
      const cites = citedBy(bracket);
      if (cites === null) this.#add(bracket);
      else this.#mark(cites);
      this.#held = behind;
    }
  }

  #add(text: string): void {
    // A space before a mark stands before what follows the mark, too.
    const last = this.#marks.at(-1);
    if (last?.at === this.#text.length && /\s$/u.test(this.#text) && /^[\s.,;:!?)]/u.test(text)) {
      this.#text = this.#text.replace(/[ \t]+$/u, '');
      for (const mark of this.#marks) mark.at = Math.min(mark.at, this.#text.length);
    }
    this.#text += text;
  }

  #mark(cites: readonly number[]): void {
    this.#leads ??= this.#text.trim() === '';
    this.#marks.push({ at: this.#text.length, cites });
  }

  #ended(all: boolean): ReadSentence[] {
    const done: ReadSentence[] = [];
    for (;;) {
      const length = this.#firstEnd(all);
      if (length === 0) return done;
      const text = this.#text.slice(0, length);
      const body = text.trimEnd().length;
      const own = ({ at }: { at: number }) =>
        // Behind the full stop it is of this sentence, behind a line's end or where marks lead it is of the next.
        at < body ||
        (at <= length && !this.#leads && !text.slice(body, at).includes('\n')) ||
        (all && length === this.#text.length);
      const cites = new Set(this.#marks.filter(own).flatMap((mark) => mark.cites));
      this.#marks = this.#marks
        .filter((mark) => !own(mark))
        .map((mark) => ({ ...mark, at: Math.max(0, mark.at - length) }));
      this.#text = this.#text.slice(length);
      if (body > 0 || cites.size > 0) done.push({ text, cites: [...cites] });
    }
  }

  /** Characters of the first sentence that has ended; 0: none has. */
  #firstEnd(all: boolean): number {
    const line = /\S[^\n]*\n\s*(?=\S)/u.exec(this.#text);
    const upTo = line === null ? this.#text : this.#text.slice(0, line.index + line[0].length);
    const sentences = sentencesOf(upTo);
    if (sentences.length > 1) return sentences[0]!.length;
    if (line !== null) return upTo.length;
    if (this.#text.length > LONGEST) return LONGEST;
    return all ? this.#text.length : 0;
  }
}
