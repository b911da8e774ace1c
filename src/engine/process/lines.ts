/**
 * Splits a process's output into lines of bounded length.
 *
 * @module engine/process/lines
 */

import { StringDecoder } from 'node:string_decoder';

const MAX_LINE = 2000;

export class LineReader {
  readonly #decoder = new StringDecoder('utf8');
  readonly #onLine: (line: string) => void;
  #rest = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    const parts = (this.#rest + this.#decoder.write(chunk)).split(/\r?\n/);
    this.#rest = parts.pop() ?? '';
    for (const part of parts) this.#emit(part);
    // A line without an end must not grow for ever.
    while (this.#rest.length > MAX_LINE) {
      this.#emit(this.#rest.slice(0, MAX_LINE));
      this.#rest = this.#rest.slice(MAX_LINE);
    }
  }

  end(): void {
    this.#rest += this.#decoder.end();
    this.#emit(this.#rest);
    this.#rest = '';
  }

  #emit(line: string): void {
    if (line.trim() !== '') this.#onLine(line.slice(0, MAX_LINE));
  }
}
