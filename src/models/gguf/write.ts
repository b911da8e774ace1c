/**
 * Writes GGUF files tensor by tensor, so that a model larger than memory can be written.
 *
 * @module models/gguf/write
 */

import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { isKithError, KithError, messageOf, throwIfAborted } from '../../base/index.ts';
import type { Gguf } from '../types.ts';
import { encodeGgufHeader, type GgufLayout, type GgufTensorLayout } from './encode.ts';
import { ggufError, quoted } from './limits.ts';

/** Data of one tensor: bytes at hand, a function that makes them when their turn comes, or chunks in order. */
export type TensorData = Uint8Array | (() => Promise<Uint8Array>) | AsyncIterable<Uint8Array>;

export interface GgufTensorInput extends GgufTensorLayout {
  readonly data: TensorData;
}

export interface GgufInput extends GgufLayout {
  readonly tensors: readonly GgufTensorInput[];
}

/** Where bytes go, in order. A chunk may be reused by its maker once the promise settles. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>;
}

export interface WriteGgufOptions {
  readonly signal?: AbortSignal;
  /** Called after every piece of data. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

export interface WrittenGguf {
  /** Size of the file. */
  readonly bytes: number;
  /** Lower-case hex sha256 of the file. */
  readonly sha256: string;
  /** What `readGguf` gives for the file. */
  readonly gguf: Gguf;
}

/**
 * Writes a file or into a sink. The bytes depend on the input alone. A file appears under its name only when it is
 * complete and on the disk: it is written as `<path>.tmp-<random>` first, and that is removed on any failure.
 *
 * @throws {InputError} a `GgufErrorCode` (`gguf_tensor_data` when a tensor's data has another length than its shape
 * says); {KithError} `gguf_write_failed` when the disk refuses.
 */
export async function writeGguf(
  target: string | ByteSink,
  input: GgufInput,
  options: WriteGgufOptions = {},
): Promise<WrittenGguf> {
  const { bytes, gguf } = encodeGgufHeader(input);
  if (typeof target !== 'string') return await stream(target, bytes, gguf, input, options);
  const temporary = `${target}.tmp-${randomUUID()}`;
  const handle = await open(temporary, 'wx').catch((cause: unknown) => {
    throw writeFailed(target, cause);
  });
  try {
    const sink: ByteSink = { write: (piece) => writeAll(handle, piece, target) };
    const written = await stream(sink, bytes, gguf, input, options);
    await handle.sync();
    await handle.close();
    await rename(temporary, target);
    return written;
  } catch (cause) {
    await handle.close().catch(() => undefined); // Closed already when only the rename failed.
    await rm(temporary, { force: true });
    throw isSystemError(cause) ? writeFailed(target, cause) : cause;
  }
}

function isSystemError(value: unknown): boolean {
  return value instanceof Error && !isKithError(value) && 'syscall' in value;
}

function writeFailed(path: string, cause: unknown): KithError {
  return new KithError('gguf_write_failed', `Cannot write ${path}: ${messageOf(cause)}.`, { cause });
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, path: string): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done).catch((cause: unknown) => {
      throw writeFailed(path, cause);
    });
    done += bytesWritten;
  }
}

/** One write hands over at most this much, so that an abort is seen and progress moves within a tensor. */
const PIECE_BYTES = 32 * 1024 * 1024;

async function stream(
  sink: ByteSink,
  header: Uint8Array,
  gguf: Gguf,
  input: GgufInput,
  options: WriteGgufOptions,
): Promise<WrittenGguf> {
  const hash = createHash('sha256');
  let done = 0;
  const put = async (bytes: Uint8Array): Promise<void> => {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      throwIfAborted(options.signal);
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      hash.update(piece);
      await sink.write(piece);
      done += piece.length;
      options.onProgress?.(done, gguf.fileBytes);
    }
  };
  await put(header);
  for (const { name, data } of input.tensors) {
    const tensor = gguf.tensors.get(name)!;
    let length = 0;
    for await (const chunk of chunksOf(data)) {
      length += chunk.length;
      if (length > tensor.bytes) break;
      await put(chunk);
    }
    if (length !== tensor.bytes) {
      throw ggufError(
        'gguf_tensor_data',
        `Tensor ${quoted(name)} needs ${tensor.bytes} bytes of data but got ${length > tensor.bytes ? 'at least ' : ''}${length}.`,
        { tensor: name, bytes: tensor.bytes, got: length },
      );
    }
    await put(new Uint8Array((gguf.alignment - (done % gguf.alignment)) % gguf.alignment));
  }
  return { bytes: done, sha256: hash.digest('hex'), gguf };
}

async function* chunksOf(data: TensorData): AsyncGenerator<Uint8Array> {
  if (data instanceof Uint8Array) yield data;
  else if (typeof data === 'function') yield await data();
  else yield* data;
}
