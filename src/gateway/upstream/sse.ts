/**
 * Reads an event stream (WHATWG HTML, section 9.2.6) from bytes, however they are cut, within bounds.
 *
 * Two liberties, which real servers need: complete `data:` lines at the end count as an event without the blank line
 * after them, and so does a last line `data: [DONE]` without its line break.
 *
 * @module gateway/upstream/sse
 */
import { badResponse } from './errors.ts';

export interface SseFrame {
  /** Of the `event:` field; `message` without one. */
  readonly event: string;
  readonly data: string;
}

export interface SseLimits {
  readonly maxLineBytes: number;
  readonly maxEvents: number;
}

const LF = 10;
const CR = 13;
const COLON = 58;
const SPACE = 32;
const BOM = [0xef, 0xbb, 0xbf];

/** Each value is decoded by itself. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class SseReader {
  readonly #server: string;
  readonly #limits: SseLimits;
  /** The first `#heldBytes` of it are the line that has not ended. */
  #held = new Uint8Array(0);
  #heldBytes = 0;
  #firstLine = true;
  /** The last byte was CR: an LF right after it belongs to the same line break. */
  #afterCr = false;
  #event = '';
  #data: string[] = [];
  #dataBytes = 0;
  #count = 0;
  #comments = 0;

  /** @param server how messages name it */
  constructor(server: string, limits: SseLimits) {
    this.#server = server;
    this.#limits = limits;
  }

  /** Events read so far. */
  get events(): number {
    return this.#count;
  }

  /** Comment lines so far: pings. */
  get comments(): number {
    return this.#comments;
  }

  /** The events that `chunk` completes. Throws `UpstreamError` of class `bad_response`. */
  push(chunk: Uint8Array): SseFrame[] {
    return chunk.includes(CR) ? this.#walk(chunk) : this.#search(chunk);
  }

  /** Lines that end with LF alone, as nearly all do. */
  #search(chunk: Uint8Array): SseFrame[] {
    const frames: SseFrame[] = [];
    if (chunk.length === 0) return frames;
    let start = this.#afterCr && chunk[0] === LF ? 1 : 0;
    this.#afterCr = false;
    for (let at = chunk.indexOf(LF, start); at >= 0; at = chunk.indexOf(LF, start)) {
      this.#line(this.#take(chunk.subarray(start, at)), frames);
      start = at + 1;
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start));
    return frames;
  }

  #walk(chunk: Uint8Array): SseFrame[] {
    const frames: SseFrame[] = [];
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (byte !== LF && byte !== CR) {
        this.#afterCr = false;
        continue;
      }
      if (byte === LF && this.#afterCr) {
        this.#afterCr = false;
        start = at + 1;
        continue;
      }
      this.#afterCr = byte === CR;
      this.#line(this.#take(chunk.subarray(start, at)), frames);
      start = at + 1;
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start));
    return frames;
  }

  /** The event that the end of the bytes completes, and whether they ended inside a line. */
  end(): { readonly frames: SseFrame[]; readonly inLine: boolean } {
    const frames: SseFrame[] = [];
    const inLine = this.#heldBytes > 0;
    if (inLine && this.#heldBytes < 64) {
      const last = String.fromCharCode(...this.#held.subarray(0, this.#heldBytes));
      if (/^data: ?\[DONE\]\s*$/.test(last)) {
        this.#dispatch(frames);
        this.#line(this.#take(new Uint8Array(0)), frames);
        this.#dispatch(frames);
        return { frames, inLine: false };
      }
    }
    this.#dispatch(frames);
    return { frames, inLine };
  }

  #bound(bytes: number): void {
    if (bytes <= this.#limits.maxLineBytes) return;
    throw badResponse(
      'upstream_line_too_long',
      this.#server,
      `sent an event of more than ${this.#limits.maxLineBytes} bytes (limit maxLineBytes).`,
    );
  }

  #hold(bytes: Uint8Array): void {
    const total = this.#heldBytes + bytes.length;
    this.#bound(total);
    if (total > this.#held.length) {
      const larger = new Uint8Array(
        Math.min(Math.max(total, 2 * this.#held.length), this.#limits.maxLineBytes),
      );
      larger.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = larger;
    }
    this.#held.set(bytes, this.#heldBytes);
    this.#heldBytes = total;
  }

  #take(last: Uint8Array): Uint8Array {
    this.#bound(this.#heldBytes + last.length);
    let line = last;
    if (this.#heldBytes > 0) {
      this.#hold(last);
      line = this.#held.slice(0, this.#heldBytes);
      this.#heldBytes = 0;
    }
    if (!this.#firstLine) return line;
    this.#firstLine = false;
    return BOM.every((byte, index) => line[index] === byte) ? line.subarray(3) : line;
  }

  #line(line: Uint8Array, frames: SseFrame[]): void {
    if (line.length === 0) {
      this.#dispatch(frames);
      return;
    }
    if (line[0] === COLON) {
      this.#comments++;
      return;
    }
    const colon = line.indexOf(COLON);
    const end = colon < 0 ? line.length : colon;
    const isEvent = isName(eventName, line, end);
    if (!isEvent && !isName(dataName, line, end)) return;
    const from = colon < 0 ? line.length : line[colon + 1] === SPACE ? colon + 2 : colon + 1;
    const value = this.#decode(line.subarray(from));
    if (isEvent) {
      this.#event = value;
      return;
    }
    this.#dataBytes += line.length;
    this.#bound(this.#dataBytes);
    this.#data.push(value);
  }

  #dispatch(frames: SseFrame[]): void {
    if (this.#data.length > 0) {
      if (++this.#count > this.#limits.maxEvents) {
        throw badResponse(
          'upstream_too_many_events',
          this.#server,
          `sent more than ${this.#limits.maxEvents} events in one answer (limit maxEvents).`,
        );
      }
      const data = this.#data.length === 1 ? this.#data[0]! : this.#data.join('\n');
      frames.push({ event: this.#event === '' ? 'message' : this.#event, data });
      this.#data = [];
      this.#dataBytes = 0;
    }
    this.#event = '';
  }

  #decode(bytes: Uint8Array): string {
    try {
      return decoder.decode(bytes);
    } catch (error) {
      throw badResponse('upstream_invalid_utf8', this.#server, 'sent bytes that are not UTF-8.', error);
    }
  }
}

const dataName = Buffer.from('data');
const eventName = Buffer.from('event');

function isName(name: Uint8Array, line: Uint8Array, end: number): boolean {
  if (end !== name.length) return false;
  for (let at = 0; at < end; at++) if (line[at] !== name[at]) return false;
  return true;
}
