/**
 * Chat requests whose bytes pass through as they are: the gateway judges them by a look at the bytes, and the answer's
 * bytes go to the client as they come.
 *
 * @module server/openai/relay
 */
import type { ServerResponse } from 'node:http';
import { AbortedError, type KithError, loggedMessageOf } from '../../base/index.ts';
import {
  type AttemptRecord,
  type ChatEvent,
  type Relaying,
  type RelayReader,
  scanChat,
} from '../../gateway/index.ts';
import { errorAnswer, openAiError } from '../http/errors.ts';
import type { Exchange } from '../http/exchange.ts';
import { receiptHeaders, startHeaders } from '../http/receipt.ts';
import { encodeEvent } from '../http/sse.ts';
import { termsOf } from '../http/terms.ts';
import type { AnswerWatching, ServerContext } from '../types.ts';

type StartEvent = Extract<ChatEvent, { type: 'start' }>;
type FinishEvent = Extract<ChatEvent, { type: 'finish' }>;
type UsageEvent = Extract<ChatEvent, { type: 'usage' }>;

/** What the watches are told of bytes that came. They count pieces, and look at no text. */
const piece: ChatEvent = Object.freeze({ type: 'text', choice: 0, text: '', logprobs: null });
const finish = (reason: FinishEvent['reason']): FinishEvent => ({
  type: 'finish',
  choice: 0,
  reason,
  stop: null,
  slidTokens: 0,
});

/** What came of a request that was passed on: answered, or to be answered in the ordinary way after these attempts. */
export type Relayed = 'answered' | readonly AttemptRecord[];

const none: readonly AttemptRecord[] = [];

/**
 * Null when the request has to be answered in the ordinary way. Throws when the caller's budget of tokens is spent, or a header states no term.
 */
export function relayChat(context: ServerContext, exchange: Exchange, body: Buffer): Promise<Relayed> | null {
  const shape = scanChat(body, context.limits.jsonDepth);
  if (shape === null) return null;
  const terms = termsOf(exchange.request.headers, exchange.caller);
  const begin = context.gateway.relay({ body, shape, terms });
  if (begin === null) return null;
  const watching = context.answering.watch(exchange, 'chat', shape.model, shape.messageBytes);
  return new Promise((resolve) => {
    const passage = new Passage(context, exchange, watching, resolve);
    passage.follow(begin(passage), shape.stream);
  });
}

class Passage implements RelayReader {
  readonly #context: ServerContext;
  readonly #exchange: Exchange;
  readonly #response: ServerResponse;
  readonly #watching: AnswerWatching;
  readonly #resolve: (relayed: Relayed) => void;
  #relaying: Relaying | null = null;
  #slow: NodeJS.Timeout | null = null;
  #over = false;
  /** The last bytes end a line, and no event. */
  #inEvent = false;

  constructor(
    context: ServerContext,
    exchange: Exchange,
    watching: AnswerWatching,
    resolve: (relayed: Relayed) => void,
  ) {
    this.#context = context;
    this.#exchange = exchange;
    this.#response = exchange.response;
    this.#watching = watching;
    this.#resolve = resolve;
  }

  follow(relaying: Relaying, stream: boolean): void {
    this.#relaying = relaying;
    if (this.#over) return;
    if (this.#response.destroyed) {
      this.#onClose();
      return;
    }
    this.#response.once('close', this.#onClose);
    if (!stream) return;
    // The server ends whole answers itself: their headers are not sent yet.
    this.#exchange.listen(this.#onEnded);
    this.#response.on('drain', this.#onDrain);
  }

  whole(body: Buffer | string, reason: FinishEvent['reason'], usage: UsageEvent): void {
    const response = this.#response;
    this.#watching.event(finish(reason));
    this.#watching.event(usage);
    this.#end(null);
    if (response.headersSent || response.destroyed) return;
    response.writeHead(200, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': body.length,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...receiptHeaders(usage.receipt),
    });
    if (typeof body === 'string') response.end(body, 'latin1');
    else response.end(body);
  }

  start(event: StartEvent): void {
    this.#watching.event(event);
    const response = this.#response;
    if (response.headersSent || response.destroyed) return;
    // Sent with the first bytes, which follow at once.
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      ...startHeaders(event),
    });
  }

  data(bytes: Buffer): boolean {
    this.#watching.event(piece);
    this.#inEvent = !/\n\r?\n$/.test(bytes.toString('latin1', Math.max(0, bytes.length - 3)));
    if (this.#response.write(bytes)) return true;
    const { slowReaderMs } = this.#context.limits;
    this.#slow ??= setTimeout(() => this.#response.destroy(), slowReaderMs).unref();
    return false;
  }

  end(reason: FinishEvent['reason'], usage: UsageEvent): void {
    this.#watching.event(finish(reason));
    this.#watching.event(usage);
    this.#end(null);
    this.#response.end();
  }

  broken(error: KithError): void {
    const id = `req-${this.#exchange.id}`;
    this.#context.log.warn('stream failed', { request: id, err: loggedMessageOf(error) });
    this.#breakOff(error);
  }

  unanswered(attempt: AttemptRecord | null): void {
    if (this.#over) return;
    this.#detach();
    this.#watching.handOver();
    this.#resolve(attempt === null ? none : [attempt]);
  }

  readonly #onDrain = (): void => {
    if (this.#slow !== null) clearTimeout(this.#slow);
    this.#slow = null;
    this.#relaying!.resume();
  };

  readonly #onEnded = (reason: unknown): void => {
    if (this.#over || !this.#response.headersSent || this.#response.destroyed) return;
    this.#relaying!.leave(reason);
    this.#breakOff(reason);
  };

  readonly #onClose = (): void => {
    if (this.#over) return;
    const reason = this.#exchange.signal.reason ?? new AbortedError();
    this.#relaying!.leave(reason);
    this.#end(reason);
  };

  /** The stream ends with an error, and without its usual end. */
  #breakOff(error: unknown): void {
    const { fault } = errorAnswer(error, `req-${this.#exchange.id}`);
    this.#exchange.failed(fault.code, fault.limit);
    this.#end(error);
    // An event whose lines were given is closed first.
    this.#response.end(`${this.#inEvent ? '\n' : ''}${encodeEvent(openAiError(fault))}`);
  }

  #end(error: unknown): void {
    this.#detach();
    this.#watching.end(error);
    this.#resolve('answered');
  }

  #detach(): void {
    this.#over = true;
    if (this.#slow !== null) clearTimeout(this.#slow);
    this.#response.off('close', this.#onClose);
    this.#response.off('drain', this.#onDrain);
    this.#exchange.listen(null);
  }
}
