/**
 * What the gateway must know of a chat request's bytes to pass them on as they are, found in one look and without
 * building what they say: where the model's name stands, whether a stream is asked for, how many tokens, which abilities.
 *
 * It says null wherever there is doubt (a key it does not know, a key twice, an escape in a name, a value that is not of
 * the form or in the range that the API takes, anything that is not JSON as far as it looks): such a request is parsed and
 * answered, or refused, in the ordinary way. Only what stands in long strings is not looked at.
 *
 * @module gateway/relay/scan
 */
import { isUtf8 } from 'node:buffer';
import {
  checkRange,
  checkSpecial,
  checkStop,
  checkTools,
  doubt,
  isSpecial,
  type SpecialField,
  wantsUsage,
} from './values.ts';

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
  /** Fields beyond those that every server takes. */
  readonly fields: ReadonlySet<SpecialField>;
}

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

/** As many as the API takes. */
const maxMessages = 2048;
const maxParts = 1024;
/** Of a part of a message, in the list of parts, in the message, in the list of messages, in the body. */
const messageDepth = 5;
const maxToolBytes = 64 * 1024;

/** With their quotes. */
const quoted = (...words: string[]) => words.map((word) => Buffer.from(`"${word}"`));
const messageNames = quoted('role', 'content', 'name');
const roles = quoted('system', 'user', 'assistant');
const partNames = quoted('type', 'text');
const partTypes = quoted('text');

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
    let choice: unknown;
    let logprobs: unknown;
    this.#expect(OPEN);
    for (;;) {
      const name = this.#name();
      if (seen.includes(name)) throw doubt;
      seen.push(name);
      this.#expect(COLON);
      this.#space();
      const start = this.#at;
      if (name === 'messages') this.#list(maxMessages, this.#message);
      else this.#value(2);
      const end = this.#at;
      switch (name) {
        case 'model':
          if (bytes[start] !== QUOTE || end - start - 2 > maxName || end - start <= 2) throw doubt;
          modelStart = start;
          modelEnd = end;
          break;
        case 'messages':
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
          settled = checkRange(this.#small(start, end), 0, 2) === 0;
          break;
        case 'top_p':
          checkRange(this.#small(start, end), Number.MIN_VALUE, 1);
          break;
        case 'stop':
          checkStop(this.#small(start, end));
          break;
        case 'n': {
          const value = this.#small(start, end);
          if (value !== 1 && value !== null) throw doubt;
          break;
        }
        case 'tools':
          tools = checkTools(this.#json(start, end, maxToolBytes));
          break;
        default: {
          if (!isSpecial(name)) throw doubt;
          fields ??= new Set();
          fields.add(name);
          const value = this.#small(start, end);
          checkSpecial(name, value);
          if (name === 'tool_choice') choice = value;
          else if (name === 'logprobs') logprobs = value;
        }
      }
      this.#space();
      const next = bytes[this.#at++];
      if (next === CLOSE) break;
      if (next !== COMMA) throw doubt;
    }
    this.#space();
    if (this.#at !== bytes.length || modelStart < 0 || messageBytes < 0) throw doubt;
    if (seen.includes('stream_options') && !stream) throw doubt;
    if (choice === 'required' && !tools) throw doubt;
    if (seen.includes('top_logprobs') && logprobs !== true) throw doubt;
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

  /** One or more of something. */
  #list(max: number, one: () => void): void {
    this.#expect(OPEN_LIST);
    for (let count = 1; count <= max; count++) {
      this.#space();
      one.call(this);
      this.#space();
      const next = this.#bytes[this.#at++];
      if (next === CLOSE_LIST) return;
      if (next !== COMMA) throw doubt;
    }
    throw doubt;
  }

  /** What of an object's names have been there: bits by their place in `names`. Each is there once at most. */
  #object(names: readonly Buffer[], value: (name: number) => void): number {
    let there = 0;
    this.#expect(OPEN);
    for (;;) {
      this.#space();
      const name = this.#oneOf(names);
      if (there & (1 << name)) throw doubt;
      there |= 1 << name;
      this.#expect(COLON);
      this.#space();
      value.call(this, name);
      this.#space();
      const next = this.#bytes[this.#at++];
      if (next === CLOSE) return there;
      if (next !== COMMA) throw doubt;
    }
  }

  /** A message of text. Calls and their results are left to the ordinary way. */
  #message(): void {
    if (!(this.#maxDepth >= messageDepth)) throw doubt;
    if ((this.#object(messageNames, this.#messageValue) & 3) !== 3) throw doubt;
  }

  #messageValue(name: number): void {
    if (name === 0) this.#oneOf(roles);
    else if (name === 1 && this.#bytes[this.#at] === OPEN_LIST) this.#list(maxParts, this.#part);
    else this.#text();
  }

  #part(): void {
    if (this.#object(partNames, this.#partValue) !== 3) throw doubt;
  }

  #partValue(name: number): void {
    if (name === 0) this.#oneOf(partTypes);
    else this.#text();
  }

  #text(): void {
    if (this.#bytes[this.#at] !== QUOTE) throw doubt;
    this.#string();
  }

  /** The place of the string that stands here among some. */
  #oneOf(words: readonly Buffer[]): number {
    const bytes = this.#bytes;
    const start = this.#at;
    this.#text();
    const length = this.#at - start;
    next: for (let index = 0; index < words.length; index++) {
      const word = words[index]!;
      if (word.length !== length) continue;
      for (let at = 1; at < length; at++) if (word[at] !== bytes[start + at]) continue next;
      return index;
    }
    throw doubt;
  }

  #flag(start: number, end: number): boolean {
    const value = this.#small(start, end);
    if (typeof value !== 'boolean' && value !== null) throw doubt;
    return value === true;
  }

  #small(start: number, end: number): unknown {
    return this.#json(start, end, maxSmall);
  }

  #json(start: number, end: number, max: number): unknown {
    if (end - start > max) throw doubt;
    try {
      return JSON.parse(this.#bytes.toString('utf8', start, end));
    } catch {
      throw doubt;
    }
  }
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
