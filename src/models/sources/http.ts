/**
 * One careful HTTP GET: bounded redirects, connect and idle timeouts from the injected clock, no content encoding,
 * secrets only to the host they belong to. Retries live in `web-stream.ts`.
 *
 * @module models/sources/http
 */

import http from 'node:http';
import https from 'node:https';
import type { Clock, Random } from '../../base/index.ts';
import { isKithError, KithError, messageOf, throwIfAborted } from '../../base/index.ts';

export interface HttpOptions {
  readonly clock: Clock;
  /** Spreads retries out. */
  readonly random: Random;
  /** Proxy variables (`HTTPS_PROXY`, `NO_PROXY`) are read from here. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** ms until response headers must have arrived. @default 30000 */
  readonly connectTimeoutMs?: number | undefined;
  /** ms a body may stand still. @default 60000 */
  readonly idleTimeoutMs?: number | undefined;
  /** Tries in a row that bring no byte before giving up. @default 6 */
  readonly attempts?: number | undefined;
  /** @default 8 */
  readonly maxRedirects?: number | undefined;
  readonly userAgent?: string | undefined;
}

export interface HttpRequest {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent only to URLs of exactly this origin, never after a redirect to another. */
  readonly authorization?: { readonly origin: string; readonly value: string } | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** Headers of the redirects on the way, first to last. */
  readonly hops: readonly http.IncomingHttpHeaders[];
  /** Final URL. */
  readonly url: URL;
  /** The body, once. Throws KithError `source_unreachable` when the connection breaks or stands still. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Drops the connection without reading the rest. */
  discard(): void;
}

export interface HttpClient {
  readonly clock: Clock;
  readonly random: Random;
  readonly attempts: number;
  get(url: URL, request?: HttpRequest): Promise<HttpResponse>;
  close(): void;
}

/** The failure may pass: another try makes sense. */
export function isTransient(error: unknown): boolean {
  return isKithError(error) && error.details.transient === true;
}

/** Host and path without the query: presigned URLs carry secrets there. */
export function shownUrl(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

function unreachable(url: URL, why: string, cause?: unknown): KithError {
  return new KithError('source_unreachable', `Cannot read ${shownUrl(url)}: ${why}.`, {
    status: 502,
    cause,
    details: { transient: true, host: url.host },
  });
}

export function createHttpClient(options: HttpOptions): HttpClient {
  const { clock, env } = options;
  const connectTimeoutMs = options.connectTimeoutMs ?? 30_000;
  const idleTimeoutMs = options.idleTimeoutMs ?? 60_000;
  const maxRedirects = options.maxRedirects ?? 8;
  // An empty object would still switch proxy handling on.
  const proxied = ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'].some((name) => env[name]);
  const agentOptions = { keepAlive: true, maxSockets: 8, ...(proxied ? { proxyEnv: { ...env } } : {}) };
  const agents = { 'http:': new http.Agent(agentOptions), 'https:': new https.Agent(agentOptions) };

  async function get(start: URL, request: HttpRequest = {}): Promise<HttpResponse> {
    const hops: http.IncomingHttpHeaders[] = [];
    const seen = new Set<string>();
    let url = start;
    for (;;) {
      if (seen.has(url.href) || seen.size > maxRedirects) {
        const why = seen.has(url.href)
          ? 'it redirects in a circle'
          : `it redirects more than ${maxRedirects} times`;
        throw new KithError('source_redirects', `Cannot read ${shownUrl(start)}: ${why}.`, { status: 502 });
      }
      seen.add(url.href);
      const response = await once(url, request);
      const location = response.headers.location;
      if (![301, 302, 303, 307, 308].includes(response.statusCode ?? 0) || location === undefined) {
        return {
          status: response.statusCode ?? 0,
          headers: response.headers,
          hops,
          url,
          body: readBody(response, url, request.signal),
          discard: () => void response.destroy(),
        };
      }
      response.destroy();
      hops.push(response.headers);
      url = redirected(url, location);
    }
  }

  async function once(url: URL, request: HttpRequest): Promise<http.IncomingMessage> {
    throwIfAborted(request.signal);
    const secure = url.protocol === 'https:';
    const authorised = request.authorization?.origin === url.origin;
    const watch = new AbortController();
    const outgoing = (secure ? https : http).request(url, {
      agent: secure ? agents['https:'] : agents['http:'],
      headers: {
        'user-agent': options.userAgent ?? 'kith',
        accept: '*/*',
        'accept-encoding': 'identity',
        ...request.headers,
        ...(authorised ? { authorization: request.authorization!.value } : {}),
      },
    });
    const onAbort = () => outgoing.destroy();
    request.signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await new Promise<http.IncomingMessage>((resolve, reject) => {
        outgoing.once('response', resolve);
        outgoing.on('error', reject);
        clock.sleep(connectTimeoutMs, watch.signal).then(
          () => outgoing.destroy(new Error(`no answer within ${connectTimeoutMs} ms`)),
          () => {},
        );
        outgoing.end();
      });
    } catch (cause) {
      throwIfAborted(request.signal);
      throw unreachable(url, reason(cause), cause);
    } finally {
      watch.abort();
      request.signal?.removeEventListener('abort', onAbort);
    }
  }

  async function* readBody(
    response: http.IncomingMessage,
    url: URL,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array> {
    const done = new AbortController();
    const onAbort = () => response.destroy();
    signal?.addEventListener('abort', onAbort, { once: true });
    let lastByte = clock.monotonic();
    let waiting = true;
    const watch = async () => {
      for (;;) {
        const quiet = waiting ? clock.monotonic() - lastByte : 0;
        if (quiet >= idleTimeoutMs)
          return void response.destroy(new Error(`no byte for ${idleTimeoutMs} ms`));
        await clock.sleep(idleTimeoutMs - quiet, done.signal);
      }
    };
    // The only rejection of `watch` is the abort in `finally` below.
    watch().catch(() => {});
    try {
      throwIfAborted(signal);
      for await (const chunk of response) {
        // While the reader is busy with a chunk, the server's silence is not its fault.
        waiting = false;
        yield chunk as Uint8Array;
        waiting = true;
        lastByte = clock.monotonic();
      }
      throwIfAborted(signal);
      if (!response.complete) throw new Error('the connection closed before the end');
    } catch (cause) {
      throwIfAborted(signal);
      throw unreachable(url, reason(cause), cause);
    } finally {
      done.abort();
      signal?.removeEventListener('abort', onAbort);
      response.destroy();
    }
  }

  return {
    clock,
    random: options.random,
    attempts: options.attempts ?? 6,
    get,
    close() {
      agents['http:'].destroy();
      agents['https:'].destroy();
    },
  };
}

function redirected(from: URL, location: string): URL {
  let to: URL;
  try {
    to = new URL(location, from);
  } catch (cause) {
    throw new KithError('source_redirects', `${shownUrl(from)} redirects to something that is no URL.`, {
      status: 502,
      cause,
    });
  }
  if (to.protocol !== 'https:' && !(to.protocol === 'http:' && from.protocol === 'http:')) {
    throw new KithError(
      'source_redirects',
      `${shownUrl(from)} redirects to ${to.protocol}//${to.host}, which is less safe than where it came from.`,
      { status: 502 },
    );
  }
  return to;
}

function reason(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  const message = messageOf(cause) || 'the connection failed';
  return code !== undefined && !message.includes(code) ? `${message} (${code})` : message;
}
