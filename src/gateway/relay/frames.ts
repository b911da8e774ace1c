/**
 * What is read of a passed stream: its opening, up to the first piece of an answer, and whatever says how it ends.
 *
 * @module gateway/relay/frames
 */
import { isUtf8 } from 'node:buffer';
import { arrayIn, countIn, isObject, type JsonObject, stringIn } from '../backends/json.ts';
import { reportsIn, usageOf } from '../backends/openai/decode.ts';
import { finishOf } from '../backends/openai/finish.ts';
import { AFTER_END, type AnswerDecoder } from '../backends/stream-answer.ts';
import type { UsageReport } from '../backends/types.ts';
import type { FinishReason } from '../types.ts';
import {
  badResponse,
  parseJson,
  type SseFrame,
  SseReader,
  UPSTREAM_LIMITS,
  UpstreamError,
} from '../upstream/index.ts';
import { eventsEnd } from './events.ts';

/** Bytes before the first piece of an answer: pings, role, empty deltas. */
const maxOpening = 64 * 1024;
const loneCr = /\r[^\n]/;

export class Opening {
  readonly #decoder: AnswerDecoder;
  readonly #server: string;
  readonly #reader: SseReader;
  #bytes = 0;

  constructor(decoder: AnswerDecoder, server: string) {
    this.#decoder = decoder;
    this.#server = server;
    this.#reader = new SseReader(server, UPSTREAM_LIMITS);
  }

  /** True when a piece of the answer has come. Throws `UpstreamError` for an error, and for what cannot be read. */
  read(bytes: Buffer): boolean {
    this.#bytes += bytes.length;
    if (this.#bytes > maxOpening)
      throw badResponse('upstream_bad_chunk', this.#server, `sent ${maxOpening} bytes without a token.`);
    // Lines that end with CR alone are for the ordinary way: nobody else looks for them.
    if (bytes.includes(CR) && loneCr.test(bytes.toString('latin1')))
      throw badResponse('upstream_bad_chunk', this.#server, 'ends its lines with CR alone.');
    // Event by event: what comes behind the first piece is not for the opening.
    for (let at = 0; at < bytes.length; ) {
      const blankAt = bytes.indexOf(blank, at);
      const end = blankAt < 0 ? bytes.length : blankAt + blank.length;
      if (this.#readEvents(bytes.subarray(at, end))) {
        this.#check(bytes.subarray(end));
        return true;
      }
      at = end;
    }
    return false;
  }

  /** Events that came with the first piece: they go out with it, and nothing can be asked again then. */
  #check(rest: Buffer): void {
    if (!isUtf8(rest.subarray(0, eventsEnd(rest))))
      throw badResponse('upstream_invalid_utf8', this.#server, 'sent bytes that are not UTF-8.');
  }

  #readEvents(bytes: Buffer): boolean {
    const decoder = this.#decoder;
    for (const frame of this.#reader.push(bytes)) {
      decoder.frame(frame);
      if (decoder.tokens > 0 || decoder.complete) return true;
    }
    return false;
  }
}

/** What the end of a stream says of the answer. */
export interface StreamEnd {
  readonly reason: FinishReason;
  readonly usage: UsageReport;
}

const LF = 0x0a;
const CR = 0x0d;
const D = 0x64;
const CLOSE = 0x7d;
const COLON = 0x3a;
const N = 0x6e;
const U = 0x75;
const L = 0x6c;

const blank = Buffer.from('\n\n');
const crBlank = Buffer.from('\r\n\r\n');

/** Names of what says how an answer ends. In text their quotes are escaped. */
const marks = ['"finish_reason"', '"usage"', '"error"'].map((name) => Buffer.from(name));

/** Where the first of the names stands whose value is not null; -1 without one. */
function firstMark(bytes: Buffer): number {
  let first = -1;
  for (const mark of marks) {
    const at = markIn(bytes, mark);
    if (at >= 0 && (first < 0 || at < first)) first = at;
  }
  return first;
}

function markIn(bytes: Buffer, mark: Buffer): number {
  for (let found = bytes.indexOf(mark); found >= 0; ) {
    let at = found + mark.length;
    while (bytes[at] === 0x20) at++;
    if (bytes[at] !== COLON) return found;
    do at++;
    while (bytes[at] === 0x20);
    if (bytes[at] !== N || bytes[at + 1] !== U || bytes[at + 2] !== L || bytes[at + 3] !== L) return found;
    found = bytes.indexOf(mark, at);
  }
  return -1;
}

const doneEvent = /(?:^|\n)data: *\[DONE\][ \t]*\r?\n(?:\r?\n)?/;

/** What was found in some events. */
export interface Seen {
  /** At least one of them is more than a ping. */
  readonly data: boolean;
  /** Where the event that ends the stream ends; null while it has not come. */
  readonly doneAt: number | null;
}

const somePieces: Seen = { data: true, doneAt: null };

/**
 * Follows whole events on their way. Those that are pieces of an answer and nothing else are known by their outline
 * (`data: {`, a brace at the end, no word on how the answer ends) and not looked into; all others are read as the
 * ordinary way reads them, however large they are and however many lines they have.
 */
export class Watch {
  readonly #server: string;
  readonly #decoder: AnswerDecoder;
  #reason: FinishReason | null = null;
  #usage: UsageReport = { promptTokens: null, cachedTokens: null, completionTokens: null };
  #events = 0;
  /** Of the pieces that were not looked into, and of the smallest of them: what stands around a piece of text. */
  #pieceEvents = 0;
  #pieceBytes = 0;
  #smallest = Number.POSITIVE_INFINITY;

  /** @param decoder knows how the server words its errors */
  constructor(server: string, decoder: AnswerDecoder) {
    this.#server = server;
    this.#decoder = decoder;
  }

  /** Throws `UpstreamError` for what is not UTF-8 or no JSON, and for an error. @param bytes whole events */
  look(bytes: Buffer): Seen {
    if (!isUtf8(bytes))
      throw badResponse('upstream_invalid_utf8', this.#server, 'sent bytes that are not UTF-8.');
    if (this.#reason !== null) return this.#readAll(bytes);
    const mark = firstMark(bytes);
    if (mark < 0) return this.#pieces(bytes) ? somePieces : this.#readAll(bytes);
    // Whole events before the one that is marked.
    const before = eventsEnd(bytes.subarray(0, mark));
    if (before === 0 || !this.#pieces(bytes.subarray(0, before))) return this.#readAll(bytes);
    const { doneAt } = this.#readAll(bytes.subarray(before));
    return { data: true, doneAt: doneAt === null ? null : before + doneAt };
  }

  /** Event by event, as the ordinary way reads them. */
  #readAll(bytes: Buffer): Seen {
    const end = doneEvent.exec(bytes.toString('latin1'));
    const doneAt = end === null ? null : end.index + end[0].length;
    const reader = new SseReader(this.#server, UPSTREAM_LIMITS);
    let data = false;
    for (const frame of [
      ...reader.push(doneAt === null ? bytes : bytes.subarray(0, doneAt)),
      ...reader.end().frames,
    ]) {
      const text = frame.data.trim();
      if (text === '') continue;
      data = true;
      if (text === '[DONE]') return { data, doneAt: doneAt ?? bytes.length };
      this.#events++;
      this.#read(frame);
    }
    return { data, doneAt: null };
  }

  /** About how many tokens of an answer have passed: one for each event at least, more where events hold more text. */
  get about(): number {
    const text = this.#pieceEvents === 0 ? 0 : this.#pieceBytes - this.#pieceEvents * this.#smallest;
    return Math.max(this.#events, text / bytesPerToken);
  }

  /** The answer has its finish: what may still come are its counts. */
  get finished(): boolean {
    return this.#reason !== null;
  }

  /** Throws `UpstreamError` when no answer has come to its end. */
  end(): StreamEnd {
    if (this.#reason === null)
      throw new UpstreamError(
        'cut',
        'upstream_cut',
        `${this.#server} ended its answer before it was finished.`,
      );
    return { reason: this.#reason, usage: this.#usage };
  }

  /** True when all are pieces by their outline, which are then counted. */
  #pieces(bytes: Buffer): boolean {
    const { length } = bytes;
    const ending = bytes[length - 2] === LF ? blank : crBlank;
    let events = 0;
    let smallest = this.#smallest;
    for (let at = 0; at < length; ) {
      const end = bytes.indexOf(ending, at);
      if (end < 0 || bytes[at] !== D || bytes[end - 1] !== CLOSE) return false;
      const size = end - at;
      if (size > UPSTREAM_LIMITS.maxLineBytes) return false;
      if (size < smallest) smallest = size;
      events++;
      at = end + ending.length;
    }
    this.#events += events;
    this.#pieceEvents += events;
    this.#pieceBytes += length - events * ending.length;
    this.#smallest = smallest;
    return true;
  }

  #read(frame: SseFrame): void {
    const value = parseJson(frame.data, this.#server);
    if (!isObject(value))
      throw badResponse('upstream_bad_chunk', this.#server, 'sent a chunk that is no JSON object.');
    const failed = value.error !== undefined && value.error !== null && value.error !== false;
    if (failed || value.object === 'error' || frame.event === 'error') {
      // Throws, unless the answer has its finish for the decoder.
      this.#decoder.frame(frame);
      throw new UpstreamError(
        'server_error',
        'upstream_server_error',
        `${this.#server} ended its answer with an error.`,
      );
    }
    for (const choice of arrayIn(value.choices)) this.#choice(choice);
    for (const report of reportsIn(value)) this.#usage = usageOf(report, this.#usage);
  }

  #choice(choice: unknown): void {
    if (!isObject(choice))
      throw badResponse('upstream_bad_chunk', this.#server, 'sent a choice that is no JSON object.');
    const index = countIn(choice.index) ?? 0;
    if (index > 0) throw badResponse('upstream_bad_chunk', this.#server, `sent choice ${index} of 1.`);
    if (this.#reason !== null) {
      if (!hasPiece(choice)) return;
      throw badResponse(AFTER_END, this.#server, `went on with choice ${index} after its end.`);
    }
    const word = stringIn(choice.finish_reason);
    if (word !== null && word !== '') this.#reason = finishOf(word, this.#server).reason;
  }
}

/** Escapes in text, and the names around it in events that hold more than the smallest, make it a little more. */
const bytesPerToken = 4;

function hasPiece({ delta, message }: JsonObject): boolean {
  const said = isObject(delta) ? delta : isObject(message) ? message : {};
  const { content, refusal } = said;
  return (
    (typeof content === 'string' ? content !== '' : arrayIn(content).length > 0) ||
    (typeof refusal === 'string' && refusal !== '') ||
    arrayIn(said.tool_calls).length > 0
  );
}
