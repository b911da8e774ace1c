/**
 * The response as the server makes it: headers that every answer to a request has, whoever writes its head.
 *
 * Node keeps headers that are set before the head in an object and checks each of them twice. Here they wait in a list, and
 * go out with those of the head in one pass.
 *
 * @module server/http/response
 */
import { type OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** Names and values in turn. */
type Flat = (string | number | string[])[];

const none: Flat = [];

export class Response extends ServerResponse {
  readonly #always: Flat = [];
  #written: Flat = none;
  /** Set by Node's own methods: rates, origins, `connection`. */
  #hasOthers = false;
  /** When the work on it began, for the header that says how long that took. */
  #began: number | null = null;
  #now: (() => number) | null = null;

  /** A header of whatever head is written. A later value replaces an earlier one. */
  always(name: string, value: string): void {
    const at = this.#always.indexOf(name);
    if (at < 0) this.#always.push(name, value);
    else this.#always[at + 1] = value;
  }

  /** Adds `openai-processing-ms` to the head: ms from now until it is written. */
  timed(now: () => number): void {
    this.#now = now;
    this.#began = now();
  }

  override setHeader(name: string, value: number | string | readonly string[]): this {
    this.#hasOthers = true;
    return super.setHeader(name, value);
  }

  override appendHeader(name: string, value: string | readonly string[]): this {
    this.#hasOthers = true;
    return super.appendHeader(name, value);
  }

  override writeHead(status: number, ...rest: unknown[]): this {
    const given = rest.at(-1) as OutgoingHttpHeaders | Flat | undefined;
    if (this.#now !== null)
      this.always('openai-processing-ms', String(Math.round(this.#now() - this.#began!)));
    const always = this.#always;
    if (this.#hasOthers || typeof given === 'string') {
      for (let at = 0; at < always.length; at += 2)
        super.setHeader(always[at] as string, always[at + 1] as string);
      return super.writeHead(status, ...(rest as [OutgoingHttpHeaders]));
    }
    const all = Array.isArray(given) ? always.concat(given) : always.slice();
    if (!Array.isArray(given))
      for (const name in given) {
        const value = given[name];
        if (value !== undefined) all.push(name, value);
      }
    this.#written = all;
    return super.writeHead(status, all as unknown as OutgoingHttpHeaders);
  }

  /** Headers of the head that was written, by names in lower case, without those that Node adds. */
  get written(): OutgoingHttpHeaders {
    const headers = { ...this.getHeaders() };
    for (let at = 0; at < this.#written.length; at += 2)
      headers[String(this.#written[at]).toLowerCase()] = this.#written[at + 1];
    return headers;
  }
}
