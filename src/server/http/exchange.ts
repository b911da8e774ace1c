/**
 * One request and its answer, as route handlers see it.
 *
 * @module server/http/exchange
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Caller } from '../types.ts';
import { type BodyLimits, parseJson, readBytes } from './body.ts';
import { type BodyStream, streamBody } from './body-stream.ts';
import type { Fault } from './errors.ts';
import type { Response } from './response.ts';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: Response;
  /** Sent back as `x-request-id`. */
  readonly id: string;
  /** Pattern of the route that was found. */
  readonly route: string;
  /** Path parameters named in the route pattern, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly caller: Caller;
  /** Fires when the client has gone before its answer was complete, or when the server stops waiting for it. */
  readonly signal: AbortSignal;
  /** One listener for what the signal tells, for those who do not pass it on: a signal costs more than a small answer. */
  listen(listener: ((reason: unknown) => void) | null): void;
  /** Notes the code of an error that the handler answered itself, and the limit that was reached, for the logs. */
  failed(code: string, limit?: string): void;
  /**
   * Reads the JSON body within the server's limits. With `programs`, requests that come from no web page need not say
   * that it is JSON.
   */
  json(options?: { readonly programs?: boolean }): Promise<unknown>;
  /**
   * The body as it came, read within the limits, and what `parse` makes of it: together they are `json`. `files`: bytes of any
   * type, for routes that ask for the run token, which no form of a foreign page has.
   */
  bytes(options?: { readonly programs?: boolean; readonly files?: boolean }): Promise<Buffer>;
  parse(bytes: Buffer): unknown;
  /** The body piece by piece, of any length and type: for routes that bound it themselves and ask for the run token. */
  stream(): BodyStream;
}

export type Handler = (exchange: Exchange) => Promise<void> | void;

/**
 * What a key must allow for a route. `generate`: text; `embed`: vectors; `read`: models, the API document, the page and
 * the stream of the node's state that it shows; `monitor`: health and metrics; `knowledge`: asking and searching knowledge
 * bases; `ingest`: putting documents into them; `control`: the run token of the command line, checked by the route itself.
 */
export type Scope = 'generate' | 'embed' | 'read' | 'monitor' | 'knowledge' | 'ingest' | 'control';

/** The body of an error in the shape of the API that a route belongs to. */
export type ErrorEncoder = (fault: Fault, requestId: string) => unknown;

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly scope: Scope;
  /** @default OpenAI's shape */
  readonly encodeError?: ErrorEncoder;
  /** Status of an error, for an API that has its own codes. @default the fault's */
  readonly errorStatus?: (fault: Fault) => number;
  /** Header that repeats the request id under the API's own name. */
  readonly requestIdHeader?: string;
  /** False where requests are no work of clients and would hide how those fare: the page's own files. @default true */
  readonly counted?: false;
  /** Segments starting with `:` are parameters; a last segment `*name` takes the rest of the path. */
  readonly path: string;
  readonly handler: Handler;
}

/** What a request is part of until its response is closed. */
export interface Life {
  /** Made when it is first asked for: most small answers are done without one. */
  readonly signal: AbortSignal;
  /** One listener is told when the signal fires, without there being a signal. */
  listen(listener: ((reason: unknown) => void) | null): void;
}

export function createExchange(
  request: IncomingMessage,
  response: Response,
  id: string,
  life: Life,
  match: Match,
  caller: Caller,
  limits: BodyLimits,
  beforeReading: () => void,
  failed: (code: string, limit?: string) => void,
): Exchange {
  return new OneExchange(request, response, id, life, match, caller, limits, beforeReading, failed);
}

type Match = Pick<Exchange, 'params' | 'query'> & { readonly pattern: string };

class OneExchange implements Exchange {
  readonly request: IncomingMessage;
  readonly response: Response;
  readonly id: string;
  readonly caller: Caller;
  readonly failed: (code: string, limit?: string) => void;
  readonly #life: Life;
  readonly #match: Match;
  readonly #limits: BodyLimits;
  readonly #beforeReading: () => void;

  constructor(
    request: IncomingMessage,
    response: Response,
    id: string,
    life: Life,
    match: Match,
    caller: Caller,
    limits: BodyLimits,
    beforeReading: () => void,
    failed: (code: string, limit?: string) => void,
  ) {
    this.request = request;
    this.response = response;
    this.id = id;
    this.caller = caller;
    this.failed = failed;
    this.#life = life;
    this.#match = match;
    this.#limits = limits;
    this.#beforeReading = beforeReading;
  }

  get signal(): AbortSignal {
    return this.#life.signal;
  }

  listen(listener: ((reason: unknown) => void) | null): void {
    this.#life.listen(listener);
  }

  get route(): string {
    return this.#match.pattern;
  }

  get params(): Readonly<Record<string, string>> {
    return this.#match.params;
  }

  get query(): URLSearchParams {
    return this.#match.query;
  }

  bytes({ programs = false, files = false } = {}): Promise<Buffer> {
    return readBytes(this.request, this.#limits, this.#beforeReading, files ? 'files' : programs);
  }

  stream(): BodyStream {
    return streamBody(this.request, this.#beforeReading);
  }

  parse(bytes: Buffer): unknown {
    return parseJson(bytes, this.#limits);
  }

  async json(options?: { readonly programs?: boolean }): Promise<unknown> {
    return this.parse(await this.bytes(options));
  }
}

/** Answers with JSON, or with its headers only when the request was HEAD. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  // As text: Node sends a string together with the head, in one write.
  response.end(response.req.method === 'HEAD' ? undefined : text);
}
