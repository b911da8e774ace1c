/**
 * What the gateway must know of a chat request's bytes to pass them on as they are, found in one look and without
 * building what they say: where the model's name stands, whether a stream is asked for, how many tokens, which abilities.
 *
 * It says null wherever there is doubt (a key it does not know, a key twice, an escape in a name, anything that is not
 * JSON as far as it looks): such a request is parsed and answered in the ordinary way. It is no validator: what stands in
 * long strings is not looked at.
 *
 * @module gateway/relay/scan
 */
import { isUtf8 } from 'node:buffer';

export interface ChatShape {
  /** Of the model's name, quotes included. */
  readonly modelStart: number;
  readonly modelEnd: number;
  readonly model: string;
  readonly stream: boolean;
  /** The stream's last chunk is asked to count the tokens. */
  readonly includeUsage: boolean;
  /** Null: not said. */
  readonly maxTokens: number | null;
  /** Under which name the limit of tokens stands. */
  readonly maxTokensName: 'max_tokens' | 'max_completion_tokens' | null;
  /** Asked for as 0: the same answer again, wherever it is asked for. */
  readonly settled: boolean;
  /** Bytes of the messages. */
  readonly messageBytes: number;
  readonly tools: boolean;
  readonly json: boolean;
  /** Fields beyond those that every server takes. */
  readonly fields: ReadonlySet<SpecialField>;
}

/** Fields that some kinds of servers do not take, or take under another name. */
const special = [
  'seed',
  'logit_bias',
  'logprobs',
  'top_logprobs',
  'parallel_tool_calls',
  'tool_choice',
  'reasoning_effort',
  'presence_penalty',
  'frequency_penalty',
  'response_format',
] as const;
export type SpecialField = (typeof special)[number];
const specialFields: ReadonlySet<string> = new Set(special);
const isSpecial = (name: string): name is SpecialField => specialFields.has(name);

/** Fields that are passed on without being looked at. */
const plain = new Set(['top_p', 'stop']);

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN = 0x7b;
const CLOSE = 0x7d;

const maxName = 200;
/** With its quotes. */
const longestName = 64;
/** Longer values of small fields are nothing that clients write. */
const maxSmall = 200;
/** Strings longer than this are searched for their end, not walked through. */
const walked = 32;

const none: ReadonlySet<SpecialField> = new Set();

class Doubt extends Error {}
/** Made once: whoever throws it wants nothing but out. */
const doubt = new Doubt();

/** Null when it is not clear what the request asks for. @param maxDepth of nested objects and lists */
export function scanChat(bytes: Buffer, maxDepth: number): ChatShape | null {
  if (!isUtf8(bytes)) return null;
  try {
    return new Scan(bytes, maxDepth).shape();
  } catch (error) {
    if (error === doubt) return null;
    throw error;
  }
}

class Scan {
  readonly #bytes: Buffer;
  readonly #maxDepth: number;
  #at = 0;

  constructor(bytes: Buffer, maxDepth: number) {
    this.#bytes = bytes;
    this.#maxDepth = maxDepth;
  }

  shape(): ChatShape {
    const bytes = this.#bytes;
    const seen: string[] = [];
    let fields: Set<SpecialField> | null = null;
    let modelStart = -1;
    let modelEnd = -1;
    let stream = false;
    let includeUsage = false;
    let maxTokens: number | null = null;
    let maxTokensName: ChatShape['maxTokensName'] = null;
    let settled = false;
    let messageBytes = -1;
    let tools = false;
    let json = false;
    this.#expect(OPEN);
    for (;;) {
      const name = this.#name();
      if (seen.includes(name)) throw doubt;
      seen.push(name);
      this.#expect(COLON);
      this.#space();
      const start = this.#at;
      this.#value(2);
      const end = this.#at;
      switch (name) {
        case 'model':
          if (bytes[start] !== QUOTE || end - start - 2 > maxName || end - start <= 2) throw doubt;
          modelStart = start;
          modelEnd = end;
          break;
        case 'messages':
          if (bytes[start] !== OPEN_LIST || end - start <= 2) throw doubt;
          messageBytes = end - start;
          break;
        case 'stream':
          stream = this.#flag(start, end);
          break;
        case 'stream_options':
          includeUsage = wantsUsage(this.#small(start, end));
          break;
        case 'max_tokens':
        case 'max_completion_tokens': {
          const value = this.#small(start, end);
          if (value === null) break;
          if (maxTokensName !== null || !Number.isSafeInteger(value) || (value as number) < 1) throw doubt;
          maxTokens = value as number;
          maxTokensName = name;
          break;
        }
        case 'temperature':
          settled = this.#small(start, end) === 0;
          break;
        case 'n': {
          const value = this.#small(start, end);
          if (value !== 1 && value !== null) throw doubt;
          break;
        }
        case 'tools':
          if (bytes[start] !== OPEN_LIST) throw doubt;
          tools = end - start > 2;
          break;
        default:
          if (isSpecial(name)) {
            fields ??= new Set();
            fields.add(name);
            if (name === 'response_format') json = bytes.subarray(start, end).includes('json_schema');
          } else if (!plain.has(name)) throw doubt;
      }
      this.#space();
      const next = bytes[this.#at++];
      if (next === CLOSE) break;
      if (next !== COMMA) throw doubt;
    }
    this.#space();
    if (this.#at !== bytes.length || modelStart < 0 || messageBytes < 0) throw doubt;
    if (seen.includes('stream_options') && !stream) throw doubt;
    const model = bytes.toString('utf8', modelStart + 1, modelEnd - 1);
    if (model.includes('\\') || /[\u0000-\u001f]/.test(model)) throw doubt;
    return {
      modelStart,
      modelEnd,
      model,
      stream,
      includeUsage,
      maxTokens,
      maxTokensName,
      settled,
      messageBytes,
      tools,
      json,
      fields: fields ?? none,
    };
  }

  #space(): void {
    const bytes = this.#bytes;
    for (;;) {
      const c = bytes[this.#at];
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return;
      this.#at++;
    }
  }

  #expect(byte: number): void {
    this.#space();
    if (this.#bytes[this.#at] !== byte) throw doubt;
    this.#at++;
  }

  /** A key as it stands, escapes and all. */
  #name(): string {
    this.#space();
    const start = this.#at;
    if (this.#bytes[start] !== QUOTE) throw doubt;
    this.#string();
    if (this.#at - start > longestName) throw doubt;
    // One that is none of those known is doubted by whoever asked.
    return this.#bytes.toString('latin1', start + 1, this.#at - 1);
  }

  /** From an opening quote to behind the closing one. */
  #string(): void {
    const bytes = this.#bytes;
    let at = this.#at + 1;
    const walk = Math.min(bytes.length, at + walked);
    for (; at < walk; at++) {
      const c = bytes[at]!;
      if (c === QUOTE) {
        this.#at = at + 1;
        return;
      }
      if (c === BACKSLASH) at++;
      else if (c < 0x20) throw doubt;
    }
    // An escape may have stepped over the end of the walk: `at` is never behind a character that it escapes.
    for (;;) {
      const end = bytes.indexOf(QUOTE, at);
      if (end < 0) throw doubt;
      let before = end;
      while (before > at && bytes[before - 1] === BACKSLASH) before--;
      if ((end - before) % 2 === 0) {
        this.#at = end + 1;
        return;
      }
      at = end + 1;
    }
  }

  #value(depth: number): void {
    const bytes = this.#bytes;
    const first = bytes[this.#at];
    if (first === QUOTE) this.#string();
    else if (first === OPEN) this.#members(depth, CLOSE, true);
    else if (first === OPEN_LIST) this.#members(depth, CLOSE_LIST, false);
    else this.#word();
  }

  #members(depth: number, close: number, named: boolean): void {
    if (depth > this.#maxDepth) throw doubt;
    const bytes = this.#bytes;
    this.#at++;
    this.#space();
    if (bytes[this.#at] === close) {
      this.#at++;
      return;
    }
    for (;;) {
      if (named) {
        this.#space();
        if (bytes[this.#at] !== QUOTE) throw doubt;
        this.#string();
        this.#expect(COLON);
      }
      this.#space();
      this.#value(depth + 1);
      this.#space();
      const next = bytes[this.#at++];
      if (next === close) return;
      if (next !== COMMA) throw doubt;
    }
  }

  /** A number, true, false or null. */
  #word(): void {
    const bytes = this.#bytes;
    const start = this.#at;
    let c = bytes[this.#at];
    while (
      c !== undefined &&
      ((c >= 0x30 && c <= 0x39) ||
        (c >= 0x61 && c <= 0x7a) ||
        c === 0x2d ||
        c === 0x2e ||
        c === 0x2b ||
        c === 0x45)
    )
      c = bytes[++this.#at];
    const length = this.#at - start;
    // Digits and small words, as nearly all are.
    if (length === 1 && bytes[start]! >= 0x30 && bytes[start]! <= 0x39) return;
    const text = bytes.toString('latin1', start, Math.min(this.#at, start + maxSmall));
    if (text === 'true' || text === 'false' || text === 'null') return;
    if (!/^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/.test(text)) throw doubt;
  }

  #flag(start: number, end: number): boolean {
    const value = this.#small(start, end);
    if (typeof value !== 'boolean' && value !== null) throw doubt;
    return value === true;
  }

  #small(start: number, end: number): unknown {
    if (end - start > maxSmall) throw doubt;
    try {
      return JSON.parse(this.#bytes.toString('utf8', start, end));
    } catch {
      throw doubt;
    }
  }
}

/** Null counts as nothing said. Options that are not known here are left to the ordinary way. */
function wantsUsage(options: unknown): boolean {
  if (options === null) return false;
  if (typeof options !== 'object' || Array.isArray(options)) throw doubt;
  const { include_usage: wanted = false, ...more } = options as Record<string, unknown>;
  if (typeof wanted !== 'boolean' || Object.keys(more).length > 0) throw doubt;
  return wanted;
}

/** The bytes with another name for the model; the same bytes where it is the same name. */
export function withModel(bytes: Buffer, shape: ChatShape, model: string): Buffer {
  if (model === shape.model) return bytes;
  const name = JSON.stringify(model);
  return Buffer.concat([
    bytes.subarray(0, shape.modelStart),
    Buffer.from(name),
    bytes.subarray(shape.modelEnd),
  ]);
}
