/**
 * What was found once is found again wherever it stands in the conversation, without the words that gave it away the
 * first time: a passport number behind "passport", and later the number alone; also in an answer that goes out again.
 *
 * Values are found in any case, digits in any grouping; names as they were written.
 *
 * @module gateway/privacy/known-values
 */

import { isDigit, isLetter } from './characters.ts';
import { readChain } from './detectors/chain.ts';
import type { PiiClass, Span } from './types.ts';
import { folded, NUMBER, type TextView } from './view.ts';

/** Units of the shortest value that is looked for. Shorter ones are parts of too much else. */
const MIN_UNITS: Partial<Record<PiiClass, number>> = { name: 3, secret: 4 };
const MIN_OTHERS = 5;
/** Longer values have a form of their own by which they are found. It bounds the work at each place. */
const MAX_UNITS = 128;
/** Digits of the shortest number that is found in another grouping. */
const MIN_DIGITS = 7;
/** Units by which values are looked up. */
const HEAD = 3;
/** What detectors know better. */
const CONFIDENCE = 0.52;

interface Known {
  readonly class: PiiClass;
  /** Null: in any case. */
  readonly exact: string | null;
}

export class KnownValues {
  /** By the first units in lower case, then by length, then by the value in lower case. */
  readonly #byHead = new Map<string, Map<number, Map<string, Known>>>();
  readonly #byDigits = new Map<string, PiiClass>();
  #longestDigits = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(value: string, name: PiiClass): void {
    const text = folded(value).trim();
    if (name === 'text' || text.length < (MIN_UNITS[name] ?? MIN_OTHERS) || text.length > MAX_UNITS) return;
    const lower = text.toLowerCase();
    // A letter that grows when it is made small would shift the places of all that follow.
    if (lower.length !== text.length) return;
    const head = lower.slice(0, HEAD);
    const lengths = this.#byHead.get(head) ?? new Map<number, Map<string, Known>>();
    this.#byHead.set(head, lengths);
    const values = lengths.get(lower.length) ?? new Map<string, Known>();
    lengths.set(lower.length, values);
    const known = values.get(lower);
    if (known === undefined) {
      values.set(lower, { class: name, exact: name === 'name' ? text : null });
      this.#size++;
    }
    // Written in two ways, or also no name: any case will do.
    else if (known.exact !== null && (name !== 'name' || known.exact !== text))
      values.set(lower, { class: known.class, exact: null });
    if (name !== 'name' && /^[+(]?\d[\d ()./-]*$/.test(text)) {
      const digits = text.replaceAll(/\D/g, '');
      if (digits.length >= MIN_DIGITS) {
        this.#byDigits.set(digits, name);
        this.#longestDigits = Math.max(this.#longestDigits, digits.length);
      }
    }
  }

  /** Everything that was added and is looked for, so that the same can be looked for elsewhere. */
  all(): [value: string, name: PiiClass][] {
    const all: [string, PiiClass][] = [];
    for (const lengths of this.#byHead.values())
      for (const values of lengths.values())
        for (const [lower, known] of values) all.push([known.exact ?? lower, known.class]);
    return all;
  }

  /** In the offsets of the view. */
  find(view: TextView): Span[] {
    const spans: Span[] = [];
    if (this.#byHead.size === 0) return spans;
    for (let token = 0; token < view.tokens; token++) {
      view.steps++;
      const start = view.starts[token]!;
      const lengths = this.#byHead.get(view.text.slice(start, start + HEAD).toLowerCase());
      if (lengths !== undefined) this.#at(view, start, lengths, spans);
      if (this.#longestDigits > 0 && view.kinds[token] === NUMBER) this.#digitsAt(view, token, spans);
    }
    return spans;
  }

  #at(
    view: TextView,
    start: number,
    lengths: ReadonlyMap<number, ReadonlyMap<string, Known>>,
    spans: Span[],
  ): void {
    for (const [length, values] of lengths) {
      view.steps++;
      const end = start + length;
      if (end > view.text.length || goesOn(view, end)) continue;
      view.steps += length >> 3;
      const written = view.text.slice(start, end);
      const known = values.get(written.toLowerCase());
      if (known === undefined || (known.exact !== null && known.exact !== written)) continue;
      spans.push({ class: known.class, start, end, confidence: CONFIDENCE, kind: 'known' });
    }
  }

  #digitsAt(view: TextView, token: number, spans: Span[]): void {
    const chain = readChain(view, token);
    if (chain === null) return;
    let digits = '';
    for (const [index, group] of chain.groups.entries()) {
      digits += group;
      if (digits.length > this.#longestDigits) return;
      const name = digits.length < MIN_DIGITS ? undefined : this.#byDigits.get(digits);
      const end = chain.ends[index]!;
      if (name === undefined) continue;
      spans.push({ class: name, start: chain.start, end, confidence: CONFIDENCE, kind: 'known' });
    }
  }
}

/** The word or number at the end of what was compared is longer. */
function goesOn(view: TextView, end: number): boolean {
  const last = view.code(end - 1);
  const next = view.code(end);
  return isDigit(last) ? isDigit(next) : isLetter(last) && isLetter(next);
}
