/**
 * Reads tar archives (ustar, pax, GNU long names) as npm tarballs carry them: a stream of chunks in, entries out.
 * Everything in the archive is hostile: sizes, names and extension records are bounded before anything is kept.
 *
 * Format: POSIX.1-2024 pax interchange format; GNU tar `L` records for long names and base-256 sizes.
 *
 * @module models/sources/tar
 */

import { KithError } from '../../base/index.ts';

const BLOCK = 512;
/** Pax and GNU name records larger than this are refused. */
const MAX_EXTENSION = 64 * 1024;
const MAX_ENTRIES = 100_000;

export interface TarEntry {
  /** `/`-separated relative path. Never absolute, never with `..`. */
  readonly path: string;
  readonly type: 'file' | 'directory' | 'other';
  readonly size: number;
  /** The content; what is not read is skipped when the next entry is asked for. */
  readonly content: AsyncIterable<Uint8Array>;
}

function bad(why: string): KithError {
  return new KithError('archive_invalid', `The archive is damaged or not a tar file: ${why}`, {
    status: 502,
  });
}

/**
 * Entries of an archive, in order. An entry's `content` must be read before the next entry is asked for.
 *
 * @throws KithError `archive_invalid` for anything that is not a well-formed archive or leaves its folder.
 */
export async function* readTar(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const input = new Blocks(chunks);
  let longPath: string | null = null;
  let longSize: number | null = null;
  try {
    for (let seen = 0; ; seen += 1) {
      if (seen > MAX_ENTRIES) throw bad(`it has more than ${MAX_ENTRIES} entries.`);
      const header = await input.exactly(BLOCK, true);
      if (header === null || isZero(header)) return;
      checkSum(header);
      const flag = header[156]!;
      const size: number = longSize ?? number(header, 124, 12, 'size');
      if (flag === 0x78 || flag === 0x67 || flag === 0x4c || flag === 0x4b) {
        const own = number(header, 124, 12, 'size');
        if (own > MAX_EXTENSION) throw bad(`an extension record of ${own} bytes is over ${MAX_EXTENSION}.`);
        const data = (await input.exactly(own, false))!;
        await input.exactly(padding(own), false);
        if (flag === 0x78) {
          const records = paxRecords(data);
          longPath = records.get('path') ?? longPath;
          const stated = records.get('size');
          if (stated !== undefined) {
            if (!/^\d{1,15}$/.test(stated)) throw bad('a pax size is no number.');
            longSize = Number(stated);
          }
        } else if (flag === 0x4c) longPath = cString(data);
        continue;
      }
      const type =
        flag === 0x30 || flag === 0 || flag === 0x37 ? 'file' : flag === 0x35 ? 'directory' : 'other';
      const path = safePath(longPath ?? ustarPath(header));
      longPath = null;
      longSize = null;
      // Links and devices carry no data, whatever their size field says.
      const length = type === 'file' ? size : 0;
      const rest = { left: length };
      yield { path, type, size: length, content: contentOf(input, rest) };
      await input.skip(rest.left + padding(length));
    }
  } finally {
    await input.close();
  }
}

async function* contentOf(input: Blocks, rest: { left: number }): AsyncGenerator<Uint8Array> {
  while (rest.left > 0) {
    const chunk = await input.some(rest.left);
    if (chunk === null) throw bad('it ends inside a file.');
    rest.left -= chunk.length;
    yield chunk;
  }
}

const padding = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK;
const isZero = (block: Uint8Array): boolean => block.every((byte) => byte === 0);

function checkSum(header: Uint8Array): void {
  let sum = 0;
  for (let i = 0; i < BLOCK; i += 1) sum += i >= 148 && i < 156 ? 0x20 : header[i]!;
  if (number(header, 148, 8, 'checksum') !== sum) throw bad('a header checksum does not match.');
}

/** Octal text, or base-256 when the top bit is set. */
function number(header: Uint8Array, start: number, length: number, field: string): number {
  if ((header[start]! & 0x80) !== 0) {
    let value = header[start]! & 0x7f;
    for (let i = start + 1; i < start + length; i += 1) {
      value = value * 256 + header[i]!;
      if (value > Number.MAX_SAFE_INTEGER) throw bad(`its ${field} field is out of range.`);
    }
    return value;
  }
  const digits = latin(header.subarray(start, start + length))
    .replace(/\0.*$/s, '')
    .trim();
  if (digits === '') return 0;
  if (!/^[0-7]{1,17}$/.test(digits)) throw bad(`its ${field} field is no octal number.`);
  return Number.parseInt(digits, 8);
}

function ustarPath(header: Uint8Array): string {
  const name = cString(header.subarray(0, 100));
  const ustar = latin(header.subarray(257, 262)) === 'ustar' && header[262] === 0;
  const prefix = ustar ? cString(header.subarray(345, 500)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

function safePath(path: string): string {
  const clean = path.replace(/^(\.\/)+/, '').replace(/\/+$/, '');
  const parts = clean.split('/');
  if (
    clean.length > 4096 ||
    clean.includes('\\') ||
    clean.includes('\0') ||
    parts.includes('..') ||
    clean.startsWith('/')
  ) {
    throw bad(`the path "${path.slice(0, 120)}" leaves the archive's folder.`);
  }
  return clean;
}

/** `"<length> <key>=<value>\n"` records. */
function paxRecords(data: Uint8Array): Map<string, string> {
  const records = new Map<string, string>();
  let at = 0;
  while (at < data.length) {
    const space = data.indexOf(0x20, at);
    const digits = space < 0 ? '' : latin(data.subarray(at, space));
    const length = /^[1-9]\d{0,6}$/.test(digits) ? Number(digits) : 0;
    if (length < digits.length + 3 || at + length > data.length || data[at + length - 1] !== 0x0a) {
      throw bad('a pax record is malformed.');
    }
    const record = utf8(data.subarray(space + 1, at + length - 1));
    const equals = record.indexOf('=');
    if (equals < 1) throw bad('a pax record has no key.');
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}

const latin = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
const utf8 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
const cString = (bytes: Uint8Array): string => utf8(bytes).replace(/\0.*$/s, '');

/** Takes chunks of any size apart into what the reader asks for. Holds at most one chunk plus one block. */
class Blocks {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Up to `limit` bytes, at least one; null at the end. */
  async some(limit: number): Promise<Uint8Array | null> {
    while (this.#chunk.length === 0) {
      const next = await this.#source.next();
      if (next.done === true) return null;
      this.#chunk = next.value;
    }
    const taken = this.#chunk.subarray(0, limit);
    this.#chunk = this.#chunk.subarray(taken.length);
    return taken;
  }

  /** Exactly `length` bytes; null at a clean end when `mayEnd`. */
  async exactly(length: number, mayEnd: boolean): Promise<Uint8Array | null> {
    const out = new Uint8Array(length);
    let at = 0;
    while (at < length) {
      const part = await this.some(length - at);
      if (part === null) {
        if (mayEnd && at === 0) return null;
        throw bad('it ends too early.');
      }
      out.set(part, at);
      at += part.length;
    }
    return out;
  }

  async skip(length: number): Promise<void> {
    let left = length;
    while (left > 0) {
      const part = await this.some(left);
      if (part === null) throw bad('it ends too early.');
      left -= part.length;
    }
  }

  async close(): Promise<void> {
    this.#chunk = new Uint8Array(0);
    await this.#source.return?.();
  }
}
