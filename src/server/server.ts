/**
 * The HTTP server: node:http, routes, limits, and an orderly end.
 *
 * @module server/server
 */
import { createServer as createHttpServer, type Server as HttpServer, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { Chain, isKithError, isLoopback, KithError, loggedMessageOf, messageOf } from '../base/index.ts';
import { createAnswering } from './answering.ts';
import { checkRequest, guardConnections } from './connections.ts';
import { createCounting } from './counted.ts';
import { type BodyLimits, createBytePool } from './http/body.ts';
import { busyStatuses, errorAnswer, type Fault, openAiError } from './http/errors.ts';
import { createExchange, type Route, sendJson } from './http/exchange.ts';
import { checkTarget } from './http/host.ts';
import { Response } from './http/response.ts';
import { createRouter, routeAbove } from './http/router.ts';
import { listen, urlOf } from './listen.ts';
import { allRoutes } from './routes.ts';
import { readCredentials, warnEarly, watchCredentials } from './tls.ts';
import type { Server, ServerOptions } from './types.ts';
import { Underway } from './underway.ts';

/** The node's server: all routes. Throws as `createOrigin`. */
export function createServer(options: ServerOptions): Promise<Server> {
  return createOrigin(options, (closing, fingerprint) =>
    allRoutes({
      ...options,
      ...{ closing, fingerprint, answering: createAnswering(options.gateway, options.observers) },
    }),
  );
}

/** What any server needs, whatever its routes are. */
export type OriginOptions = Pick<
  ServerOptions,
  | 'host'
  | 'port'
  | 'log'
  | 'clock'
  | 'ids'
  | 'limits'
  | 'version'
  | 'access'
  | 'tls'
  | 'onCertificate'
  | 'observers'
>;

/**
 * Listens and answers by these routes. Throws `host_not_loopback` for any host but loopback when there is no key, and
 * `tls_invalid`, `port_in_use`, `port_refused` or `listen_failed` with a remedy.
 *
 * @param routesOf gets the signal that fires when no new requests are taken, and what `system_fingerprint` is
 */
export async function createOrigin(
  options: OriginOptions,
  routesOf: (closing: AbortSignal, fingerprint: string) => readonly Route[],
): Promise<Server> {
  const { limits, log } = options;
  const wide = !isLoopback(options.host);
  if (wide && !options.access.guarded) {
    throw new KithError(
      'host_not_loopback',
      `Host '${options.host}' would let other machines in, and there is no usable API key. Make one with \`kith keys create\`, or use 127.0.0.1, ::1 or localhost.`,
      { status: 400, param: 'server.host' },
    );
  }
  const leaving = new AbortController();
  const routes = routesOf(leaving.signal, `kith-${options.version}`);
  const route = createRouter(routes);
  const isCounted = createCounting(route);
  const open = new Chain<Underway>();
  const bodyLimits: BodyLimits = { ...limits, pool: createBytePool(limits.bodiesBytes) };
  /** Requests of clients; health probes, the page's files and the command line's own routes are not counted. */
  let active = 0;
  let total = 0;
  let refused = 0;
  let closing = false;

  async function answer(
    request: IncomingMessage,
    response: Response,
    expectsContinue: boolean,
  ): Promise<void> {
    const { socket } = request;
    const lane = connections.laneOf(socket);
    const id = options.ids.next('req').slice(4);
    const counted = isCounted(request);
    const one = new Underway(request, response, lane, id, options.clock.monotonic(), counted);
    open.add(one);
    if (counted) {
      active++;
      total++;
    }
    response.always('x-request-id', `req-${id}`);
    for (const observer of options.observers) observer.begin?.(`req-${id}`, request);
    lane.waiting++;
    if (++lane.served >= limits.requestsPerConnection) response.setHeader('connection', 'close');
    response.on('close', () => {
      open.delete(one);
      if (counted) {
        active--;
        if (busyStatuses.has(response.statusCode)) refused++;
      }
      const facts = one.closed(options.clock.monotonic());
      for (const observer of options.observers) observer.request?.(facts);
    });
    // From the last write on, a client that takes nothing for so long is cut off, however large what is left.
    response.on('prefinish', () => {
      if (socket.writableLength > 0) socket.setTimeout(limits.slowReaderMs);
    });
    response.on('error', (error) =>
      log.debug('response failed', { request: `req-${id}`, err: messageOf(error) }),
    );
    try {
      if (closing) {
        response.setHeader('connection', 'close');
        throw new KithError('stopping', 'This node is shutting down.', { status: 503, retryAfter: 5 });
      }
      checkRequest(request, lane, limits);
      checkTarget(request.url ?? '', request.headers.host);
      if (request.method === 'OPTIONS' && options.access.preflight(request, response)) return;
      try {
        one.match = route(request.method ?? '', request.url ?? '');
      } catch (error) {
        // Only who may come in is told which paths there are.
        one.caller = options.access.admit(request, response, null, one.know);
        throw error;
      }
      const { match } = one;
      if (!match.route) {
        one.caller = options.access.admit(request, response, null, one.know);
        response.writeHead(204, { allow: match.allow, 'content-length': 0 }).end();
        return;
      }
      if (match.route.requestIdHeader) response.always(match.route.requestIdHeader, `req-${id}`);
      one.caller = options.access.admit(request, response, match.route.scope, one.know);
      const beforeReading = () => {
        if (expectsContinue) response.writeContinue();
      };
      const exchange = createExchange(
        request,
        response,
        id,
        one,
        match,
        one.caller,
        bodyLimits,
        beforeReading,
        one.failed,
      );
      await match.route.handler(exchange);
    } catch (error) {
      answerError(one, error);
    }
  }

  function answerError(one: Underway, error: unknown): void {
    // What fits no route is answered in the words of the API whose path it is.
    const spoken = one.match?.route ?? routeAbove(routes, one.request.url ?? '');
    const fault = fail(one.request, one.response, one.id, error, spoken);
    if (fault !== null) one.failed(fault.code, fault.limit);
  }

  /** Answers with the error and returns what the client was told; null when it is too late to answer. */
  function fail(
    request: IncomingMessage,
    response: Response,
    id: string,
    error: unknown,
    spoken: Route | null,
  ): Fault | null {
    if (response.destroyed || response.writableEnded) return null;
    const { fault, headers: own } = errorAnswer(error, `req-${id}`);
    // What is not built (501) is an answer like any other.
    if (fault.status >= 500 && fault.status !== 501) {
      log.error('request failed', {
        request: `req-${id}`,
        err: loggedMessageOf(error),
        ...(isKithError(error) ? { code: error.code } : { stack: framesOf(error) }),
      });
    }
    if (response.headersSent) {
      response.destroy();
      return fault;
    }
    // A body that was not read would be taken for the next request on this connection.
    const headers = { ...own, ...(request.complete ? {} : { connection: 'close' }) };
    if (spoken?.requestIdHeader) response.always(spoken.requestIdHeader, `req-${id}`);
    const status = spoken?.errorStatus?.(fault) ?? fault.status;
    sendJson(response, status, (spoken?.encodeError ?? openAiError)(fault, `req-${id}`), headers);
    if (!request.complete) discard(request, limits.bodyBytes * discardFactor);
    return fault;
  }

  const credentials = options.tls ? await readCredentials(options.tls) : null;
  if (credentials !== null) warnEarly(credentials, options.clock.now(), log);
  const settings = {
    // Node insists that the headers' time is within the request's.
    headersTimeout: Math.min(limits.headersMs, limits.bodyMs),
    requestTimeout: limits.bodyMs,
    keepAliveTimeout: limits.idleMs,
    maxHeaderSize: limits.headerBytes,
    connectionsCheckingInterval: Math.min(5_000, limits.headersMs),
    noDelay: true,
    // The host check says what is wrong with a request that names none.
    requireHostHeader: false,
    ServerResponse: Response,
  };
  const https =
    credentials &&
    createHttpsServer<typeof IncomingMessage, typeof Response>({
      ...settings,
      cert: credentials.cert,
      key: credentials.key,
      minVersion: 'TLSv1.2',
      handshakeTimeout: limits.headersMs,
    });
  const http = (https ?? createHttpServer(settings)) as unknown as HttpServer;
  const connections = guardConnections(http, limits, log, (socket) => {
    for (const { response } of open) if (response.socket === socket && response.headersSent) return true;
    return false;
  });
  http.on('request', (request, response) => void answer(request, response as Response, false));
  http.on('checkContinue', (request, response) => void answer(request, response as Response, true));
  http.on('checkExpectation', (_request, response) => {
    const error = new KithError('expectation_failed', 'Only `expect: 100-continue` is understood.', {
      status: 417,
    });
    sendJson(response, 417, openAiError(errorAnswer(error, '').fault), { connection: 'close' });
  });

  const port = await listen(http, options.host, options.port);
  http.on('error', (error) => log.error('server error', { err: messageOf(error) }));
  if (wide && !https) {
    log.warn(
      'other machines can reach this node without TLS: keys and texts cross the network in the clear (server.tlsCert, server.tlsKey)',
      { host: options.host },
    );
  }
  let fingerprint = credentials?.fingerprint ?? null;
  if (https && options.tls) {
    watchCredentials(options.tls, options.clock, log, leaving.signal, async (next) => {
      https.setSecureContext({ cert: next.cert, key: next.key, minVersion: 'TLSv1.2' });
      fingerprint = next.fingerprint;
      await options.onCertificate?.(next.fingerprint);
    }).catch(() => {});
  }

  const close = async (drainMs: number) => {
    closing = true;
    leaving.abort();
    const closed = new Promise<void>((resolve) => http.close(() => resolve()));
    http.closeIdleConnections();
    const stop = setTimeout(() => {
      for (const one of open) {
        const reason = new KithError('stopping', 'This node is shutting down.', {
          status: 503,
          retryAfter: 5,
        });
        one.end(reason);
        // The answer does not wait for the work to notice. Streams end themselves.
        if (!one.response.headersSent) answerError(one, reason);
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
    url: urlOf(options.host, port, https !== null),
    port,
    get fingerprint() {
      return fingerprint;
    },
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

/** A client that sends this many times more than it may is cut off before it can read why. */
const discardFactor = 8;

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

/** The places of a stack: its head repeats the message. */
function framesOf(error: unknown): string | null {
  if (!(error instanceof Error) || typeof error.stack !== 'string') return null;
  return error.stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n');
}
