/**
 * HTTP resources that outlive their connections: look up size and validator, then read from any offset with
 * retries, ranges where the server has them, and the certainty that all bytes are of one version.
 *
 * @module models/sources/web-stream
 */

import type { IncomingHttpHeaders } from 'node:http';
import { KithError, throwIfAborted } from '../../base/index.ts';
import { type HttpClient, type HttpRequest, type HttpResponse, isTransient, shownUrl } from './http.ts';

/** A server that asks for a longer pause than this is not waited for. */
const MAX_RETRY_AFTER_MS = 5 * 60_000;
const BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 30_000;

export interface WebFile {
  readonly url: URL;
  readonly size: number | null;
  readonly validator: string | null;
  readonly ranges: boolean;
  /** Response headers of the first hop (where hubs put what they know), then of the end. */
  readonly headers: readonly IncomingHttpHeaders[];
}

type Access = Pick<HttpRequest, 'authorization' | 'signal'>;

/** Looks a URL up with a one-byte range request: some hosts sign only GET, so HEAD is not asked. */
export async function probe(client: HttpClient, url: URL, access: Access = {}): Promise<WebFile> {
  return await retrying(client, access.signal, async () => {
    const response = await client.get(url, { ...access, headers: { range: 'bytes=0-0' } });
    try {
      const { status, headers } = response;
      const file = { url, validator: validatorOf(headers), headers: [...response.hops, headers] };
      if (status === 206) return { ...file, ranges: true, size: contentRange(headers)?.total ?? null };
      if (status === 416 && contentRange(headers)?.total === 0) return { ...file, ranges: true, size: 0 };
      if (status === 200) return { ...file, ranges: false, size: contentLength(headers) };
      throw refused(response, client);
    } finally {
      response.discard();
    }
  });
}

/**
 * Bytes of `file` from `from` to its end.
 *
 * @throws KithError `source_changed` when the server now has other bytes; `source_unreachable` after `attempts`
 * tries in a row without a byte; the status errors of `refused`.
 */
export async function* readWeb(
  client: HttpClient,
  file: Pick<WebFile, 'url' | 'size' | 'validator'>,
  from: number,
  access: Access & { readonly pinned?: boolean } = {},
): AsyncGenerator<Uint8Array> {
  const { url, size, validator } = file;
  let at = from;
  let failures = 0;
  for (;;) {
    if (size !== null && at >= size) return;
    try {
      const response = await client.get(url, { ...access, headers: rangeHeaders(at, validator) });
      try {
        let skip = checkVersion(response, file, at, access.pinned === true, client);
        for await (const chunk of response.body) {
          const rest = skip < chunk.length ? chunk.subarray(skip) : null;
          skip -= Math.min(skip, chunk.length);
          if (rest === null) continue;
          if (size !== null && at + rest.length > size)
            throw changed(url, `it sent more than its ${size} bytes`);
          failures = 0;
          at += rest.length;
          yield rest;
        }
      } finally {
        response.discard();
      }
      if (size === null || at >= size) return;
      throw new KithError('source_unreachable', `${shownUrl(url)} ended at byte ${at} of ${size}.`, {
        status: 502,
        details: { transient: true },
      });
    } catch (error) {
      // Without a size or a validator nothing says that the next answer continues this one.
      if (!isTransient(error) || (at > 0 && size === null)) throw error;
      failures += 1;
      if (failures >= client.attempts) throw error;
      await pause(client, failures, error, access.signal);
    }
  }
}

/** Reads a small text answer, at most `maxBytes` long. */
export async function readText(
  client: HttpClient,
  url: URL,
  request: HttpRequest,
  maxBytes: number,
): Promise<string> {
  return await retrying(client, request.signal, async () => {
    const response = await client.get(url, request);
    try {
      if (response.status !== 200) throw refused(response, client);
      const chunks: Uint8Array[] = [];
      let length = 0;
      for await (const chunk of response.body) {
        length += chunk.length;
        if (length > maxBytes) {
          throw new KithError('source_answer', `${shownUrl(url)} answers with more than ${maxBytes} bytes.`, {
            status: 502,
          });
        }
        chunks.push(chunk);
      }
      return Buffer.concat(chunks).toString('utf8');
    } finally {
      response.discard();
    }
  });
}

async function retrying<T>(
  client: HttpClient,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isTransient(error) || failures >= client.attempts) throw error;
      await pause(client, failures, error, signal);
    }
  }
}

/** 0.5 s, 1 s, 2 s, ... to 30 s, each between half and the whole of it; or what `retry-after` asks. */
export async function pause(
  client: HttpClient,
  failures: number,
  error: unknown,
  signal: AbortSignal | undefined,
) {
  throwIfAborted(signal);
  const asked = error instanceof KithError ? error.retryAfter : undefined;
  const backoff =
    Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** (failures - 1)) * (0.5 + client.random.float() / 2);
  if (asked !== undefined && asked * 1000 > MAX_RETRY_AFTER_MS) throw error;
  await client.clock.sleep(Math.max(backoff, (asked ?? 0) * 1000), signal);
}

function rangeHeaders(at: number, validator: string | null): Record<string, string> {
  if (at === 0) return {};
  const headers: Record<string, string> = { range: `bytes=${at}-` };
  // If-Range takes only strong validators (RFC 9110, 13.1.5); a weak one is compared on arrival.
  const tag = validator?.startsWith('etag:"') ? validator.slice(5) : undefined;
  if (tag !== undefined) headers['if-range'] = tag;
  return headers;
}

/** Checks that an answer continues the file at `at`; returns how many bytes of it to skip. */
function checkVersion(
  response: HttpResponse,
  file: Pick<WebFile, 'url' | 'size' | 'validator'>,
  at: number,
  pinned: boolean,
  client: HttpClient,
): number {
  const { status, headers } = response;
  const { url, size, validator } = file;
  if (status === 416) throw changed(url, `it has no byte ${at} any more`);
  if (status !== 200 && status !== 206) throw refused(response, client);
  const now = validatorOf(headers);
  if (validator !== null && now !== null && now !== validator) throw changed(url, 'its validator is another');
  if (at > 0 && validator === null && !pinned)
    throw changed(url, 'it says nothing that identifies its bytes');
  if (status === 206) {
    const range = contentRange(headers);
    if (range === null || range.start > at)
      throw changed(url, 'it answered with another range than was asked');
    if (size !== null && range.total !== null && range.total !== size) {
      throw changed(url, `it has ${range.total} bytes instead of ${size}`);
    }
    return at - range.start;
  }
  const length = contentLength(headers);
  if (size !== null && length !== null && length !== size) {
    throw changed(url, `it has ${length} bytes instead of ${size}`);
  }
  return at;
}

export function changed(url: URL, why: string): KithError {
  return new KithError('source_changed', `${shownUrl(url)} changed while it was read: ${why}.`, {
    status: 502,
  });
}

/** The error for an answer that is not the file. */
export function refused(response: HttpResponse, client: HttpClient): KithError {
  const { status, url } = response;
  const where = shownUrl(url);
  if (status === 404 || status === 410) {
    return new KithError(
      'source_not_found',
      `${where} does not exist (HTTP ${status}). Check the name and revision.`,
      {
        status: 404,
      },
    );
  }
  if (status === 401 || status === 403) {
    return new KithError(
      'source_forbidden',
      `${where} refuses access (HTTP ${status}). It may need an accepted licence or a token (HF_TOKEN for the hub).`,
      { status: 403 },
    );
  }
  const transient = status === 408 || status === 425 || status === 429 || status >= 500;
  const retryAfter = retryAfterOf(response.headers, client);
  return new KithError('source_refused', `${where} answered HTTP ${status}.`, {
    status: status === 429 ? 429 : 502,
    details: { transient, httpStatus: status },
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });
}

/** Seconds of a `retry-after` header, given in seconds or as a date. */
function retryAfterOf(headers: IncomingHttpHeaders, client: HttpClient): number | undefined {
  const value = headers['retry-after']?.trim();
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - client.clock.now()) / 1000));
}

/** `etag:...`, else `modified:...`, else null. */
export function validatorOf(headers: IncomingHttpHeaders): string | null {
  if (headers.etag !== undefined && headers.etag.length <= 1024) return `etag:${headers.etag}`;
  const modified = headers['last-modified'];
  return modified === undefined || modified.length > 128 ? null : `modified:${modified}`;
}

export function contentRange(headers: IncomingHttpHeaders): { start: number; total: number | null } | null {
  const match = /^bytes (?:(\d{1,15})-\d{1,15}|\*)\/(?:(\d{1,15})|\*)$/.exec(headers['content-range'] ?? '');
  if (match === null) return null;
  return { start: Number(match[1] ?? 0), total: match[2] === undefined ? null : Number(match[2]) };
}

export function contentLength(headers: IncomingHttpHeaders): number | null {
  const value = headers['content-length'];
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : null;
}
