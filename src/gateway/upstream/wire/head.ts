/**
 * Heads of requests and answers as HTTP/1.1 writes them (RFC 9112). Strict: what another reader could take for something
 * else is refused.
 *
 * @module gateway/upstream/wire/head
 */
import { type Headers, WireError } from './types.ts';

/** Bytes of an answer's head, as many as Node's own client takes. */
export const maxHeadBytes = 16 * 1024;

/** How the end of a body is known: by its length, by its chunks, or by the end of the connection. */
export type Framing = number | 'chunked' | 'close';

export interface Head {
  readonly status: number;
  readonly headers: Headers;
  readonly framing: Framing;
  /** Another request may follow on the connection. */
  readonly keeps: boolean;
}

const notHttp = (what: string) => new WireError('NOT_HTTP', what);

/** RFC 9110, 5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** RFC 9110, 5.5: what no value holds. */
const invalidValue = /[^\t\x20-\x7e\x80-\xff]/;
/** What no line of a head holds. */
const invalidLine = /[^\t\x20-\x7e\x80-\xff]/;
const invalidPath = /[^\x21-\x7e]/;

/** @throws WireError `INVALID_REQUEST`; the message says no value */
export function requestHead(
  method: string,
  path: string,
  host: string,
  headers: Readonly<Record<string, string>>,
): string {
  if (invalidPath.test(path))
    throw new WireError('INVALID_REQUEST', 'The path has characters that no path has.');
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n`;
  for (const [name, value] of Object.entries(headers)) {
    if (!token.test(name) || invalidValue.test(value))
      throw new WireError('INVALID_REQUEST', `The header ${JSON.stringify(name)} cannot be sent.`);
    head += `${name}: ${value}\r\n`;
  }
  return head;
}

/** Names as they were written, and in lower case: servers send the same again and again. */
const knownNames = new Map<string, string>();
const maxKnownNames = 256;

function nameOf(written: string): string {
  const known = knownNames.get(written);
  if (known !== undefined) return known;
  if (!token.test(written)) throw notHttp('A header has a name that is none.');
  const name = written.toLowerCase();
  if (knownNames.size < maxKnownNames) knownNames.set(written, name);
  return name;
}

const ZERO = 0x30;
const digitAt = (text: string, at: number): number => {
  const digit = text.charCodeAt(at) - ZERO;
  return digit >= 0 && digit <= 9 ? digit : Number.NaN;
};

/** @param text status line and headers with their line ends, without the empty line; Latin-1 */
export function parseHead(text: string): Head {
  const minor = text.charCodeAt(7) - ZERO;
  const status = digitAt(text, 9) * 100 + digitAt(text, 10) * 10 + digitAt(text, 11);
  const after = text[12];
  if (!text.startsWith('HTTP/1.') || (minor !== 0 && minor !== 1) || text[8] !== ' ')
    throw notHttp('The answer does not begin with a status line of HTTP/1.');
  if (!(status >= 100) || (after !== ' ' && after !== '\r')) throw notHttp('The status is no number.');
  // Names come from the server: none may mean anything to JavaScript.
  const headers: Record<string, string | string[]> = Object.create(null);
  let at = text.indexOf('\r\n') + 2;
  checkLine(text.slice(12, at - 2));
  while (at < text.length) {
    const end = text.indexOf('\r\n', at);
    const colon = text.indexOf(':', at);
    if (colon < 0 || colon > end) throw notHttp('A header has no name.');
    const name = nameOf(text.slice(at, colon));
    const written = text.slice(colon + 1, end);
    checkLine(written);
    const value = trimmed(written);
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else if (typeof before === 'string') headers[name] = [before, value];
    else before.push(value);
    at = end + 2;
  }
  const framing = framingOf(status, minor, headers);
  const keeps = minor === 1 && framing !== 'close' && !closes(headers.connection);
  return { status, headers, framing, keeps };
}

function checkLine(text: string): void {
  if (invalidLine.test(text)) throw notHttp('A line of the head has characters that none has.');
}

/** Without spaces and tabs around it, and without what else `trim` takes for space. */
function trimmed(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isSpace(text.charCodeAt(from))) from++;
  while (to > from && isSpace(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x09;

/** RFC 9112, 6.3. */
function framingOf(
  status: number,
  minor: number,
  { 'transfer-encoding': encoding, 'content-length': length }: Headers,
): Framing {
  if (status < 200 || status === 204 || status === 304) return 0;
  if (encoding !== undefined) {
    if (length !== undefined) throw notHttp('The answer has a length and chunks.');
    if (minor === 0 || typeof encoding !== 'string' || encoding.toLowerCase() !== 'chunked')
      throw notHttp('The answer comes in an encoding that was not asked for.');
    return 'chunked';
  }
  if (length === undefined) return 'close';
  if (typeof length !== 'string' || !/^\d{1,15}$/.test(length))
    throw notHttp('The length of the answer is no number.');
  return Number(length);
}

function closes(connection: string | string[] | undefined): boolean {
  if (connection === undefined || connection === 'keep-alive') return false;
  const all = typeof connection === 'string' ? connection : connection.join(',');
  return all.split(',').some((option) => trimmed(option).toLowerCase() === 'close');
}
