/**
 * Puts values back where placeholders stand, in text that comes in pieces cut anywhere.
 *
 * @module gateway/privacy/restore
 */
import { isWord } from './characters.ts';
import { type Escape, matchForm } from './placeholders.ts';
import { UrlTracker } from './urls.ts';

export interface RestorerOptions {
  /** The text is JSON: values are written as they stand inside a JSON string. @default false */
  readonly json?: boolean;
  /** What stands before the text already, restored: an address may have begun there. @default '' */
  readonly before?: string;
}

/** The value of a placeholder by its core (`EMAIL_1`), for a place in an address or elsewhere; undefined: it stays. */
export type Lookup = (core: string, inUrl: boolean) => string | undefined;

/**
 * Takes pieces of one text, gives pieces of the restored text. However the text is cut, the restored pieces together are
 * the same. What could still become a placeholder is held back, at most `MAX_FORM` units.
 */
export class Restorer {
  readonly #lookup: Lookup;
  readonly #json: boolean;
  readonly #escape: Escape;
  #held = '';
  #afterWord = false;
  /** Sees what is written out. */
  readonly #url = new UrlTracker();

  constructor(lookup: Lookup, { json = false, before = '' }: RestorerOptions = {}) {
    this.#lookup = lookup;
    this.#json = json;
    this.#escape = json ? '\\\\' : '\\';
    this.#run(before, true);
    this.#afterWord = false;
  }

  /** Units that are held back now. */
  get held(): number {
    return this.#held.length;
  }

  push(piece: string): string {
    return this.#run(piece, false);
  }

  /** The rest, when the text is over or is interrupted: what is pushed afterwards goes on with it. */
  end(): string {
    return this.#run('', true);
  }

  #run(piece: string, isFinal: boolean): string {
    const text = this.#held + piece;
    let out = '';
    /** From here on nothing was written out. */
    let from = 0;
    let at = 0;
    while (at < text.length) {
      const code = text.charCodeAt(at);
      if (code === 91 || code === 92 || (code >= 65 && code <= 90 && !this.#afterWord)) {
        const match = matchForm(text, at, { afterWord: this.#afterWord, isFinal, escape: this.#escape });
        if (match === 'more') break;
        const value = match === null ? undefined : this.#lookup(match.core, this.#url.inside);
        if (match !== null && value !== undefined) {
          out += text.slice(from, at) + (this.#json ? JSON.stringify(value).slice(1, -1) : value);
          at = match.end;
          from = at;
          this.#afterWord = isWord(text.charCodeAt(at - 1));
          this.#url.seeAll(value);
          continue;
        }
        if (match !== null && this.#url.inside) {
          // As a whole: the blank that a form may hold does not end the address.
          at = match.end;
          this.#afterWord = isWord(text.charCodeAt(at - 1));
          this.#url.seeAll('[]');
          continue;
        }
        if (code === 92 && this.#json) {
          // An escape is one character: its letter does not touch what follows.
          const width = text.charCodeAt(at + 1) === 117 ? 6 : 2;
          if (at + width > text.length && !isFinal) break;
          this.#url.see(escapedCode(text, at));
          at = Math.min(text.length, at + width);
          this.#afterWord = false;
          continue;
        }
      }
      this.#afterWord = isWord(code);
      if (code === 34 && this.#json) this.#url.seeEdge();
      else this.#url.see(code);
      at++;
    }
    this.#held = text.slice(at);
    return out + text.slice(from, at);
  }
}

const CONTROLS: Readonly<Record<string, number>> = { b: 8, f: 12, n: 10, r: 13, t: 9 };

/** The unit that an escape of JSON stands for. */
function escapedCode(text: string, at: number): number {
  const sign = text[at + 1] ?? '';
  if (sign === 'u') return Number.parseInt(text.slice(at + 2, at + 6), 16) || 0;
  return CONTROLS[sign] ?? text.charCodeAt(at + 1);
}
