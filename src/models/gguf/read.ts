/**
 * Reads the header of a GGUF file: `const gguf = await readGguf(source)`.
 *
 * @module models/gguf/read
 */

import type { ByteSource, Gguf } from '../types.ts';
import { parseGgufHeader } from './header.ts';
import { GGUF_LIMITS, type GgufLimits, ggufError } from './limits.ts';

export interface ReadGgufOptions {
  /** Bounds that differ from `GGUF_LIMITS`. */
  readonly limits?: Partial<GgufLimits>;
  /** Bytes of the first read. @default 1 MiB */
  readonly firstRead?: number;
  readonly signal?: AbortSignal;
}

const FIRST_READ = 1024 * 1024;

/**
 * Reads and checks the header (GGUF 2 and 3, little-endian). Tensor data is not read; that its place is inside the
 * source is checked.
 *
 * The header's length is not written anywhere in the file, so it is read in steps: the first mebibyte, then three
 * times as much again for as long as the header goes on (or up to where a length field says it must reach, if that
 * is more). No byte is asked for twice, so a header of 10 MiB is three range requests over HTTP.
 *
 * @throws {InputError} a code of `GgufErrorCode`; or what the source throws.
 */
export async function readGguf(source: ByteSource, options: ReadGgufOptions = {}): Promise<Gguf> {
  const limits = options.limits === undefined ? GGUF_LIMITS : { ...GGUF_LIMITS, ...options.limits };
  const reach = Math.min(source.size, limits.headerBytes);
  let header = new Uint8Array(0);
  let want = Math.max(1, options.firstRead ?? FIRST_READ);
  for (;;) {
    const length = Math.min(reach, want);
    header = await extend(header, length, source, options.signal);
    const result = parseGgufHeader(header, source.size, limits);
    if (!('need' in result)) return result;
    want = Math.max(result.need, header.length * 4);
  }
}

async function extend(
  have: Uint8Array<ArrayBuffer>,
  length: number,
  source: ByteSource,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const more = await source.read(have.length, length - have.length, signal);
  if (more.length !== length - have.length) {
    throw ggufError(
      'gguf_truncated',
      `The source gave ${more.length} bytes of the header at offset ${have.length} instead of ${length - have.length}.`,
      { offset: have.length, bytes: more.length },
    );
  }
  const all = new Uint8Array(length);
  all.set(have);
  all.set(more, have.length);
  return all;
}
