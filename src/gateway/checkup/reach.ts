/**
 * The way to a server, step by step on a connection of its own: name, TCP, TLS, HTTP, and who answers.
 *
 * It does not go through the backend under test: what is wrong with the way shall not look like a fault of the API.
 *
 * @module gateway/checkup/reach
 */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../base/index.ts';
import type { ServerAddress } from './types.ts';

/** How far it came. */
export type Stage = 'name' | 'connect' | 'tls' | 'answer';

export interface Reached {
  readonly ok: true;
  /** ms to the TCP connection, name included. */
  readonly connectMs: number;
  /** ms from there to the end of the handshake; null without TLS. */
  readonly tlsMs: number | null;
  /** `TLSv1.3`; null without TLS. */
  readonly protocol: string | null;
  /** ms since the epoch; null without TLS. */
  readonly certificateEnds: number | null;
  /** ms from the request to its status. */
  readonly statusMs: number;
  readonly status: number;
  /** What answers, by its own word (`server` header), printable and short; null when it does not say. */
  readonly server: string | null;
  readonly contentType: string | null;
  /** Host that a redirect leads to; null without one. */
  readonly redirectHost: string | null;
  /** The body as JSON; null when it is none, or too large. */
  readonly body: unknown;
}

export interface Unreached {
  readonly ok: false;
  readonly stage: Stage;
  /** Of the system, OpenSSL or the HTTP parser: ECONNREFUSED, CERT_HAS_EXPIRED, HPE_INVALID_CONSTANT; `TIMEOUT`. */
  readonly code: string;
}

const maxBytes = 4 * 2 ** 20;

/** GETs the list of models. Never throws; ends when the signal fires. Follows no redirect. */
export function reach(
  address: ServerAddress,
  clock: Pick<Clock, 'monotonic'>,
  signal: AbortSignal,
): Promise<Reached | Unreached> {
  const url = new URL(`${address.baseUrl.replace(/\/+$/, '')}/models`);
  const secure = url.protocol === 'https:';
  const began = clock.monotonic();
  let stage: Stage = 'name';
  let connectedAt = began;
  let secureAt: number | null = null;
  const { promise, resolve } = Promise.withResolvers<Reached | Unreached>();
  let request: ClientRequest;
  const lost = (error: NodeJS.ErrnoException) => {
    const code = signal.aborted ? 'TIMEOUT' : codeOf(error);
    // The name was found if its address could be tried.
    const at = stage === 'name' && !/^E(?:NOTFOUND|AI_)/.test(code) && code !== 'TIMEOUT' ? 'connect' : stage;
    resolve({ ok: false, stage: at, code });
  };
  try {
    request = (secure ? httpsRequest : httpRequest)(url, {
      method: 'GET',
      agent: false,
      signal,
      headers: { accept: 'application/json', 'user-agent': 'kith', ...address.headers },
      ...(secure ? tlsOptions(address) : {}),
    });
  } catch (error) {
    // A header that is none, a port out of range.
    lost(error as NodeJS.ErrnoException);
    return promise;
  }
  request.on('socket', (socket) => {
    socket.on('lookup', () => {
      stage = 'connect';
    });
    socket.on('connect', () => {
      connectedAt = clock.monotonic();
      stage = secure ? 'tls' : 'answer';
    });
    socket.on('secureConnect', () => {
      secureAt = clock.monotonic();
      stage = 'answer';
    });
  });
  request.on('error', lost);
  request.on('response', (response) => {
    const at = clock.monotonic();
    const socket = secure ? (response.socket as TLSSocket) : null;
    const head = {
      ok: true as const,
      connectMs: connectedAt - began,
      tlsMs: secureAt === null ? null : secureAt - connectedAt,
      protocol: socket?.getProtocol() ?? null,
      certificateEnds: endOf(socket),
      statusMs: at - (secureAt ?? connectedAt),
      status: response.statusCode ?? 0,
      server: shown(response.headers.server),
      contentType:
        response.headers['content-type']?.split(';')[0]?.trim().toLowerCase().slice(0, 100) ?? null,
      redirectHost: redirectOf(response, url),
    };
    // A body that never ends, or breaks off, is none: the status is what was asked for.
    bodyOf(response).then((body) => {
      resolve({ ...head, body });
      request.destroy();
    });
  });
  request.end();
  return promise;
}

/** Where OpenSSL failed, its own reason says more than that a protocol did: it stands in the message only. */
function codeOf({ code, name, message }: NodeJS.ErrnoException): string {
  const reason = code === 'EPROTO' ? /SSL routines:[^:]*:([^:]{1,80})/.exec(message)?.[1] : undefined;
  return reason === undefined ? (code ?? name) : `ERR_SSL_${reason.toUpperCase().replaceAll(' ', '_')}`;
}

function tlsOptions({ tls, baseUrl }: ServerAddress): object {
  const servername = tls?.servername;
  return {
    ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls?.key === undefined ? {} : { key: tls.key }),
    ...(servername === undefined || new URL(baseUrl).hostname === servername ? {} : { servername }),
  };
}

function endOf(socket: TLSSocket | null): number | null {
  const text = socket?.getPeerCertificate()?.valid_to;
  const end = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(end) ? null : end;
}

function redirectOf({ statusCode = 0, headers }: IncomingMessage, from: URL): string | null {
  const { location } = headers;
  if (statusCode < 300 || statusCode > 399 || location === undefined) return null;
  return URL.canParse(location, from.href) ? new URL(location, from).host : null;
}

async function bodyOf(response: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > maxBytes) return null;
    }
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    return null;
  }
}

function shown(value: string | string[] | undefined): string | null {
  const text = [value]
    .flat()[0]
    ?.replace(/[^\x20-\x7e]/g, '')
    .trim()
    .slice(0, 60);
  return text === undefined || text === '' ? null : text;
}
