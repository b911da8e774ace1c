/**
 * One request on its way and the answer that comes back: the connection's callbacks on one side, `read()` on the other.
 *
 * Bytes wait here up to a bound, then the socket is paused. The caller's signal, a limit that passes, or `abort` destroy
 * the socket at once, whatever phase the request is in.
 *
 * @module gateway/upstream/exchange
 */
import { AbortedError } from '../../base/index.ts';
import { badResponse, UpstreamError } from './errors.ts';
import type { UpstreamLimits } from './limits.ts';
import { type Passed, Watch } from './watch.ts';
import type { AnswerHandler, Control, Headers } from './wire/index.ts';

/** Bytes that may wait to be read before the server is made to wait. */
const pauseAboveBytes = 256 * 1024;

/** ms since the call, null for what has not happened. */
export interface Timings {
  readonly sentMs: number | null;
  readonly headersMs: number | null;
  readonly firstTokenMs: number | null;
  readonly lastTokenMs: number | null;
}

export interface ExchangeOptions {
  /** How messages name the server: its origin. */
  readonly server: string;
  readonly limits: UpstreamLimits;
  readonly signal: AbortSignal;
  /** When the whole request began: an earlier try of it counts. */
  readonly startedAt: number;
  /** Monotonic ms. */
  readonly now: () => number;
}

type Answered = { readonly status: number; readonly headers: Headers };

export class Exchange implements AnswerHandler {
  readonly #options: ExchangeOptions;
  readonly #watch: Watch;
  readonly #startedAt: number;
  readonly #onAbort: () => void;
  readonly #answered = Promise.withResolvers<Answered>();
  /** While it waits for a connection. */
  #giveUp: (() => void) | null = null;
  #control: Control | null = null;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #received = 0;
  #reader: PromiseWithResolvers<Uint8Array | null> | null = null;
  /** `null` while it goes on; the error, or true for a whole answer. */
  #ended: Error | true | null = null;
  #sentMs: number | null = null;
  #headersMs: number | null = null;
  #firstTokenMs: number | null = null;
  #lastTokenMs: number | null = null;
  /** Of the connection, with this one. */
  #uses = 0;
  #stale = false;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#startedAt = options.startedAt;
    this.#watch = new Watch(options.limits, options.startedAt, options.now, (passed) =>
      this.#fail(this.#late(passed)),
    );
    this.#onAbort = () => this.abort(options.signal.reason);
    // Nobody may be waiting for the answer any more when it fails; `read` throws the same error.
    this.#answered.promise.catch(() => {});
    if (options.signal.aborted) this.#onAbort();
    else options.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Status and headers; rejects with `UpstreamError` or `AbortedError`. */
  get answered(): Promise<Answered> {
    return this.#answered.promise;
  }

  /** True when a kept connection turned out to be closed before anything was answered: the request may go again. */
  get stale(): boolean {
    return this.#stale;
  }

  get ended(): boolean {
    return this.#ended !== null;
  }

  get timings(): Timings {
    return {
      sentMs: this.#sentMs,
      headersMs: this.#headersMs,
      firstTokenMs: this.#firstTokenMs,
      lastTokenMs: this.#lastTokenMs,
    };
  }

  /** The answer is a stream: the limits of the first token and between tokens hold from here on. */
  streams(): void {
    if (this.#ended === null) this.#watch.enter('first_token');
  }

  /** A token came out of the bytes. */
  token(): void {
    this.#watch.token();
    this.#lastTokenMs = this.#options.now() - this.#startedAt;
    this.#firstTokenMs ??= this.#lastTokenMs;
  }

  /** All tokens have come; figures and the end may follow, soon. */
  ending(): void {
    if (this.#ended === null) this.#watch.enter('ending');
  }

  /** The next bytes, null after the last. Throws `UpstreamError` or `AbortedError`. One call at a time. */
  read(): Uint8Array | null | Promise<Uint8Array | null> {
    const next = this.#queue.shift();
    if (next !== undefined) {
      this.#queuedBytes -= next.length;
      if (this.#control?.paused && this.#queuedBytes <= pauseAboveBytes / 2 && this.#ended === null)
        this.#control.resume();
      return next;
    }
    if (this.#ended === true) return null;
    if (this.#ended !== null) throw this.#ended;
    this.#reader = Promise.withResolvers();
    this.#watch.waiting();
    return this.#reader.promise;
  }

  /** Gives the request up: the socket is destroyed. Nothing happens when the answer has ended. */
  abort(reason?: unknown): void {
    this.#fail(new AbortedError(undefined, { cause: reason }));
  }

  /** As `abort`, because of what the answer says. */
  refuse(error: Error): void {
    this.#fail(error);
  }

  onWaiting(giveUp: () => void): void {
    this.#giveUp = giveUp;
  }

  onRequestStart(control: Control): void {
    this.#giveUp = null;
    this.#control = control;
    this.#uses = control.uses;
    if (this.#ended instanceof Error) {
      control.abort();
      return;
    }
    this.#sentMs = this.#options.now() - this.#startedAt;
    this.#watch.enter('headers');
  }

  onResponseStart(status: number, headers: Headers): void {
    if (this.#ended !== null) return;
    this.#headersMs = this.#options.now() - this.#startedAt;
    this.#watch.enter('body');
    this.#answered.resolve({ status, headers });
  }

  onResponseData(chunk: Buffer): void {
    if (this.#ended !== null) return;
    this.#received += chunk.length;
    const { limits, server } = this.#options;
    if (this.#received > limits.maxResponseBytes) {
      this.#fail(
        badResponse(
          'upstream_too_large',
          server,
          `sent more than ${limits.maxResponseBytes} bytes in one answer (limit maxResponseBytes).`,
        ),
      );
      return;
    }
    if (this.#reader !== null) {
      this.#serve(chunk);
      return;
    }
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    if (this.#queuedBytes > pauseAboveBytes) this.#control?.pause();
  }

  onResponseEnd(): void {
    if (this.#ended !== null) return;
    this.#end(true);
    this.#serve(null);
  }

  onResponseError(error: Error): void {
    if (this.#ended === null) this.#fail(this.#broken(error));
  }

  #serve(bytes: Uint8Array | null): void {
    const reader = this.#reader;
    if (reader === null) return;
    this.#reader = null;
    this.#watch.served();
    reader.resolve(bytes);
  }

  #end(how: Error | true): void {
    this.#ended = how;
    this.#watch.stop();
    this.#options.signal.removeEventListener('abort', this.#onAbort);
  }

  #fail(error: Error): void {
    if (this.#ended !== null) return;
    this.#end(error);
    if (!(error instanceof UpstreamError && error.failure === 'cut')) {
      // What came before a cut is still read; nothing else is worth reading on.
      this.#queue = [];
      this.#queuedBytes = 0;
    }
    this.#giveUp?.();
    this.#giveUp = null;
    this.#control?.abort();
    this.#answered.reject(error);
    const reader = this.#reader;
    this.#reader = null;
    reader?.reject(error);
  }

  #late({ failure, limit, ms }: Passed): UpstreamError {
    const what = {
      timeout_connect: 'could not be connected to',
      timeout_headers: 'did not begin to answer',
      timeout_first_token: 'sent no token',
      timeout_inter_token: 'sent no further token',
      timeout_total: 'did not finish its answer',
    }[failure];
    return new UpstreamError(
      failure,
      `upstream_${failure}`,
      `${this.#options.server} ${what} within ${ms} ms (limit ${limit}).`,
      { details: { limit, ms } },
    );
  }

  /** The connection's error as ours: before anything was answered it is a failed connection, after that a cut. */
  #broken(error: Error): UpstreamError {
    const { server } = this.#options;
    const code = (error as NodeJS.ErrnoException).code ?? error.name;
    const details = { cause: code };
    if (this.#headersMs !== null) {
      return new UpstreamError('cut', 'upstream_cut', `${server} broke off its answer (${code}).`, {
        details,
        cause: error,
      });
    }
    if (code === 'CONNECT_TIMEOUT') {
      return this.#late({
        failure: 'timeout_connect',
        limit: 'connectMs',
        ms: this.#options.limits.connectMs ?? 0,
      });
    }
    if (code === 'CLOSED_HERE') {
      return new UpstreamError(
        'connect_failed',
        'upstream_closed',
        `The connections to ${server} were closed here.`,
      );
    }
    if (code === 'NOT_HTTP' || code === 'HEAD_TOO_LARGE') {
      return badResponse('upstream_bad_http', server, `sent what is not HTTP/1.1 (${code}).`, error);
    }
    this.#stale = this.#sentMs !== null && this.#uses > 1;
    return new UpstreamError(
      'connect_failed',
      this.#sentMs === null ? 'upstream_connect_failed' : 'upstream_reset',
      this.#sentMs === null
        ? `${server} could not be connected to (${code}). Check that it runs and that its address is right.`
        : `${server} closed the connection without an answer (${code}).`,
      { details, cause: error },
    );
  }
}
