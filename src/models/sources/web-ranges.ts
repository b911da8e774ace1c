/**
 * Stretches of an HTTP resource: one request for each, without a question before the first. A server that answers with
 * the whole instead is read as a stream from then on.
 *
 * @module models/sources/web-ranges
 */
import type { IncomingHttpHeaders } from 'node:http';
import { type HttpClient, type HttpRequest, type HttpResponse, isTransient } from './http.ts';
import { type OpenedStream, SequentialReader } from './sequential.ts';
import type { RangeOptions, RangeReader } from './source.ts';
import { changed, contentLength, contentRange, pause, refused, validatorOf } from './web-stream.ts';

export interface WebRangesOptions extends RangeOptions {
  readonly client: HttpClient;
  readonly url: URL;
  readonly authorization?: HttpRequest['authorization'];
  /** Called with the headers of the first answer, those of redirects before it; may give a URL that stays the same. */
  readonly onHeaders?: (headers: readonly IncomingHttpHeaders[]) => URL;
}

export class WebRanges implements RangeReader {
  readonly #options: WebRangesOptions;
  #url: URL;
  #size: number | null = null;
  #validator: string | null = null;
  #answered = false;
  #stream: SequentialReader | null = null;

  constructor(options: WebRangesOptions) {
    this.#options = options;
    this.#url = options.url;
  }

  get size(): number | null {
    return this.#size ?? this.#stream?.size ?? null;
  }

  get sequential(): boolean {
    return this.#stream !== null;
  }

  async *read(from: number, to: number): AsyncGenerator<Uint8Array> {
    const { client, signal } = this.#options;
    let at = from;
    let failures = 0;
    while (at < to && (this.#size === null || at < this.#size)) {
      try {
        if (this.#stream !== null) {
          for await (const chunk of this.#stream.read(at, to)) {
            failures = 0;
            at += chunk.length;
            yield chunk;
          }
          return;
        }
        const response = await this.#ask(at, to);
        if (response === null) continue;
        try {
          const end = Math.min(to, this.#size ?? to);
          for await (const chunk of this.#counted(response)) {
            // What a server sends beyond what was asked is not read.
            const wanted = chunk.subarray(0, end - at);
            failures = 0;
            at += wanted.length;
            yield wanted;
            if (at >= end) break;
          }
        } finally {
          response.discard();
        }
        // A body that ended early is asked for again from there; one that gives nothing is no answer.
        if (at < Math.min(to, this.#size ?? to)) failures = await this.#again(failures, null);
      } catch (error) {
        if (!isTransient(error)) throw error;
        failures += 1;
        if (failures >= client.attempts) throw error;
        await this.#stream?.[Symbol.asyncDispose]();
        await pause(client, failures, error, signal);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stream?.[Symbol.asyncDispose]();
  }

  async #again(failures: number, error: unknown): Promise<number> {
    const { client, signal } = this.#options;
    if (failures + 1 >= client.attempts)
      throw changed(this.#url, 'it gives fewer bytes than it says again and again');
    await pause(client, failures + 1, error, signal);
    return failures + 1;
  }

  /** The answer with bytes from `from` on; null when it is the whole, or there are none. */
  async #ask(from: number, to: number): Promise<HttpResponse | null> {
    const response = await this.#get({ range: `bytes=${from}-${to - 1}` });
    let taken = false;
    try {
      const { status, headers } = response;
      const range = contentRange(headers);
      if (status === 416) {
        if (range?.total === null || range === null || range.total > from)
          throw changed(this.#url, `it says that it has no byte ${from}`);
        this.#sized(range.total);
        return null;
      }
      if (status === 200) {
        const length = contentLength(headers);
        if (length !== null) this.#sized(length);
        taken = true;
        this.#stream = this.#streamFrom(response);
        return null;
      }
      if (status !== 206) throw refused(response, this.#options.client);
      if (range === null || range.start !== from)
        throw changed(this.#url, 'it answered with another range than was asked');
      if (range.total !== null) this.#sized(range.total);
      taken = true;
      return response;
    } finally {
      if (!taken) response.discard();
    }
  }

  async #get(headers: Readonly<Record<string, string>>): Promise<HttpResponse> {
    const { client, authorization, signal, count, onHeaders } = this.#options;
    count(1, 0);
    // If-Range takes only strong validators (RFC 9110, 13.1.5).
    const tag = this.#validator?.startsWith('etag:"') === true ? this.#validator.slice(5) : null;
    const response = await client.get(this.#url, {
      authorization,
      signal,
      headers: { ...headers, ...(tag !== null && 'range' in headers ? { 'if-range': tag } : {}) },
    });
    if (response.status !== 200 && response.status !== 206) return response;
    const now = validatorOf(response.headers);
    if (this.#validator !== null && now !== null && now !== this.#validator) {
      response.discard();
      throw changed(this.#url, 'its validator is another');
    }
    this.#validator ??= now;
    if (!this.#answered && onHeaders !== undefined) {
      try {
        this.#url = onHeaders([...response.hops, response.headers]);
      } catch (error) {
        response.discard();
        throw error;
      }
    }
    this.#answered = true;
    return response;
  }

  /** Reads from the answer that was the whole, and asks for the whole again where that is needed. */
  #streamFrom(first: HttpResponse): SequentialReader {
    let response: HttpResponse | null = first;
    return new SequentialReader(async (): Promise<OpenedStream> => {
      const now = response ?? (await this.#get({}));
      response = null;
      if (now.status !== 200) {
        now.discard();
        throw refused(now, this.#options.client);
      }
      return { size: contentLength(now.headers), chunks: this.#counted(now) };
    });
  }

  async *#counted(response: HttpResponse): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of response.body) {
        this.#options.count(0, chunk.length);
        yield chunk;
      }
    } finally {
      response.discard();
    }
  }

  #sized(total: number): void {
    if (this.#size !== null && this.#size !== total)
      throw changed(this.#url, `it has ${total} bytes instead of ${this.#size}`);
    this.#size = total;
  }
}
