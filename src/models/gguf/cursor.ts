/**
 * A bounded reader over the first bytes of a GGUF file.
 *
 * @module models/gguf/cursor
 */

import { type GgufLimits, ggufError, quoted } from './limits.ts';
import { decodeText, isText } from './text.ts';

/** Thrown (and caught in `header.ts`) when the bytes at hand end but the file goes on. Not an Error: it is no failure. */
export class ShortHeader {
  readonly need: number;
  constructor(need: number) {
    this.need = need;
  }
}

/** Memory one string may take beyond its characters, which take up to two bytes for each byte in the file. */
const STRING_COST = 32;

export class Cursor {
  readonly fileBytes: number;
  offset = 0;
  /** What is being read, for messages. */
  what = 'the header';
  /** Bytes of memory charged so far. */
  memory = 0;
  readonly #bytes: Buffer;
  readonly #view: DataView;
  readonly #limits: GgufLimits;

  constructor(bytes: Uint8Array, fileBytes: number, limits: GgufLimits) {
    this.fileBytes = fileBytes;
    this.#limits = limits;
    const length = Math.min(bytes.byteLength, fileBytes);
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, length);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, length);
  }

  /** `what` at the start of a sentence. */
  get What(): string {
    return this.what.charAt(0).toUpperCase() + this.what.slice(1);
  }

  /** Counts memory before it is taken. */
  charge(bytes: number): void {
    this.memory += bytes;
    if (this.memory > this.#limits.memoryBytes) {
      throw ggufError(
        'gguf_limit',
        `The header would take more than ${this.#limits.memoryBytes} bytes of memory (limit memoryBytes) at ${this.what}, offset ${this.offset}.`,
        { limit: 'memoryBytes', value: this.#limits.memoryBytes, offset: this.offset },
      );
    }
  }

  /** Moves on by `length` bytes after checking that they are there; returns where they start. */
  skip(length: number): number {
    const start = this.offset;
    this.#require(length);
    this.offset = start + length;
    return start;
  }

  #require(length: number, what: string = this.what): void {
    const end = this.offset + length;
    if (end <= this.#bytes.length && end <= this.#limits.headerBytes) return;
    if (end > this.fileBytes) {
      throw ggufError(
        'gguf_truncated',
        `The file ends within ${what}: ${length} bytes are needed at offset ${this.offset} of ${this.fileBytes}.`,
        { offset: this.offset, bytes: length, fileBytes: this.fileBytes },
      );
    }
    if (end > this.#limits.headerBytes) {
      throw ggufError(
        'gguf_limit',
        `The header is longer than ${this.#limits.headerBytes} bytes (limit headerBytes) at ${what}.`,
        { limit: 'headerBytes', value: this.#limits.headerBytes, offset: this.offset },
      );
    }
    throw new ShortHeader(end);
  }

  /** Bytes of the header as a view. */
  take(length: number): Uint8Array {
    const start = this.skip(length);
    return this.#bytes.subarray(start, start + length);
  }

  u8(): number {
    return this.#view.getUint8(this.skip(1));
  }
  i8(): number {
    return this.#view.getInt8(this.skip(1));
  }
  u16(): number {
    return this.#view.getUint16(this.skip(2), true);
  }
  i16(): number {
    return this.#view.getInt16(this.skip(2), true);
  }
  u32(): number {
    return this.#view.getUint32(this.skip(4), true);
  }
  i32(): number {
    return this.#view.getInt32(this.skip(4), true);
  }
  f32(): number {
    return this.#view.getFloat32(this.skip(4), true);
  }
  f64(): number {
    return this.#view.getFloat64(this.skip(8), true);
  }
  big(signed: boolean): bigint {
    const at = this.skip(8);
    return signed ? this.#view.getBigInt64(at, true) : this.#view.getBigUint64(at, true);
  }
  /** An unsigned 64-bit integer as a number: exact up to 2^53 - 1, not a safe integer above. */
  u64(): number {
    const at = this.skip(8);
    return this.#view.getUint32(at + 4, true) * 0x1_0000_0000 + this.#view.getUint32(at, true);
  }
  bool(): boolean {
    const at = this.offset;
    const byte = this.u8();
    if (byte <= 1) return byte === 1;
    throw ggufError(
      'gguf_value',
      `${this.What} holds a bool of ${byte} at offset ${at}; it must be 0 or 1.`,
      {
        offset: at,
      },
    );
  }

  /**
   * Reads a count of items of at least `itemBytes` bytes each, and checks that so many can follow. Throws before
   * anything is sized by the count.
   */
  count(what: string, limit: number, limitName: string, itemBytes: number): number {
    const at = this.offset;
    const count = this.u64();
    if (count > limit) {
      throw ggufError(
        'gguf_limit',
        `The count for ${what} is ${count} at offset ${at}, above the limit of ${limit} (limit ${limitName}).`,
        { limit: limitName, value: limit, offset: at },
      );
    }
    this.#require(count * itemBytes, `what follows the count for ${what}`);
    return count;
  }

  /** A string value: any bytes, kept without loss (see `text.ts`). */
  text(limit: number, limitName: string): string {
    const length = this.#length(limit, limitName);
    this.charge(STRING_COST + 2 * length);
    const start = this.skip(length);
    return decodeText(this.#bytes, start, start + length);
  }

  /** A metadata key or tensor name: valid UTF-8, not empty, no NUL (C code would cut the name there). */
  name(limit: number, limitName: string): string {
    const at = this.offset;
    const length = this.#length(limit, limitName);
    this.charge(STRING_COST + 2 * length);
    const start = this.skip(length);
    if (length === 0 || !isText(this.#bytes, start, start + length)) {
      const why = length === 0 ? 'empty' : 'not valid UTF-8';
      throw ggufError('gguf_name', `${this.What} at offset ${at} is ${why}.`, { offset: at });
    }
    const name = this.#bytes.toString('utf8', start, start + length);
    if (name.includes('\0')) {
      throw ggufError('gguf_name', `${this.What} at offset ${at}, ${quoted(name)}, holds a NUL.`, {
        offset: at,
      });
    }
    return name;
  }

  #length(limit: number, limitName: string): number {
    const at = this.offset;
    const length = this.u64();
    if (length > limit) {
      throw ggufError(
        'gguf_limit',
        `A string in ${this.what} has ${length} bytes at offset ${at}, above the limit of ${limit} (limit ${limitName}).`,
        { limit: limitName, value: limit, offset: at },
      );
    }
    return length;
  }
}
