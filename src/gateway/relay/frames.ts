/**
 * The two parts of a passed stream that are read: its opening, up to the first piece of an answer, and its end.
 *
 * @module gateway/relay/frames
 */
import { isUtf8 } from 'node:buffer';
import { arrayIn, isObject, stringIn } from '../backends/json.ts';
import { usageOf } from '../backends/openai/decode.ts';
import { finishOf } from '../backends/openai/finish.ts';
import type { AnswerDecoder } from '../backends/stream-answer.ts';
import type { UsageReport } from '../backends/types.ts';
import type { FinishReason } from '../types.ts';
import { badResponse, parseJson, SseReader, UPSTREAM_LIMITS, UpstreamError } from '../upstream/index.ts';

/** Bytes before the first piece of an answer: pings, role, empty deltas. */
const maxOpening = 64 * 1024;
/** Bytes of the end that are read: the finish, the counts, and what servers add to them. */
const endBytes = 8 * 1024;

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
    const decoder = this.#decoder;
    for (const frame of this.#reader.push(bytes)) {
      if (decoder.tokens > 0 || decoder.complete) break;
      decoder.frame(frame);
    }
    return decoder.tokens > 0 || decoder.complete;
  }
}

/**
 * Throws `UpstreamError` for whole lines that are not UTF-8, for an event that is no JSON, and for an error. Lines that end with an object's brace are taken for whole ones: a
 * server that breaks off does so anywhere else.
 */
export function checkLines(bytes: Buffer, server: string, decoder: AnswerDecoder): void {
  if (!isUtf8(bytes)) throw badResponse('upstream_invalid_utf8', server, 'sent bytes that are not UTF-8.');
  let at = bytes.length - 1;
  while (at >= 0 && (bytes[at] === 0x0a || bytes[at] === 0x0d)) at--;
  if (at < 0 || (bytes[at] === 0x7d && !bytes.includes('"error"'))) return;
  for (const line of bytes.toString('utf8').split('\n')) {
    const value = line.startsWith('data:') ? line.slice(5).trim() : '';
    if (value === '' || value === '[DONE]') continue;
    const said = parseJson(value, server);
    // The decoder knows how servers word their errors.
    if (isObject(said) && said.error !== undefined) decoder.frame({ event: 'message', data: value });
  }
}

const done = /(?:^|\n)data: ?\[DONE\]\r?\n\s*$/;
const doneBytes = 40;

/** What the end of a stream says of the answer. */
export interface StreamEnd {
  readonly reason: FinishReason;
  readonly usage: UsageReport;
}

export class End {
  readonly #server: string;
  #held: Buffer[] = [];
  #bytes = 0;
  #atLineStart = true;
  /** The event that ends a stream has come. */
  done = false;

  constructor(server: string) {
    this.#server = server;
  }

  /** Notes the next bytes; true when they hold the event that ends a stream. */
  add(bytes: Buffer): boolean {
    const before = this.#atLineStart;
    this.#held.push(bytes);
    this.#bytes += bytes.length;
    while (this.#held.length > 1 && this.#bytes - this.#held[0]!.length >= endBytes)
      this.#bytes -= this.#held.shift()!.length;
    this.#atLineStart = bytes[bytes.length - 1] === 0x0a;
    if (!this.#atLineStart) return false;
    // A line break ends a line for certain: inside of JSON it is escaped.
    const from = Math.max(0, bytes.length - doneBytes);
    const found = done.exec(bytes.toString('latin1', from));
    this.done = found !== null && (found[0].startsWith('\n') || (from === 0 && before));
    return this.done;
  }

  /** Reads the held bytes. Throws `UpstreamError` when they do not end an answer, or end it with an error. */
  read(): StreamEnd {
    const text = Buffer.concat(this.#held);
    this.#held = [];
    const reader = new SseReader(this.#server, UPSTREAM_LIMITS);
    let reason: FinishReason | null = null;
    let usage: UsageReport = { promptTokens: null, cachedTokens: null, completionTokens: null };
    // What is left of a line that was cut off at the front is no field of an event, and passed over.
    for (const { data } of [...reader.push(text.subarray(-2 * endBytes)), ...reader.end().frames]) {
      if (data.trim() === '[DONE]') break;
      if (data.trim() === '') continue;
      const value = parseJson(data, this.#server);
      if (!isObject(value))
        throw badResponse('upstream_bad_chunk', this.#server, 'sent a chunk that is no JSON object.');
      if (isObject(value.error) || typeof value.error === 'string')
        throw new UpstreamError(
          'server_error',
          'upstream_server_error',
          `${this.#server} ended its answer with an error.`,
        );
      const [choice] = arrayIn(value.choices);
      const word = isObject(choice) ? stringIn(choice.finish_reason) : null;
      if (word !== null && word !== '') reason = finishOf(word, this.#server).reason;
      if (isObject(value.usage)) usage = usageOf(value.usage, usage);
    }
    if (reason === null)
      throw new UpstreamError(
        'cut',
        'upstream_cut',
        `${this.#server} ended its answer before it was finished.`,
      );
    return { reason, usage };
  }
}
