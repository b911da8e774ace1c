/**
 * One client for one origin: kept connections, credentials, limits, typed failures. It never follows redirects, never
 * asks for compression, and never writes a credential into an error.
 *
 * @module gateway/upstream/client
 */
import { type Clock, messageOf } from '../../base/index.ts';
import { parseBase } from './address.ts';
import { readJson, readText } from './body.ts';
import { classify } from './classify.ts';
import { badResponse, UpstreamError } from './errors.ts';
import { Exchange, type Timings } from './exchange.ts';
import { withHeaders } from './headers.ts';
import { tighter, UPSTREAM_LIMITS, type UpstreamLimits } from './limits.ts';
import { batches, linger } from './reading.ts';
import { type SseFrame, SseReader } from './sse.ts';
import { type AnswerHandler, type Headers, Pool, requestHead } from './wire/index.ts';

export interface UpstreamOptions {
  /** `http:` or `https:` address; its path is put before every request's. No user, query or fragment. */
  readonly baseUrl: string;
  /** Sent with each request: credentials. Values never appear in errors. */
  readonly secretHeaders?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly limits?: Partial<UpstreamLimits>;
  /** For `https:`: what to trust instead of the system's list, a client certificate, the name to check. PEM. */
  readonly tls?: {
    readonly ca?: string | readonly string[];
    readonly cert?: string;
    readonly key?: string;
    readonly servername?: string;
  };
  /** Connections at a time; further requests wait, which counts towards `connectMs`. @default 256 */
  readonly maxConnections?: number;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
}

export interface UpstreamRequest {
  readonly method: 'GET' | 'POST';
  /** Below the base address, from a slash. */
  readonly path: string;
  /** Written as JSON. */
  readonly body?: unknown;
  readonly signal: AbortSignal;
  /** For this request, by names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Tighter limits for this request. */
  readonly limits?: Partial<UpstreamLimits>;
}

export interface JsonAnswer {
  readonly body: unknown;
  readonly headers: Headers;
  readonly timings: Timings;
}

/** A stream of events under way. Whoever has it reads it to its end or closes it. */
export interface EventStream {
  readonly headers: Headers;
  readonly timings: Timings;
  /** Events in the order sent; ends when the server ends. Throws `UpstreamError` or `AbortedError`. */
  batches(): AsyncGenerator<readonly SseFrame[]>;
  /** The whole answer as JSON when the server answered with that instead of a stream; null for a stream. */
  readonly whole: unknown;
  /** A token came out of an event: the limits count from here. */
  token(): void;
  /** All tokens have come: figures and the end are waited for a short time only. */
  ending(): void;
  /** Destroys the socket unless the answer has ended. */
  close(): void;
  /** All that matters has been read: lets the connection be used again if the end comes at once, else destroys it. */
  finish(): void;
}

export interface Upstream extends AsyncDisposable {
  /** `https://api.example.com`: how errors name the server. */
  readonly origin: string;
  /** Throws `UpstreamError`, `AbortedError`. */
  json(request: UpstreamRequest): Promise<JsonAnswer>;
  /** Resolves when status and headers say that a stream begins. Throws `UpstreamError`, `AbortedError`. */
  stream(request: UpstreamRequest): Promise<EventStream>;
  /** Sends JSON as it is, once; the handler has its own limits and judges the answer. Told of every error; throws none. */
  pass(
    path: string,
    json: Buffer,
    accept: string,
    handler: AnswerHandler,
    headers?: Readonly<Record<string, string>>,
  ): void;
  /** Connections that are open, and requests that are under way or wait for one. */
  connections(): { readonly open: number; readonly busy: number };
}

/** Bytes of an error's body that are read. */
const maxErrorBytes = 64 * 1024;
/** Sets of headers that are kept ready. */
const maxPassing = 64;
/** A kept connection can turn out closed as often as there are kept ones; then the failure stands. */
const maxStale = 3;

/** Throws `InputError` for an address that is not one. */
export function createUpstream(options: UpstreamOptions): Upstream {
  const base = parseBase(options.baseUrl);
  const limits = { ...UPSTREAM_LIMITS, ...options.limits };
  const prefix = base.pathname.replace(/\/+$/, '');
  const { ca, cert, key, servername } = options.tls ?? {};
  const pool = new Pool({
    origin: base,
    tls: {
      ...(ca === undefined ? {} : { ca: ca as string | string[] }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(servername === undefined ? {} : { servername }),
    },
    connectMs: limits.connectMs,
    maxConnections: options.maxConnections ?? 256,
    now: () => options.clock.monotonic(),
  });
  const server = base.origin;
  const secrets = Object.values(options.secretHeaders ?? {}).flatMap((value) => [
    value,
    value.replace(/^Bearer /, ''),
  ]);
  const fixed = { 'user-agent': 'kith', ...options.headers, ...options.secretHeaders };

  function headOf(method: string, path: string, headers: Readonly<Record<string, string>>): string {
    try {
      return requestHead(method, `${prefix}${path}`, base.host, headers);
    } catch (error) {
      throw new UpstreamError(
        'connect_failed',
        'upstream_connect_failed',
        `${server} cannot be asked. ${messageOf(error)}`,
        { cause: error },
      );
    }
  }

  /** Heads of bodies that are passed on, by what is accepted and what the request adds. */
  const passing = new Map<string, string>();
  let last: { path: string; accept: string; own: object | undefined; head: string } | null = null;

  function passingHead(
    path: string,
    accept: string,
    own: Readonly<Record<string, string>> | undefined,
  ): string {
    if (last !== null && last.own === own && last.accept === accept && last.path === path) return last.head;
    const key = JSON.stringify([path, accept, own]);
    let head = passing.get(key);
    if (head === undefined) {
      const all = own === undefined ? fixed : withHeaders(fixed, own);
      head = headOf('POST', path, { ...all, accept, 'content-type': 'application/json' });
      // Callers name regions as they like.
      if (passing.size < maxPassing) passing.set(key, head);
    }
    last = { path, accept, own, head };
    return head;
  }

  async function open(request: UpstreamRequest, accept: string) {
    const body = request.body === undefined ? null : Buffer.from(JSON.stringify(request.body));
    const headers: Record<string, string> = {
      ...(request.headers === undefined ? fixed : withHeaders(fixed, request.headers)),
      accept,
    };
    if (body !== null) headers['content-type'] = 'application/json';
    const head = headOf(request.method, request.path, headers);
    const own = tighter(limits, request.limits ?? {});
    const startedAt = options.clock.monotonic();
    for (let attempt = 1; ; attempt++) {
      const exchange = new Exchange({
        server,
        limits: own,
        signal: request.signal,
        startedAt,
        now: () => options.clock.monotonic(),
      });
      if (!exchange.ended) pool.dispatch({ head, body }, exchange);
      try {
        const answered = await exchange.answered;
        await check(exchange, answered);
        return { exchange, headers: answered.headers, limits: own };
      } catch (error) {
        if (exchange.stale && attempt <= maxStale) continue;
        throw error;
      }
    }
  }

  /** Throws for whatever is not a 200 that can be read; the rest of the answer is dropped. */
  async function check(exchange: Exchange, answer: { status: number; headers: Headers }): Promise<void> {
    const { status, headers } = answer;
    const refuse = (error: UpstreamError): never => {
      exchange.refuse(error);
      throw error;
    };
    if (status >= 300 && status < 400) refuse(redirected(server, status, headers.location));
    const encoding = one(headers['content-encoding']);
    if (encoding !== null && encoding !== 'identity') {
      refuse(
        badResponse(
          'upstream_encoded',
          server,
          `sent an answer encoded as ${encoding.slice(0, 40)}, which was not asked for.`,
          undefined,
          'sent an answer in an encoding that was not asked for.',
        ),
      );
    }
    if (status === 200) return;
    // The status says most of it: its body is not waited for longer than a moment.
    exchange.ending();
    const text = await readText(exchange, maxErrorBytes).catch((error: unknown) => {
      if (error instanceof UpstreamError) return '';
      throw error;
    });
    throw classify({ server, status, headers, text, now: options.clock.now(), secrets });
  }

  return {
    origin: server,
    async json(request) {
      const { exchange, headers } = await open(request, 'application/json');
      const body = await readJson(exchange, headers, server);
      if (isError(body))
        throw classify({
          server,
          status: null,
          headers,
          text: JSON.stringify(body),
          now: options.clock.now(),
          secrets,
        });
      return { body, headers, timings: exchange.timings };
    },
    async stream(request) {
      const { exchange, headers, limits: own } = await open(request, 'text/event-stream');
      const kind = mediaType(headers);
      let whole: unknown = null;
      if (kind !== 'text/event-stream') {
        if (kind === 'application/json') whole = await readJson(exchange, headers, server);
        else {
          const error = badResponse(
            'upstream_content_type',
            server,
            `answered with ${kind ?? 'no content type'} where text/event-stream was asked for.`,
            undefined,
            'answered with another type where text/event-stream was asked for.',
          );
          exchange.refuse(error);
          throw error;
        }
      } else exchange.streams();
      const close = () => exchange.abort('closed');
      return {
        headers,
        whole,
        get timings() {
          return exchange.timings;
        },
        token: () => exchange.token(),
        ending: () => exchange.ending(),
        close,
        finish: () => linger(exchange),
        batches: () => batches(exchange, new SseReader(server, own), server),
      };
    },
    connections() {
      return pool.stats;
    },
    pass(path, json, accept, handler, own) {
      let head: string;
      try {
        head = passingHead(path, accept, own);
      } catch (error) {
        handler.onResponseError(error as Error);
        return;
      }
      pool.dispatch({ head, body: json }, handler);
    },
    async [Symbol.asyncDispose]() {
      await pool[Symbol.asyncDispose]();
    },
  };
}

function redirected(server: string, status: number, location: string | string[] | undefined): UpstreamError {
  const target = one(location);
  const host = target !== null && URL.canParse(target, server) ? new URL(target, server).host : 'nowhere';
  return new UpstreamError(
    'bad_response',
    'upstream_redirect',
    `${server} sends requests on to ${host} (status ${status}). Redirects are not followed: configure that address if it is right.`,
    { upstreamStatus: status, details: { host } },
  );
}

/** Some servers put their errors into answers of status 200. */
function isError(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false;
  return (
    ('error' in body &&
      body.error !== null &&
      (typeof body.error === 'object' || typeof body.error === 'string')) ||
    ('object' in body && body.object === 'error')
  );
}

function one(value: string | string[] | undefined): string | null {
  const first = Array.isArray(value) ? value[0] : value;
  return first === undefined ? null : first.trim().toLowerCase();
}

function mediaType(headers: Headers): string | null {
  return one(headers['content-type'])?.split(';')[0]?.trim().slice(0, 100) ?? null;
}
