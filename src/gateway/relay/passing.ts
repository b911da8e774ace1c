/**
 * One answer on its way through: the connection's callbacks on one side, whoever passes the bytes on on the other.
 *
 * Nothing is given before it is clear that there is an answer: a whole one is checked to its end, of a stream the first
 * piece of text or call has come. Whatever goes wrong until then leaves the request unanswered and the caller free to
 * have it asked in the ordinary way. Later events are given as they came, each when it is whole; only those that say how
 * the answer ends are read.
 *
 * @module gateway/relay/passing
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { KithError, type Linked } from '../../base/index.ts';
import { AFTER_END, type AnswerDecoder } from '../backends/stream-answer.ts';
import type { TimeLimits } from '../resilience/index.ts';
import type { FinishReason } from '../types.ts';
import {
  type AnswerHandler,
  badResponse,
  type Control,
  classify,
  failureOf,
  type Headers,
  parseJson,
  UpstreamError,
} from '../upstream/index.ts';
import { Events } from './events.ts';
import { Opening, type Seen, type StreamEnd, Watch } from './frames.ts';
import { plainEnd, unknownUsage } from './plain.ts';
import type { Sweep, Timed } from './sweep.ts';

/** What is told of an answer under way. */
export interface PassingReader {
  whole(body: Buffer | string, end: StreamEnd): void;
  start(): void;
  data(bytes: Buffer): boolean;
  end(end: StreamEnd): void;
  /** `begun`: something was given already. `silent`: a time limit passed. */
  failed(error: KithError, begun: boolean, silent: boolean): void;
}

export interface PassingOptions {
  readonly server: string;
  readonly stream: boolean;
  readonly limits: TimeLimits;
  /** ms for a whole answer that is no stream. */
  readonly wholeMs: number;
  readonly maxBytes: number;
  /** Made where it is needed. */
  readonly decoder: () => AnswerDecoder;
  readonly now: () => number;
  readonly sweep: Sweep;
}

/** A server that does not end its stream after its last event is given this, so that the connection can be kept. */
const lingerMs = 500;

/** Of a whole answer that has not come to its end. */
const bytesPerToken = 4;

const doneEvent = Buffer.from('data: [DONE]\n\n');

export class Passing implements AnswerHandler, Timed {
  readonly #options: PassingOptions;
  readonly #reader: PassingReader;
  readonly startedAt: number;
  readonly #totalEnd: number;
  deadline: number;
  before: Linked | null = null;
  after: Linked | null = null;
  /** While it waits for a connection. */
  #giveUp: (() => void) | null = null;
  #control: Control | null = null;
  #headers: Headers = {};
  #pieces: Buffer[] = [];
  #bytes = 0;
  #phase: 'waiting' | 'opening' | 'streaming' | 'lingering' | 'over' = 'waiting';
  #opening: Opening | null = null;
  /** Of a stream. */
  readonly #decoder: AnswerDecoder | null;
  readonly #events: Events | null;
  readonly #watch: Watch | null;
  #paused = false;
  firstTokenAt: number | null = null;
  endedAt: number | null = null;

  constructor(options: PassingOptions, reader: PassingReader) {
    this.#options = options;
    this.#reader = reader;
    const { now, limits, stream, wholeMs, server } = options;
    this.#decoder = stream ? options.decoder() : null;
    this.#events = stream ? new Events(server) : null;
    this.#watch = stream ? new Watch(server, this.#decoder!) : null;
    this.startedAt = now();
    this.#totalEnd = this.startedAt + limits.totalMs;
    this.deadline = this.startedAt + (stream ? limits.firstTokenMs : Math.min(wholeMs, limits.totalMs));
    options.sweep.add(this);
  }

  /** About how many tokens have come; null before anything has. */
  get about(): number | null {
    if (this.firstTokenAt !== null) return this.#watch!.about;
    return this.#options.stream || this.#bytes === 0 ? null : this.#bytes / bytesPerToken;
  }

  get headers(): Headers {
    return this.#headers;
  }

  resume(): void {
    if (!this.#paused || this.#phase === 'over') return;
    this.#paused = false;
    this.#await();
    this.#control?.resume();
  }

  /** Gives the answer up: nothing more is told. */
  leave(): void {
    if (this.#phase === 'over') return;
    this.#over();
    this.#control?.abort();
  }

  late(): void {
    const { server, limits, now, stream } = this.#options;
    if (this.#phase === 'lingering') {
      this.leave();
      return;
    }
    const ms = Math.round(now() - this.startedAt);
    const [failure, what] =
      now() >= this.#totalEnd || !stream
        ? (['timeout_total', `did not finish its answer within ${ms} ms`] as const)
        : this.#phase === 'streaming'
          ? (['timeout_inter_token', `sent no further token within ${limits.interTokenMs} ms`] as const)
          : (['timeout_first_token', `sent no token within ${limits.firstTokenMs} ms`] as const);
    this.#fail(new UpstreamError(failure, `upstream_${failure}`, `${server} ${what}.`), true);
  }

  onWaiting(giveUp: () => void): void {
    this.#giveUp = giveUp;
  }

  onRequestStart(control: Control): void {
    this.#giveUp = null;
    this.#control = control;
    if (this.#phase === 'over') control.abort();
  }

  onResponseStart(status: number, headers: Headers): void {
    if (this.#phase !== 'waiting') return;
    this.#headers = headers;
    const type = String(headers['content-type'] ?? '');
    const encoding = headers['content-encoding'];
    const wanted = this.#options.stream ? 'text/event-stream' : 'application/json';
    if (status !== 200) {
      const { server } = this.#options;
      // The ordinary way reads what the body says, and when to ask again.
      this.#fail(classify({ server, status, headers: {}, text: '', now: 0 }));
      return;
    }
    if ((encoding !== undefined && encoding !== 'identity') || !type.startsWith(wanted)) {
      const what = `answered with ${type === '' ? 'no content type' : type.slice(0, 100)}.`;
      const logged = `answered with another type than ${wanted}.`;
      this.#fail(badResponse('upstream_content_type', this.#options.server, what, undefined, logged));
      return;
    }
    if (!this.#options.stream && Number(headers['content-length'] ?? 0) > this.#options.maxBytes) {
      this.#fail(this.#tooLarge());
      return;
    }
    this.#phase = 'opening';
    if (this.#options.stream) this.#opening = new Opening(this.#decoder!, this.#options.server);
  }

  onResponseData(bytes: Buffer): void {
    if (this.#phase === 'over' || this.#phase === 'lingering') return;
    this.#bytes += bytes.length;
    if (this.#bytes > this.#options.maxBytes) {
      this.#fail(this.#tooLarge());
      return;
    }
    if (this.#phase === 'streaming') {
      this.#pass(bytes);
      return;
    }
    this.#pieces.push(bytes);
    if (this.#opening === null) return;
    try {
      if (!this.#opening.read(bytes)) return;
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#begin();
  }

  onResponseEnd(): void {
    if (this.#phase === 'lingering') this.#over();
    else if (this.#phase === 'streaming') this.#closed();
    else if (this.#phase === 'opening') {
      if (this.#options.stream) this.#fail(this.#cut());
      else this.#whole();
    }
  }

  onResponseError(error: Error): void {
    if (this.#phase === 'lingering') this.#over();
    else this.#fail(this.#phase === 'waiting' ? this.#unreached(error) : this.#cut(error));
  }

  /** The first piece is here: what came so far is given at once. */
  #begin(): void {
    const first = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#opening = null;
    this.#phase = 'streaming';
    this.firstTokenAt = this.#options.now();
    this.#reader.start();
    this.#pass(first);
  }

  #pass(bytes: Buffer): void {
    let events: Buffer | null;
    let seen: Seen;
    try {
      // Whole ones: whoever has to say that a stream broke off cannot say it in the middle of one.
      events = this.#events!.add(bytes);
      if (events === null) return;
      seen = this.#watch!.look(events);
    } catch (error) {
      this.#fail(error);
      return;
    }
    // The last event is given only when all that came before it makes an answer. What follows it is none of it.
    if (seen.doneAt !== null) {
      this.#events!.clear();
      this.#finish(events.subarray(0, seen.doneAt), { done: true, closed: false });
      return;
    }
    // Pings say nothing of the answer.
    if (seen.data) this.#await();
    if (this.#reader.data(events)) return;
    this.#paused = true;
    // It is the caller who keeps the server waiting now.
    this.deadline = this.#totalEnd;
    this.#control?.pause();
  }

  /** The connection ended. Some servers end their last event with it. */
  #closed(): void {
    const rest = this.#events!.rest();
    let done = false;
    let last: Buffer | null = null;
    if (rest !== null)
      try {
        const { doneAt } = this.#watch!.look(rest);
        done = doneAt !== null;
        last = rest.subarray(0, doneAt ?? rest.length);
      } catch (error) {
        // An event that is not whole was never sent.
        if (failureOf(error) !== 'bad_response') {
          this.#fail(error);
          return;
        }
      }
    this.#finish(last, { done, closed: true });
  }

  #await(): void {
    this.deadline = Math.min(this.#options.now() + this.#options.limits.interTokenMs, this.#totalEnd);
  }

  /** `last`: bytes that were not given yet. `done`: they hold the event that ends a stream. */
  #finish(last: Buffer | null, { done, closed }: { done: boolean; closed: boolean }): void {
    let end: StreamEnd;
    try {
      end = this.#watch!.end();
    } catch (error) {
      this.#fail(error);
      return;
    }
    const { now } = this.#options;
    this.endedAt = now();
    if (closed) this.#over();
    else {
      this.#phase = 'lingering';
      this.deadline = now() + lingerMs;
    }
    if (last !== null) this.#reader.data(last);
    // Some servers leave it out; no client of ours does without it.
    if (!done) this.#reader.data(doneEvent);
    this.#reader.end(end);
  }

  #whole(): void {
    const body = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
    const plain = isAscii(body);
    const text = body.toString('utf8');
    let end: StreamEnd;
    try {
      if (!plain && !isUtf8(body))
        throw badResponse('upstream_invalid_utf8', this.#options.server, 'sent bytes that are not UTF-8.');
      const value = parseJson(text, this.#options.server);
      end = plainEnd(value) ?? this.#decoded(value);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.endedAt = this.#options.now();
    this.#over();
    this.#reader.whole(plain ? text : body, end);
  }

  #decoded(value: unknown): StreamEnd {
    const decoder = this.#options.decoder();
    let reason: FinishReason = 'stop';
    for (const event of decoder.whole(value)) if (event.type === 'finish') reason = event.reason;
    if (!decoder.complete) throw this.#cut();
    return { reason, usage: decoder.usage ?? unknownUsage };
  }

  #tooLarge(): UpstreamError {
    const { server, maxBytes } = this.#options;
    return badResponse('upstream_too_large', server, `sent more than ${maxBytes} bytes in one answer.`);
  }

  /** Nothing of an answer came. */
  #unreached(error: Error): UpstreamError {
    if (error instanceof UpstreamError) return error;
    const { server } = this.#options;
    const cause = (error as NodeJS.ErrnoException).code ?? error.name;
    const [code, what] =
      this.#control === null
        ? (['upstream_connect_failed', 'could not be connected to'] as const)
        : (['upstream_reset', 'closed the connection without an answer'] as const);
    return new UpstreamError('connect_failed', code, `${server} ${what} (${cause}).`, { cause: error });
  }

  #cut(cause?: Error): UpstreamError {
    const message = `${this.#options.server} ended its answer before it was finished.`;
    return new UpstreamError('cut', 'upstream_cut', message, cause === undefined ? {} : { cause });
  }

  #fail(error: unknown, silent = false): void {
    if (this.#phase === 'over') return;
    const begun = this.#phase === 'streaming';
    if (begun && this.#watch!.finished && isHarmless(error)) {
      this.#finish(null, { done: false, closed: true });
      this.#control?.abort();
      return;
    }
    this.#over();
    const known =
      error instanceof KithError
        ? error
        : badResponse(
            'upstream_bad_chunk',
            this.#options.server,
            'answered in a way that cannot be read.',
            error,
          );
    this.#control?.abort();
    this.#reader.failed(known, begun, silent);
  }

  #over(): void {
    this.#phase = 'over';
    this.#giveUp?.();
    this.#giveUp = null;
    this.#pieces = [];
    this.#events?.clear();
    this.endedAt ??= this.#options.now();
    this.#options.sweep.delete(this);
  }
}

/** After an answer's finish: what broke could only have brought its counts. */
function isHarmless(error: unknown): boolean {
  const failure = failureOf(error);
  if (error instanceof UpstreamError && error.code === AFTER_END) return false;
  return failure === 'cut' || failure === 'timeout_inter_token' || failure === 'bad_response';
}
