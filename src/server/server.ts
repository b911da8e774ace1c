/**
 * The HTTP server: node:http, routes, limits, and an orderly end.
 *
 * @module server/server
 */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { AbortedError, isKithError, KithError, messageOf } from '../base/index.ts';
import { createAnswering } from './answering.ts';
import { errorAnswer, openAiError } from './http/errors.ts';
import { createExchange, type Route, sendJson } from './http/exchange.ts';
import { isLoopback } from './http/host.ts';
import { createRouter, type Match, routeAbove } from './http/router.ts';
import { allRoutes } from './routes.ts';
import type { Caller, RequestFacts, Server, ServerContext, ServerOptions } from './types.ts';

/**
 * Listens and answers. Throws `host_not_loopback` for any host but loopback, and `port_in_use`, `port_refused` or
 * `listen_failed` with a remedy.
 */
export async function createServer(options: ServerOptions): Promise<Server> {
  const { limits, log } = options;
  if (!isLoopback(options.host) && !options.access.guarded) {
    throw new KithError(
      'host_not_loopback',
      `Host '${options.host}' would let other machines in, and there is no API key. Use 127.0.0.1, ::1 or localhost; to reach the node from elsewhere, use an SSH tunnel.`,
      { status: 400, param: 'server.host' },
    );
  }
  const leaving = new AbortController();
  const context: ServerContext = {
    ...options,
    closing: leaving.signal,
    fingerprint: `kith-${options.version}`,
    answering: createAnswering(options.gateway, options.observers),
  };
  const routes = allRoutes(context);
  const route = createRouter(routes);
  const open = new Map<ServerResponse, AbortController>();
  /** Requests of clients; health probes and the command line's own routes are not counted. */
  let active = 0;
  let total = 0;
  let closing = false;
  let refused = 0;

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    expectsContinue: boolean,
  ): Promise<void> {
    const started = options.clock.monotonic();
    const id = options.ids.next('req').slice(4);
    const abort = new AbortController();
    open.set(response, abort);
    let match: Match | null = null;
    let caller: Caller | null = null;
    let code: string | null = null;
    const { socket } = request;
    const before = { read: socket.bytesRead, written: socket.bytesWritten };
    const counted = !/^\/(kith\/|metrics\/?(\?|$)|(api\/)?health(\/detailed)?\/?(\?|$))/.test(request.url ?? '');
    if (counted) {
      active++;
      total++;
    }
    response.setHeader('x-request-id', `req-${id}`);
    response.on('close', () => {
      open.delete(response);
      if (!response.writableFinished) abort.abort(new AbortedError());
      if (counted) {
        active--;
        if (response.statusCode === 429 || response.statusCode === 503) refused++;
      }
      const facts: RequestFacts = {
        id: `req-${id}`,
        method: request.method ?? '',
        route: match?.pattern ?? null,
        status: response.writableFinished ? response.statusCode : 499,
        code,
        ms: options.clock.monotonic() - started,
        bytesIn: socket.bytesRead - before.read,
        bytesOut: socket.bytesWritten - before.written,
        caller,
        counted,
      };
      for (const observer of options.observers) observer.request?.(facts);
      log[counted ? 'info' : 'debug']('request', {
        request: facts.id,
        method: facts.method,
        route: facts.route,
        status: facts.status,
        ms: Math.round(facts.ms),
      });
    });
    // At the end of the drain time the answer does not wait for the work to notice. Streams do this themselves.
    abort.signal.addEventListener('abort', () => {
      if (!response.headersSent) answerError(abort.signal.reason);
    });
    const answerError = (error: unknown) => {
      // What fits no route is answered in the words of the API whose path it is.
      const spoken = match?.route ?? routeAbove(routes, request.url ?? '');
      code = fail(request, response, id, error, spoken) ?? code;
    };
    response.on('error', (error) =>
      log.debug('response failed', { request: `req-${id}`, err: messageOf(error) }),
    );
    try {
      if (closing) {
        response.setHeader('connection', 'close');
        throw new KithError('stopping', 'This node is shutting down.', { status: 503, retryAfter: 5 });
      }
      match = route(request.method ?? '', request.url ?? '');
      if (!match.route) {
        if (options.access.preflight(request, response)) return;
        options.access.admit(request, response, 'read');
        response.writeHead(204, { allow: match.allow, 'content-length': 0 }).end();
        return;
      }
      if (match.route.requestIdHeader) response.setHeader(match.route.requestIdHeader, `req-${id}`);
      caller = options.access.admit(request, response, match.route.scope);
      const exchange = createExchange(
        request,
        response,
        id,
        abort.signal,
        match,
        caller,
        limits,
        () => {
          if (expectsContinue) response.writeContinue();
        },
        (what) => {
          code = what;
        },
      );
      await match.route.handler(exchange);
    } catch (error) {
      answerError(error);
    }
  }

  /** Answers with the error and returns its code; null when it is too late to answer. */
  function fail(
    request: IncomingMessage,
    response: ServerResponse,
    id: string,
    error: unknown,
    spoken: Route | null,
  ): string | null {
    if (response.destroyed || response.writableEnded) return null;
    const { fault, headers: own } = errorAnswer(error, `req-${id}`);
    if (fault.status >= 500) {
      log.error('request failed', {
        request: `req-${id}`,
        err: messageOf(error),
        ...(isKithError(error) ? { code: error.code } : { stack: (error as Error)?.stack }),
      });
    }
    if (response.headersSent) {
      response.destroy();
      return fault.code;
    }
    // A body that was not read would be taken for the next request on this connection.
    const headers = { ...own, ...(request.complete ? {} : { connection: 'close' }) };
    if (spoken?.requestIdHeader) response.setHeader(spoken.requestIdHeader, `req-${id}`);
    const status = spoken?.errorStatus?.(fault) ?? fault.status;
    sendJson(response, status, (spoken?.encodeError ?? openAiError)(fault, `req-${id}`), headers);
    if (!request.complete) discard(request, limits.bodyBytes);
    return fault.code;
  }

  const http = createHttpServer({
    headersTimeout: limits.headersMs,
    requestTimeout: limits.bodyMs,
    keepAliveTimeout: limits.idleMs,
    maxHeaderSize: limits.headerBytes,
    connectionsCheckingInterval: Math.min(5_000, limits.headersMs),
    noDelay: true,
  });
  http.maxConnections = limits.connections;
  http.on('request', (request, response) => void answer(request, response, false));
  http.on('checkContinue', (request, response) => void answer(request, response, true));
  http.on('checkExpectation', (_request, response) => {
    const error = new KithError('expectation_failed', 'Only `expect: 100-continue` is understood.', {
      status: 417,
    });
    sendJson(response, 417, openAiError(errorAnswer(error, '').fault), { connection: 'close' });
  });
  http.on('clientError', (error: NodeJS.ErrnoException, socket) => refuseBytes(error, socket as Socket));
  http.on('drop', () =>
    log.warn('connection refused', { limit: 'server.maxConnections', value: limits.connections }),
  );

  await listen(http, options);
  const { port } = http.address() as AddressInfo;
  const shown = options.host.includes(':') ? `[${options.host.replace(/^\[|\]$/g, '')}]` : options.host;

  const close = async (drainMs: number) => {
    closing = true;
    leaving.abort();
    const closed = new Promise<void>((resolve) => http.close(() => resolve()));
    http.closeIdleConnections();
    const stop = setTimeout(() => {
      for (const abort of open.values()) {
        abort.abort(new KithError('stopping', 'This node is shutting down.', { status: 503, retryAfter: 5 }));
      }
      // Time for the last bytes to leave.
      setTimeout(() => http.closeAllConnections(), 200).unref();
    }, drainMs);
    // Connections become idle one by one as their answers end; http.close does not end those that are kept alive.
    const sweep = setInterval(() => http.closeIdleConnections(), 50);
    await closed;
    clearTimeout(stop);
    clearInterval(sweep);
  };

  return {
    url: `http://${shown}:${port}`,
    port,
    get active() {
      return active;
    },
    get total() {
      return total;
    },
    get refused() {
      return refused;
    },
    close,
    [Symbol.asyncDispose]: () => close(0),
  };
}

/** Lets an unread body run out, within a bound, so that the client can read the answer before the close. */
function discard(request: IncomingMessage, limit: number): void {
  let seen = 0;
  request.on('data', (chunk: Buffer) => {
    seen += chunk.length;
    if (seen > limit) request.destroy();
  });
  request.on('error', () => {});
  request.resume();
}

/** Answers bytes that are not a valid HTTP request, or that came too slowly. */
function refuseBytes(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, reason, code, message] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [
          431,
          'Request Header Fields Too Large',
          'headers_too_large',
          'The request headers are too large (limit headerBytes).',
        ]
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [
            408,
            'Request Timeout',
            'request_timeout',
            'The request did not arrive in time (limits server.headersTimeoutMs and server.requestTimeoutMs).',
          ]
        : [400, 'Bad Request', 'invalid_http', 'This is not a valid HTTP/1.1 request.'];
  const body = JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code } });
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\nconnection: close\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function listen(http: ReturnType<typeof createHttpServer>, options: ServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) => {
      const { host, port } = options;
      if (error.code === 'EADDRINUSE') {
        reject(
          new KithError(
            'port_in_use',
            `Port ${port} on ${host} is taken by another program. Choose another one with --port N (or \`kith config set server.port N\`).`,
            { status: 500, param: 'server.port', cause: error },
          ),
        );
      } else if (error.code === 'EACCES') {
        reject(
          new KithError(
            'port_refused',
            `The system does not allow port ${port}. Choose one above 1023 with --port N.`,
            {
              param: 'server.port',
              cause: error,
            },
          ),
        );
      } else {
        reject(
          new KithError('listen_failed', `Cannot listen on ${host}:${port}: ${error.message}`, {
            cause: error,
          }),
        );
      }
    });
    http.listen(options.port, options.host.replace(/^\[|\]$/g, ''), () => {
      http.removeAllListeners('error');
      http.on('error', (error) => options.log.error('server error', { err: messageOf(error) }));
      resolve();
    });
  });
}
