/**
 * Reads a JSON request body within bounds: content type, encoding, size, UTF-8, depth, syntax.
 *
 * @module server/http/body
 */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { AbortedError, InputError, KithError, LimitError } from '../../base/index.ts';

export interface BodyLimits {
  readonly bodyBytes: number;
  readonly jsonDepth: number;
  /** Memory that all bodies being received share. */
  readonly pool?: BytePool;
}

/** A number of bytes that many readers take from. */
export interface BytePool {
  /** Throws 503 `limit_reached` when they are not there. */
  take(bytes: number): void;
  give(bytes: number): void;
}

export function createBytePool(limit: number): BytePool {
  let taken = 0;
  return {
    take(bytes) {
      if (taken + bytes > limit) {
        throw new LimitError(
          'bodiesBytes',
          limit,
          `The bodies of all requests together are larger than ${limit} bytes (limit bodiesBytes). Try again in 1 s.`,
          { status: 503, retryAfter: 1 },
        );
      }
      taken += bytes;
    },
    give(bytes) {
      taken -= bytes;
    },
  };
}

function tooLarge(limit: number): KithError {
  return new KithError(
    'body_too_large',
    `The request body is larger than ${limit} bytes (limit server.bodyBytes).`,
    {
      status: 413,
      details: { limit: 'server.bodyBytes', value: limit },
    },
  );
}

/** Refuses what is not UTF-8 JSON before a byte of the body is read. */
function checkHeaders(request: IncomingMessage, limits: BodyLimits, programs: boolean | 'files'): void {
  if (programs !== 'files') checkType(request, programs);
  checkEncoding(request);
  const length = Number(request.headers['content-length'] ?? 0);
  if (length > limits.bodyBytes) throw tooLarge(limits.bodyBytes);
}

export function checkEncoding(request: IncomingMessage): void {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new KithError(
      'unsupported_media_type',
      `Send the body without compression; content-encoding '${encoding.slice(0, 40)}' is not taken.`,
      { status: 415 },
    );
  }
}

function checkType(request: IncomingMessage, programs: boolean): void {
  // What nearly all clients send.
  if (request.headers['content-type'] === 'application/json') return;
  const [type = '', ...parameters] = (request.headers['content-type'] ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  // Demanding the JSON type also keeps out cross-site form posts, which browsers send without asking first.
  const json = type === 'application/json' || /^application\/[a-z0-9.-]+\+json$/.test(type);
  if (!json && !(programs && !fromPage(request))) {
    throw new KithError(
      'unsupported_media_type',
      `This route takes 'content-type: application/json', not '${type.slice(0, 100)}'.`,
      { status: 415 },
    );
  }
  const charset = parameters
    .find((part) => part.startsWith('charset='))
    ?.slice(8)
    .replaceAll('"', '');
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') {
    throw new KithError(
      'unsupported_media_type',
      `JSON is UTF-8; charset '${charset.slice(0, 40)}' is not taken.`,
      {
        status: 415,
      },
    );
  }
}

/** Browsers name the origin of a form post, or at least how it came about. */
function fromPage({ headers }: IncomingMessage): boolean {
  return headers.origin !== undefined || headers['sec-fetch-site'] !== undefined;
}

/** Deepest nesting of the text's brackets outside strings; stops counting past `limit`. */
export function jsonDepth(text: string, limit: number): number {
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22) {
      i = stringEnd(text, i);
      if (i < 0) break;
    } else if (c === 0x7b || c === 0x5b) {
      if (++depth > deepest) deepest = depth;
      if (deepest > limit) return deepest;
    } else if (c === 0x7d || c === 0x5d) depth--;
  }
  return deepest;
}

/** Where the string that begins at `start` has its closing quote, -1 for one without. Texts are long: quotes are looked for. */
function stringEnd(text: string, start: number): number {
  for (let end = start; ; ) {
    end = text.indexOf('"', end + 1);
    if (end < 0) return -1;
    let before = end;
    while (text.charCodeAt(before - 1) === 0x5c) before--;
    // Pairs of backslashes are characters; one that is left over escapes the quote.
    if ((end - before) % 2 === 0) return end;
  }
}

/** Parses bytes as JSON. Throws `InputError` for invalid UTF-8, too deep nesting and bad syntax. */
export function parseJson(bytes: Uint8Array, limits: BodyLimits): unknown {
  if (!isUtf8(bytes)) throw new InputError('invalid_utf8', 'The request body is not valid UTF-8.');
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const plain = marked ? bytes.subarray(3) : bytes;
  const text = Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength).toString('utf8');
  if (text.trim() === '')
    throw new InputError('invalid_json', 'The request body is empty; JSON is expected.');
  if (jsonDepth(text, limits.jsonDepth) > limits.jsonDepth) {
    throw new InputError(
      'json_too_deep',
      `The JSON body is nested deeper than ${limits.jsonDepth} levels (limit jsonDepth).`,
    );
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    // V8's message quotes the input around the fault, which is the client's own text.
    throw new InputError(
      'invalid_json',
      `The request body is not valid JSON: ${(error as Error).message.slice(0, 200)}`,
    );
  }
}

/** Most that is held before more has come, so that an announced length alone costs nothing. */
const firstBytes = 64 * 1024;

/**
 * Reads the whole body, never holding more than twice what came of it, nor more than the limit. What the body is refused
 * for, its headers or its size, leaves the rest of it unread.
 */
export function readBytes(
  request: IncomingMessage,
  limits: BodyLimits,
  beforeReading: () => void = () => {},
  programs: boolean | 'files' = false,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    checkHeaders(request, limits, programs);
    beforeReading();
    const { bodyBytes, pool } = limits;
    const announced = Number(request.headers['content-length'] ?? 0);
    const first = announced > 0 ? Math.min(announced, firstBytes) : firstBytes;
    // One buffer that grows: a body sent byte by byte would cost a hundred times its size in pieces.
    let held: Buffer = empty;
    let bytes = 0;
    const settle = () => {
      request.off('data', onData);
      request.off('end', onEnd);
      request.off('error', onBroken);
      request.off('close', onBroken);
      pool?.give(held.length);
    };
    const refuse = (error: unknown) => {
      settle();
      request.pause();
      reject(error);
    };
    const take = (chunk: Buffer) => {
      const whole = bytes + chunk.length;
      if (whole > bodyBytes) throw tooLarge(bodyBytes);
      if (bytes === 0 && whole === announced) {
        // All of it in one piece, as most are: nothing to copy.
        pool?.take(whole);
        held = chunk;
      } else if (whole > held.length) {
        const size = Math.min(bodyBytes, Math.max(whole, held.length * 2, first));
        pool?.take(size - held.length);
        const grown = Buffer.allocUnsafeSlow(size);
        held.copy(grown, 0, 0, bytes);
        held = grown;
      }
      if (held !== chunk) chunk.copy(held, bytes);
      bytes = whole;
    };
    const onData = (chunk: Buffer) => {
      try {
        take(chunk);
      } catch (error) {
        refuse(error);
      }
    };
    const onEnd = () => {
      settle();
      resolve(bytes === held.length ? held : held.subarray(0, bytes));
    };
    const onBroken = (cause?: unknown) =>
      refuse(
        new AbortedError('The client closed the connection before its request was complete.', { cause }),
      );
    if (request.destroyed || request.readableEnded) {
      onBroken();
      return;
    }
    request.on('data', onData);
    request.on('end', onEnd);
    request.on('error', onBroken);
    request.on('close', onBroken);
  });
}

const empty = Buffer.alloc(0);
