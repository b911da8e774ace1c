/**
 * Where in a text an address is that a page would load or link: there a restored value could leave the machine.
 *
 * @module gateway/privacy/urls
 */

const NONE = 0;
/** Behind `](`, before the address. */
const START = 1;
/** The address of a Markdown link (https://spec.commonmark.org/0.31.2/#link-destination). */
const TARGET = 2;
/** The same in `<>`, where it may hold blanks. */
const ANGLE = 3;
/** From `//` on, with or without a scheme before it. */
const BARE = 4;

/** Stands for the edge of a string of JSON, which is no unit of what the string holds. */
const STRING = -1;

const isBlank = (code: number) => code <= 32;
const isQuote = (code: number) => code === 34 || code === 39 || code === 96;
const isSlash = (code: number) => code === 47 || code === 92;
/** What may stand in `https:`. */
const isScheme = (code: number) =>
  (code >= 97 && code <= 122) ||
  (code >= 65 && code <= 90) ||
  (code >= 48 && code <= 58) ||
  code === 43 ||
  code === 45 ||
  code === 46;

/** Is shown a text unit by unit and says whether what comes next stands in an address. */
export class UrlTracker {
  #mode = NONE;
  #last = 0;
  /** Slashes before this place, either way round: browsers and Markdown take `/\` and `\/\/` for `//`. */
  #slashes = 0;
  #hasForward = false;
  /** The last unit that is part of no scheme. */
  #before = 0;
  /** The quote around a bare address; 0 when there is none. */
  #quote = 0;
  #depth = 0;
  #escaped = false;

  get inside(): boolean {
    return this.#mode !== NONE;
  }

  seeAll(text: string): void {
    for (let at = 0; at < text.length; at++) this.see(text.charCodeAt(at));
  }

  see(code: number): void {
    if (this.#mode === NONE) this.#outside(code);
    else if (this.#endsWith(code)) this.#leave(code);
    this.#last = code;
  }

  /** Here a string of JSON begins or ends: with it everything in it. */
  seeEdge(): void {
    this.#leave(STRING);
    this.#last = STRING;
  }

  #leave(code: number): void {
    this.#mode = NONE;
    this.#slashes = 0;
    this.#before = code;
  }

  #enter(mode: number): void {
    this.#mode = mode;
    this.#depth = 0;
    this.#escaped = false;
  }

  #outside(code: number): void {
    if (code === 40 && this.#last === 93) this.#enter(START);
    else if (isSlash(code)) {
      if (this.#slashes === 0) this.#hasForward = false;
      this.#slashes++;
      this.#hasForward ||= code === 47;
      if (this.#slashes < 2 || !this.#hasForward) return;
      this.#enter(BARE);
      this.#quote = isQuote(this.#before) || this.#before === STRING ? this.#before : 0;
    } else {
      this.#slashes = 0;
      if (!isScheme(code)) this.#before = code;
    }
  }

  #endsWith(code: number): boolean {
    if (this.#mode === BARE) {
      if (isBlank(code)) return true;
      if (this.#quote !== 0) return code === this.#quote;
      return isQuote(code) || code === 60 || code === 62 || this.#closes(code);
    }
    if (this.#mode === START) {
      if (isBlank(code)) return false;
      this.#mode = code === 60 ? ANGLE : TARGET;
      if (code === 60) return false;
    }
    if (this.#escaped || code === 92) {
      this.#escaped = !this.#escaped;
      return false;
    }
    if (this.#mode === ANGLE) return code === 62 || code === 10 || code === 13;
    return isBlank(code) || this.#closes(code);
  }

  /** A bracket closes what was open before the address. */
  #closes(code: number): boolean {
    if (code === 40) this.#depth++;
    return code === 41 && this.#depth-- === 0;
  }
}
