/**
 * One HTTP request to one node over a pooled connection: limits of time, bounded reading, no redirects.
 *
 * @module client/transport
 */
import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { ConnectionError, KithClientError, ResponseError, TimeoutError } from './errors.ts';
import type { ClientOptions } from './types.ts';

export type Pool = HttpAgent | HttpsAgent;

/** Connections to one node: kept open, the one used last first, so that the others may be closed by the node. */
export function createPool(secure: boolean, options: ClientOptions): Pool {
  const pool = { keepAlive: true, maxSockets: options.maxConnections ?? 64, scheduling: 'lifo' as const };
  return secure ? new HttpsAgent({ ...pool, ...options.tls }) : new HttpAgent(pool);
}

export interface Sent {
  readonly url: URL;
  readonly pool: Pool;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly node: string;
  /** Aborted with the error that the call is to fail with. */
  readonly signal: AbortSignal;
  readonly connectMs: number;
  readonly firstMs: number;
}

/** An answer whose head is there. */
export interface Received {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** The next bytes, or null at the end. Fails with a TimeoutError when they take longer than `limitMs` (0 = no limit). */
  read(limitMs: number, phase: 'first_token' | 'inter_token'): Promise<Uint8Array | null>;
  /** ms left of the limit to the first token; never 0. */
  firstLeftMs(): number;
  /** Ends the request, whatever its state. The connection is kept if the answer was read to the end. */
  close(): void;
  /** Lets the rest of an answer that is over come in, so that the connection can be used again. Never rejects. */
  drain(): Promise<void>;
}

/** How long the end of an answer may take after its last event, ms. A connection that ends later is given up. */
const DRAIN_MS = 100;

/** Sends a request and waits for the head of the answer. Every failure is a KithClientError. */
export async function send(sent: Sent): Promise<Received> {
  const started = performance.now();
  for (let again = 0; ; again++) {
    const attempt = { reused: false };
    try {
      return await sendOnce(sent, started, attempt);
    } catch (error) {
      // Most likely a kept connection that the node closed just then: another one is tried at once. Not often, since
      // it may also have been this request that ended it.
      if (attempt.reused && again < 2 && isLost(error) && !sent.signal.aborted) continue;
      throw error;
    }
  }
}

const isLost = (error: unknown) => error instanceof ConnectionError && error.code === 'connection_lost';

function sendOnce(sent: Sent, started: number, attempt: { reused: boolean }): Promise<Received> {
  const { node, signal } = sent;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    let connected = false;
    const timers = new Set<NodeJS.Timeout>();
    let request: ClientRequest;
    const fail = (error: unknown) => {
      cleanUp();
      reject(asClientError(error, node, connected));
      request.destroy();
    };
    const limit = (phase: 'connect' | 'first_token', ms: number, over: number) => {
      if (ms > 0)
        timers.add(setTimeout(() => fail(new TimeoutError(phase, ms, { node })), Math.max(0, ms - over)));
    };
    const onAbort = () => fail(signal.reason);
    const cleanUp = () => {
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
    const secure = sent.url.protocol === 'https:';
    const body = sent.body === null ? null : Buffer.from(sent.body);
    try {
      request = (secure ? httpsRequest : httpRequest)(sent.url, {
        agent: sent.pool,
        method: sent.method,
        headers: { ...sent.headers, ...(body === null ? {} : { 'content-length': String(body.byteLength) }) },
      });
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      return reject(
        new KithClientError('request_invalid', `The request cannot be sent: ${why}.`, { node, cause }),
      );
    }
    limit('first_token', sent.firstMs, performance.now() - started);
    signal.addEventListener('abort', onAbort, { once: true });
    request.on('socket', (socket) => {
      attempt.reused = request.reusedSocket;
      connected = attempt.reused;
      if (connected) return;
      // Waiting for a free connection of the pool is not connecting: the limit begins with the socket.
      limit('connect', sent.connectMs, 0);
      const connectTimer = [...timers].at(-1);
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        connected = true;
        if (sent.connectMs > 0) clearTimeout(connectTimer);
      });
    });
    request.on('error', fail);
    request.on('response', (message) => {
      cleanUp();
      request.removeListener('error', fail);
      // What breaks later is seen by who reads the answer.
      request.on('error', () => undefined);
      resolve(receive(message, sent, started));
    });
    request.end(body ?? undefined);
  });
}

function receive(message: IncomingMessage, sent: Sent, started: number): Received {
  const { node, signal } = sent;
  const chunks = message[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  let fault: unknown = null;
  const stop = (error: unknown) => {
    fault ??= error;
    message.destroy();
  };
  const onAbort = () => stop(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const done = () => signal.removeEventListener('abort', onAbort);
  message.once('close', done);
  if (signal.aborted) onAbort();
  return {
    status: message.statusCode ?? 0,
    headers: message.headers,
    firstLeftMs: () => (sent.firstMs === 0 ? 0 : Math.max(1, sent.firstMs - (performance.now() - started))),
    async read(limitMs, phase) {
      const timer =
        limitMs > 0
          ? setTimeout(
              () => stop(new TimeoutError(phase, phase === 'first_token' ? sent.firstMs : limitMs, { node })),
              limitMs,
            )
          : undefined;
      try {
        if (fault !== null) throw fault;
        const { done: ended, value } = await chunks.next();
        // Some ends after a destroy look like an end of the answer.
        if (fault !== null) throw fault;
        if (ended === true && !message.complete) throw new Error('the connection closed in the middle');
        return ended === true ? null : value;
      } catch (error) {
        throw asClientError(fault ?? error, node, true);
      } finally {
        clearTimeout(timer);
      }
    },
    close() {
      done();
      message.destroy();
    },
    async drain() {
      const timer = setTimeout(() => message.destroy(), DRAIN_MS);
      try {
        while ((await chunks.next()).done !== true);
      } catch {
        // The answer is whole: how its connection ended changes nothing.
      } finally {
        clearTimeout(timer);
        done();
      }
    },
  };
}

/** The rest of an answer as text. `response_too_large` beyond `maxBytes`. */
export async function readText(received: Received, maxBytes: number, node: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const bytes = await received.read(received.firstLeftMs(), 'first_token');
    if (bytes === null) return Buffer.concat(parts).toString('utf8');
    size += bytes.byteLength;
    if (size > maxBytes) {
      received.close();
      throw new ResponseError('response_too_large', `The answer is longer than ${maxBytes} bytes.`, { node });
    }
    parts.push(bytes);
  }
}

function asClientError(error: unknown, node: string, connected: boolean): KithClientError {
  if (error instanceof KithClientError) return error;
  const why = error instanceof Error ? error.message || (error as { code?: string }).code : String(error);
  return connected
    ? new ConnectionError('connection_lost', `The connection to ${node} broke off: ${why}.`, {
        node,
        cause: error,
      })
    : new ConnectionError('unreachable', `${node} cannot be reached: ${why}. Does the node run there?`, {
        node,
        cause: error,
      });
}
