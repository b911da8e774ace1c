/**
 * The HTTP server: node:http, routes, limits, and an orderly end.
 *
 * @module server/server
 */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { AbortedError, isKithError, KithError, messageOf } from '../base/index.ts';
import { controlRoutes } from './control.ts';
import { healthRoute } from './health.ts';
import { errorAnswer } from './http/errors.ts';
import { createExchange, sendJson } from './http/exchange.ts';
import { checkHost, isLoopback } from './http/host.ts';
import { createRouter, type Match } from './http/router.ts';
import { chatRoute } from './openai/chat.ts';
import { completionsRoute } from './openai/completions.ts';
import { embeddingsRoute } from './openai/embeddings.ts';
import { modelRoute, modelsRoute } from './openai/models.ts';
import type { Server, ServerContext, ServerOptions } from './types.ts';

function createRoutes(context: ServerContext) {
  return createRouter([
    { method: 'POST', path: '/v1/chat/completions', handler: chatRoute(context) },
    { method: 'POST', path: '/v1/completions', handler: completionsRoute(context) },
    { method: 'POST', path: '/v1/embeddings', handler: embeddingsRoute(context) },
    { method: 'GET', path: '/v1/models', handler: modelsRoute(context) },
    { method: 'GET', path: '/v1/models/*id', handler: modelRoute(context) },
    { method: 'GET', path: '/health', handler: healthRoute(context) },
    ...controlRoutes(context),
  ]);
}

/**
 * Listens and answers. Throws `host_not_loopback` for any host but loopback, and `port_in_use`, `port_refused` or
 * `listen_failed` with a remedy.
 */
export async function createServer(options: ServerOptions): Promise<Server> {
  const { limits, log } = options;
  if (!isLoopback(options.host)) {
    throw new KithError(
      'host_not_loopback',
      `Host '${options.host}' would let other machines in, and this version has no API keys yet. Use 127.0.0.1, ::1 or localhost; to reach the node from elsewhere, use an SSH tunnel.`,
      { status: 400, param: 'server.host' },
    );
  }
  const context: ServerContext = { ...options, fingerprint: `kith-${options.version}` };
  const route = createRoutes(context);
  const open = new Map<ServerResponse, AbortController>();
  /** Requests of clients; health probes and the command line's own routes are not counted. */
  let active = 0;
  let total = 0;
  let closing = false;

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
    const counted = !/^\/(kith\/|health\/?(\?|$))/.test(request.url ?? '');
    if (counted) {
      active++;
      total++;
    }
    response.setHeader('x-request-id', `req-${id}`);
    response.on('close', () => {
      open.delete(response);
      if (!response.writableFinished) abort.abort(new AbortedError());
      const ms = Math.round(options.clock.monotonic() - started);
      if (counted) active--;
      log[counted ? 'info' : 'debug']('request', {
        request: `req-${id}`,
        method: request.method,
        route: match?.pattern ?? null,
        status: response.writableFinished ? response.statusCode : 499,
        ms,
      });
    });
    // At the end of the drain time the answer does not wait for the work to notice. Streams do this themselves.
    abort.signal.addEventListener('abort', () => {
      if (!response.headersSent) fail(request, response, id, abort.signal.reason);
    });
    response.on('error', (error) =>
      log.debug('response failed', { request: `req-${id}`, err: messageOf(error) }),
    );
    try {
      if (closing) {
        response.setHeader('connection', 'close');
        throw new KithError('stopping', 'This node is shutting down.', { status: 503, retryAfter: 5 });
      }
      checkHost(request.headers);
      match = route(request.method ?? '', request.url ?? '');
      if (!match.handler) {
        response.writeHead(204, { allow: match.allow, 'content-length': 0 }).end();
        return;
      }
      const exchange = createExchange(request, response, id, abort.signal, match, limits, () => {
        if (expectsContinue) response.writeContinue();
      });
      await match.handler(exchange);
    } catch (error) {
      fail(request, response, id, error);
    }
  }

  function fail(request: IncomingMessage, response: ServerResponse, id: string, error: unknown): void {
    if (response.destroyed || response.writableEnded) return;
    const result = errorAnswer(error, `req-${id}`);
    if (result.status >= 500) {
      log.error('request failed', {
        request: `req-${id}`,
        err: messageOf(error),
        ...(isKithError(error) ? { code: error.code } : { stack: (error as Error)?.stack }),
      });
    }
    if (response.headersSent) {
      response.destroy();
      return;
    }
    // A body that was not read would be taken for the next request on this connection.
    const headers = { ...result.headers, ...(request.complete ? {} : { connection: 'close' }) };
    sendJson(response, result.status, result.body, headers);
    if (!request.complete) discard(request, limits.bodyBytes);
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
    sendJson(response, 417, errorAnswer(error, '').body, { connection: 'close' });
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
