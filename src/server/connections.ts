/**
 * What one connection may do before there is a request to answer: how many there are per peer, how many requests wait on
 * one of them, and what happens to bytes that are no request.
 *
 * @module server/connections
 */
import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { InputError, KithError, LimitError, type Logger } from '../base/index.ts';
import { isHere } from './access/access.ts';
import { peerOf } from './access/failures.ts';
import { errorAnswer, openAiError } from './http/errors.ts';
import type { ServerLimits } from './http/limits.ts';

/** ms for a client to read why it was refused before the connection is closed. */
const lingerMs = 2_000;

/** One connection. */
export interface Lane {
  /** Requests that are not answered yet. */
  waiting: number;
  /** Requests that came so far. */
  served: number;
  /** Bytes up to the end of the last request that was answered. */
  read: number;
  written: number;
}

export interface Connections {
  laneOf(socket: Socket): Lane;
}

export function guardConnections(
  http: HttpServer,
  limits: ServerLimits,
  log: Logger,
  /** True when an answer has begun on this connection. */
  answering: (socket: Socket) => boolean,
): Connections {
  const lanes = new WeakMap<Socket, Lane>();
  const peers = new Map<string, number>();

  http.maxConnections = limits.connections;
  // Headers are counted when they are read: above this number Node would leave some out without a word.
  http.maxHeadersCount = 0;

  http.on('connection', (socket: Socket) => {
    // A proxy on this machine carries everybody's requests.
    if (isHere(socket)) return;
    const peer = peerOf(socket.remoteAddress ?? '');
    const count = (peers.get(peer) ?? 0) + 1;
    if (count > limits.connectionsPerPeer) {
      log.warn('connection refused', {
        limit: 'server.maxConnectionsPerPeer',
        value: limits.connectionsPerPeer,
      });
      socket.destroy();
      return;
    }
    peers.set(peer, count);
    socket.once('close', () => {
      const left = peers.get(peer)! - 1;
      if (left === 0) peers.delete(peer);
      else peers.set(peer, left);
    });
  });
  http.on('drop', () =>
    log.warn('connection refused', { limit: 'server.maxConnections', value: limits.connections }),
  );
  http.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // In the middle of an answer an error would be taken for a part of it.
    if (answering(socket as Socket)) socket.destroy();
    else refuseBytes(socket as Socket, error.code, faultOf(error));
  });
  http.on('connect', (_request: IncomingMessage, socket) => {
    const error = new KithError('method_not_allowed', 'This node is no proxy: CONNECT is not taken.', {
      status: 405,
    });
    refuseBytes(socket as Socket, undefined, error);
  });

  return {
    laneOf(socket) {
      let lane = lanes.get(socket);
      if (!lane) {
        lane = { waiting: 0, served: 0, read: 0, written: 0 };
        lanes.set(socket, lane);
      }
      return lane;
    },
  };
}

/** What is wrong with a request before anybody looks at who sent it. Throws 400, 429 or 431. */
export function checkRequest(request: IncomingMessage, lane: Lane, limits: ServerLimits): void {
  const { rawHeaders, headers, socket } = request;
  if (lane.waiting > limits.pipelined) {
    // Who goes on after many refusals is not reading them.
    if (lane.waiting > limits.pipelined * 4) socket.destroy();
    throw new LimitError(
      'pipelined',
      limits.pipelined,
      `More than ${limits.pipelined} requests wait on this connection (limit pipelined). Read the answers first.`,
    );
  }
  if (rawHeaders.length > limits.headerCount * 2) {
    throw new KithError(
      'headers_too_large',
      `The request has more than ${limits.headerCount} headers (limit headerCount).`,
      { status: 431, details: { limit: 'headerCount', value: limits.headerCount } },
    );
  }
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  // RFC 9112, section 3.2: who decides by another one than this node could be led past its check.
  if (hosts > 1) throw new InputError('invalid_http', 'The request has more than one Host header.');
  // Other upgrades (`h2c`) may be ignored; a WebSocket client would wait for one that never comes.
  if (headers.upgrade !== undefined && /\bwebsocket\b/i.test(headers.upgrade)) {
    throw new InputError('upgrade_refused', 'This node speaks plain HTTP: there is no WebSocket here.');
  }
}

function faultOf({ code }: NodeJS.ErrnoException): KithError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new KithError('headers_too_large', 'The request headers are too large (limit headerBytes).', {
        status: 431,
      });
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new KithError('body_too_large', 'The chunk extensions of the body are too large.', {
        status: 413,
      });
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new KithError(
        'request_timeout',
        'The request did not arrive in time (limits server.headersTimeoutMs and server.requestTimeoutMs).',
        { status: 408 },
      );
    default:
      return new InputError('invalid_http', 'This is not a valid HTTP/1.1 request.');
  }
}

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  431: 'Request Header Fields Too Large',
};

/** Answers on the bare connection, then closes it. */
function refuseBytes(socket: Socket, cause: string | undefined, error: KithError): void {
  const { encrypted, getProtocol } = socket as Partial<TLSSocket>;
  // Without a finished handshake there is nobody who could read it.
  const mute = encrypted === true && getProtocol?.call(socket) === null;
  if (cause === 'ECONNRESET' || mute || !socket.writable) {
    socket.destroy();
    return;
  }
  const { fault } = errorAnswer(error, '');
  const body = JSON.stringify(openAiError(fault));
  socket.on('error', () => {});
  socket.end(
    `HTTP/1.1 ${fault.status} ${reasons[fault.status]}\r\nconnection: close\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  // What still comes is thrown away: a close with unread bytes would take the answer with it.
  socket.resume();
  setTimeout(() => socket.destroy(), lingerMs).unref();
}
