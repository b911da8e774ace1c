/**
 * Byte sources: a file, a buffer, several sources one after the other. All reads are bounded by the size that was
 * known when the source was opened, and checked before memory is taken.
 *
 * @module models/gguf/source
 */

import { type FileHandle, open } from 'node:fs/promises';
import { InputError, isKithError, KithError, messageOf, throwIfAborted } from '../../base/index.ts';
import type { ByteSource } from '../types.ts';

/** A source with something to release. */
export interface OwnedSource extends ByteSource, AsyncDisposable {
  close(): Promise<void>;
}

/** One system call reads at most this much, so that an abort is seen within a piece. */
const PIECE_BYTES = 32 * 1024 * 1024;

function checkRange(offset: number, length: number, size: number): void {
  const ok = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (ok && length <= size - offset) return;
  throw new InputError(
    'source_short',
    `Cannot read ${length} bytes at offset ${offset}: the source has ${size} bytes.`,
    { details: { offset, length, size } },
  );
}

/**
 * Opens a regular file for reading. The size is taken once, at opening.
 *
 * @throws {KithError} `source_unreadable` when it cannot be opened, read, or is not a regular file; `source_short`
 * when it has become shorter since.
 */
export async function fileSource(path: string): Promise<OwnedSource> {
  const handle = await open(path, 'r').catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw unreadable(path, new Error('it is not a regular file'));
    return new FileSource(path, handle, stat.size);
  } catch (cause) {
    await handle.close();
    throw isKithError(cause) ? cause : unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): KithError {
  return new KithError('source_unreadable', `Cannot read ${path}: ${messageOf(cause)}.`, { cause });
}

class FileSource implements OwnedSource {
  readonly size: number;
  readonly #path: string;
  readonly #handle: FileHandle;
  #closed: Promise<void> | undefined;

  constructor(path: string, handle: FileHandle, size: number) {
    this.#path = path;
    this.#handle = handle;
    this.size = size;
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    checkRange(offset, length, this.size);
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      throwIfAborted(signal);
      const { bytesRead } = await this.#handle
        .read(bytes, done, Math.min(PIECE_BYTES, length - done), offset + done)
        .catch((cause: unknown) => {
          throw unreadable(this.#path, cause);
        });
      if (bytesRead === 0) {
        throw new InputError(
          'source_short',
          `${this.#path} ends at byte ${offset + done}, but had ${this.size} bytes when it was opened.`,
          { details: { offset: offset + done, size: this.size } },
        );
      }
      done += bytesRead;
    }
    return bytes;
  }

  /** Closes the file; further calls wait for the same closing. */
  close(): Promise<void> {
    this.#closed ??= this.#handle.close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** A source over bytes in memory. Reads are views of `bytes`, not copies. */
export function bufferSource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.byteLength,
    async read(offset, length, signal) {
      throwIfAborted(signal);
      checkRange(offset, length, bytes.byteLength);
      return bytes.subarray(offset, offset + length);
    },
  };
}

/** Several sources read as one, in order. Closing it closes every part. */
export function concatSource(parts: readonly ByteSource[]): OwnedSource {
  const starts: number[] = [];
  let size = 0;
  for (const part of parts) {
    starts.push(size);
    size += part.size;
  }
  const close = async (): Promise<void> => {
    const results = await Promise.allSettled(parts.map((part) => part.close?.()));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  };
  return {
    size,
    async read(offset, length, signal) {
      checkRange(offset, length, size);
      let first = 0;
      while (first + 1 < parts.length && starts[first + 1]! <= offset) first++;
      const head = parts[first];
      if (head === undefined) return new Uint8Array(0);
      // The usual read lies in one part and needs no second copy.
      const within = offset - starts[first]!;
      if (within + length <= head.size) return await head.read(within, length, signal);
      const bytes = new Uint8Array(length);
      let done = 0;
      for (let i = first; done < length; i++) {
        const part = parts[i]!;
        const from = offset + done - starts[i]!;
        const count = Math.min(length - done, part.size - from);
        if (count > 0) bytes.set(await part.read(from, count, signal), done);
        done += count;
      }
      return bytes;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
