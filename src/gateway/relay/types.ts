/**
 * What the relay asks of a backend, and what it tells whoever passes the answer on.
 *
 * @module gateway/relay/types
 */
import type { KithError } from '../../base/index.ts';
import type { AnswerDecoder } from '../backends/stream-answer.ts';
import type { AttemptRecord } from '../resilience/index.ts';
import type { ChatEvent, FinishReason } from '../types.ts';
import type { AnswerHandler } from '../upstream/index.ts';
import type { ChatShape } from './scan.ts';

export type StartEvent = Extract<ChatEvent, { type: 'start' }>;
export type UsageEvent = Extract<ChatEvent, { type: 'usage' }>;

/** A server that takes bodies of OpenAI's chat API as they are. */
export interface RelayPort {
  /** How messages name the server: its origin. */
  readonly origin: string;
  /** False where the body would have to be changed, besides its model's name. */
  takes(shape: ChatShape): boolean;
  /** The server's name for a model. */
  upstreamId(model: string): string;
  /** Puts the request on a connection. */
  send(
    body: Buffer,
    stream: boolean,
    handler: AnswerHandler,
    headers: Readonly<Record<string, string>>,
  ): void;
  /** Reads an answer of one choice. */
  decoder(model: string): AnswerDecoder;
}

/**
 * Whoever passes the answer on. Told of either `unanswered`, or `whole`, or `start`, any number of `data` and one of
 * `end` and `broken`. After `leave` nothing is told any more.
 */
export interface RelayReader {
  /** The whole answer, checked. As text where that holds nothing but ASCII: it goes out with its head, in one write. */
  whole(body: Buffer | string, reason: FinishReason, usage: UsageEvent): void;
  /** A stream begins, with its first piece of text or call. */
  start(event: StartEvent): void;
  /** Bytes of the stream as they came. False: no more until `resume`. */
  data(bytes: Buffer): boolean;
  /** The stream is complete; all its bytes were given. */
  end(reason: FinishReason, usage: UsageEvent): void;
  /** The stream ended with an error; what came of it was given. */
  broken(error: KithError): void;
  /**
   * Nothing was given: the request is to be asked in the ordinary way, which finds out why. `attempt`: what came of this
   * one, for its account; null when nobody was asked.
   */
  unanswered(attempt: AttemptRecord | null): void;
}

/** An answer on its way. */
export interface Relaying {
  resume(): void;
  /** The caller has gone, or is not served any longer. */
  leave(reason: unknown): void;
}
