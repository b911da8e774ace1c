/**
 * Cuts the bytes of an event stream behind its events, however they come.
 *
 * @module gateway/relay/events
 */
import { badResponse, UPSTREAM_LIMITS } from '../upstream/index.ts';

const LF = 0x0a;
const CR = 0x0d;
const blank = Buffer.from('\n\n');
const mixedBlank = Buffer.from('\n\r\n');

/** Where the last blank line ends: all before it are whole events. 0 when there is none. */
export function eventsEnd(bytes: Buffer): number {
  const { length } = bytes;
  if (length > 1 && bytes[length - 1] === LF) {
    if (bytes[length - 2] === LF) return length;
    if (length > 2 && bytes[length - 2] === CR && bytes[length - 3] === LF) return length;
  }
  const plain = bytes.lastIndexOf(blank);
  const from = plain < 0 ? 0 : plain + blank.length;
  const mixed = bytes.subarray(from).lastIndexOf(mixedBlank);
  return mixed < 0 ? from : from + mixed + mixedBlank.length;
}

const lineEnds = Buffer.from('\n\n');
const nothing: Buffer = Buffer.alloc(0);

export class Events {
  readonly #server: string;
  /** Of an event that is not whole yet. */
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** The last two of them: a blank line may come in pieces. */
  #last = nothing;

  constructor(server: string) {
    this.#server = server;
  }

  /** The events that are whole now; null when there is none. Throws `UpstreamError` for one that is too large. */
  add(bytes: Buffer): Buffer | null {
    let end = eventsEnd(bytes);
    if (this.#pieces.length === 0) {
      if (end === bytes.length) return bytes;
    } else if (end === 0)
      end = Math.max(0, eventsEnd(Buffer.concat([this.#last, bytes.subarray(0, 2)])) - this.#last.length);
    const rest = bytes.subarray(end);
    let whole: Buffer | null = null;
    if (end > 0) {
      const first = bytes.subarray(0, end);
      whole = this.#pieces.length === 0 ? first : Buffer.concat([...this.#pieces, first]);
      this.clear();
    }
    if (rest.length > 0) {
      this.#pieces.push(rest);
      this.#bytes += rest.length;
      this.#last = Buffer.concat([this.#last, rest.subarray(-2)]).subarray(-2);
    }
    if (this.#bytes <= UPSTREAM_LIMITS.maxLineBytes) return whole;
    const what = `sent an event of more than ${UPSTREAM_LIMITS.maxLineBytes} bytes.`;
    throw badResponse('upstream_line_too_long', this.#server, what);
  }

  /** What is held, ended as an event; null when nothing is. */
  rest(): Buffer | null {
    const rest = this.#pieces.length === 0 ? null : Buffer.concat([...this.#pieces, lineEnds]);
    this.clear();
    return rest;
  }

  clear(): void {
    this.#pieces = [];
    this.#bytes = 0;
    this.#last = nothing;
  }
}
