/**
 * One request and its answer, as route handlers see it.
 *
 * @module server/http/exchange
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type BodyLimits, readJson } from './body.ts';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Sent back as `x-request-id`. */
  readonly id: string;
  /** Path parameters named in the route pattern, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Fires when the client has gone before its answer was complete, or when the server stops waiting for it. */
  readonly signal: AbortSignal;
  /** Reads the JSON body within the server's limits. */
  json(): Promise<unknown>;
}

export type Handler = (exchange: Exchange) => Promise<void> | void;

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Segments starting with `:` are parameters; a last segment `*name` takes the rest of the path. */
  readonly path: string;
  readonly handler: Handler;
}

export function createExchange(
  request: IncomingMessage,
  response: ServerResponse,
  id: string,
  signal: AbortSignal,
  match: { params: Record<string, string>; query: URLSearchParams },
  limits: BodyLimits,
  beforeReading: () => void,
): Exchange {
  return {
    request,
    response,
    id,
    signal,
    params: match.params,
    query: match.query,
    json: () => readJson(request, limits, beforeReading),
  };
}

/** Answers with JSON, or with its headers only when the request was HEAD. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': bytes.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  response.end(response.req.method === 'HEAD' ? undefined : bytes);
}
