/**
 * Puts values back where placeholders stand, in text that comes in pieces cut anywhere.
 *
 * @module gateway/privacy/restore
 */
import { isWord } from './characters.ts';
import { type Escape, matchForm } from './placeholders.ts';

export interface RestorerOptions {
  /** The text is JSON: values are written as they stand inside a JSON string. @default false */
  readonly json?: boolean;
}

/**
 * Takes pieces of one text, gives pieces of the restored text. However the text is cut, the restored pieces together are
 * the same. What could still become a placeholder is held back, at most `MAX_FORM` units.
 */
export class Restorer {
  readonly #lookup: (core: string) => string | undefined;
  readonly #json: boolean;
  readonly #escape: Escape;
  #held = '';
  #afterWord = false;

  /** @param lookup the value of a placeholder by its core (`EMAIL_1`); undefined when there is none */
  constructor(lookup: (core: string) => string | undefined, { json = false }: RestorerOptions = {}) {
    this.#lookup = lookup;
    this.#json = json;
    this.#escape = json ? '\\\\' : '\\';
  }

  /** Units that are held back now. */
  get held(): number {
    return this.#held.length;
  }

  push(piece: string): string {
    return this.#run(piece, false);
  }

  /** The rest, when the text is over. */
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
        const value = match === null ? undefined : this.#lookup(match.core);
        if (match !== null && value !== undefined) {
          out += text.slice(from, at) + (this.#json ? JSON.stringify(value).slice(1, -1) : value);
          at = match.end;
          from = at;
          this.#afterWord = isWord(text.charCodeAt(at - 1));
          continue;
        }
        if (code === 92 && this.#json) {
          // An escape is one character: its letter does not touch what follows.
          const width = text.charCodeAt(at + 1) === 117 ? 6 : 2;
          if (at + width > text.length && !isFinal) break;
          at = Math.min(text.length, at + width);
          this.#afterWord = false;
          continue;
        }
      }
      this.#afterWord = isWord(code);
      at++;
    }
    this.#held = text.slice(at);
    return out + text.slice(from, at);
  }
}
