/**
 * A stream that can only be read from its beginning, as a range reader: what lies between wanted stretches is dropped, and
 * the stream ends where nothing more is wanted.
 *
 * @module models/sources/sequential
 */
import type { RangeReader } from './source.ts';

export interface OpenedStream {
  /** Bytes, when the stream tells them at its beginning. */
  readonly size: number | null;
  readonly chunks: AsyncIterable<Uint8Array>;
}

export class SequentialReader implements RangeReader {
  readonly sequential = true;
  readonly #open: () => Promise<OpenedStream>;
  #size: number | null = null;
  #stream: AsyncIterator<Uint8Array> | null = null;
  /** Of the stream: the next byte's offset, what of the last chunk was not read. */
  #at = 0;
  #rest: Uint8Array = new Uint8Array(0);

  /** @param open begins the stream; again for each stretch that lies before what was read */
  constructor(open: () => Promise<OpenedStream>) {
    this.#open = open;
  }

  get size(): number | null {
    return this.#size;
  }

  async *read(from: number, to: number): AsyncGenerator<Uint8Array> {
    if (this.#size !== null && from >= this.#size) return;
    if (this.#stream === null || from < this.#at) await this.#begin();
    if (this.#size !== null && from >= this.#size) return;
    while (this.#at < to) {
      const chunk = await this.#next();
      if (chunk === null) return;
      const start = this.#at;
      const end = Math.min(start + chunk.length, to);
      this.#at = end;
      this.#rest = chunk.subarray(end - start);
      if (end > from) yield chunk.subarray(Math.max(0, from - start), end - start);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const stream = this.#stream;
    this.#stream = null;
    this.#rest = new Uint8Array(0);
    await stream?.return?.();
  }

  async #begin(): Promise<void> {
    await this[Symbol.asyncDispose]();
    const { size, chunks } = await this.#open();
    this.#size = size ?? this.#size;
    this.#stream = chunks[Symbol.asyncIterator]();
    this.#at = 0;
  }

  async #next(): Promise<Uint8Array | null> {
    if (this.#rest.length > 0) return this.#rest;
    const next = await this.#stream!.next();
    if (next.done !== true) return next.value;
    this.#size = this.#at;
    return null;
  }
}
