/**
 * One request from its arrival until its response is closed: what is known of it, and how its end is heard of.
 *
 * @module server/underway
 */
import type { IncomingMessage } from 'node:http';
import { AbortedError, type Linked } from '../base/index.ts';
import type { Lane } from './connections.ts';
import type { Response } from './http/response.ts';
import type { Match } from './http/router.ts';
import type { Caller, RequestFacts } from './types.ts';

export class Underway implements Linked {
  before: Linked | null = null;
  after: Linked | null = null;
  readonly request: IncomingMessage;
  readonly response: Response;
  readonly lane: Lane;
  /** Without its prefix. */
  readonly id: string;
  /** Monotonic ms. */
  readonly started: number;
  readonly counted: boolean;
  match: Match | null = null;
  /** Who is refused for its scope or its rate is known all the same. */
  caller: Caller | null = null;
  code: string | null = null;
  limit: string | null = null;
  /** Made when somebody listens: it costs more than all the rest of this. */
  #abort: AbortController | null = null;
  #reason: unknown = null;
  #listener: ((reason: unknown) => void) | null = null;

  constructor(
    request: IncomingMessage,
    response: Response,
    lane: Lane,
    id: string,
    started: number,
    counted: boolean,
  ) {
    this.request = request;
    this.response = response;
    this.lane = lane;
    this.id = id;
    this.started = started;
    this.counted = counted;
  }

  /** Fires when the client has gone before its answer was complete, or when the server stops waiting for it. */
  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController();
      if (this.#reason !== null) this.#abort.abort(this.#reason);
    }
    return this.#abort.signal;
  }

  /** The one listener is told, once, what the signal would tell. Null: nobody is. */
  listen(listener: ((reason: unknown) => void) | null): void {
    this.#listener = listener;
  }

  readonly know = (caller: Caller): void => {
    this.caller = caller;
  };

  readonly failed = (code: string, limit?: string): void => {
    this.code = code;
    this.limit = limit ?? null;
  };

  /** The answer is not wanted any more. The first reason counts. */
  end(reason: unknown): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    this.#abort?.abort(reason);
    const listener = this.#listener;
    this.#listener = null;
    listener?.(reason);
  }

  /** The response is closed, whole or not. */
  closed(now: number): RequestFacts {
    const { request, response, lane } = this;
    if (!response.writableFinished) this.end(new AbortedError());
    lane.waiting--;
    // The head of the request was read before this began: what counts is what came since the last one on its connection.
    const { bytesRead, bytesWritten } = request.socket;
    const facts: RequestFacts = {
      id: `req-${this.id}`,
      method: request.method ?? '',
      route: this.match?.pattern ?? null,
      status: response.writableFinished ? response.statusCode : 499,
      code: this.code,
      limit: this.limit,
      ms: now - this.started,
      bytesIn: bytesRead - lane.read,
      bytesOut: bytesWritten - lane.written,
      caller: this.caller,
      counted: this.counted,
      of: request,
    };
    lane.read = bytesRead;
    lane.written = bytesWritten;
    return facts;
  }
}
