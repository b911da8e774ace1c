/**
 * A file of a package on a registry of which only some stretches are wanted. A tarball is compressed as one, so it is read
 * from its beginning, but no further than to the last wanted byte, and nothing of it is kept. Its own hash can then not be
 * checked: whoever asks checks each stretch.
 *
 * @module models/sources/npm-ranges
 */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { KithError, messageOf } from '../../base/index.ts';
import type { HttpClient } from './http.ts';
import { type OpenedStream, SequentialReader } from './sequential.ts';
import type { RangeOptions } from './source.ts';
import { readTar } from './tar.ts';
import { probe, readWeb } from './web-stream.ts';

export interface PackagedFile {
  readonly url: URL;
  /** The tarball on this disk, when it is there. */
  readonly staged: string | null;
  /** In the package. */
  readonly path: string;
  /** For messages: `name@version`. */
  readonly what: string;
}

export function npmRanges(client: HttpClient, file: PackagedFile, options: RangeOptions): SequentialReader {
  return new SequentialReader(async (): Promise<OpenedStream> => {
    const entries = members(client, file, options)[Symbol.asyncIterator]();
    // Only the head of the entry is read here, which tells its size.
    const first = await entries.next();
    if (first.done === true)
      throw new KithError('source_not_found', `${file.what} has no file ${file.path}.`, { status: 404 });
    const { size, content } = first.value;
    async function* chunks(): AsyncGenerator<Uint8Array> {
      try {
        yield* content;
      } catch (cause) {
        throw unpackable(file, cause);
      } finally {
        await entries.return?.();
      }
    }
    return { size, chunks: chunks() };
  });
}

async function* members(client: HttpClient, file: PackagedFile, options: RangeOptions) {
  const raw = Readable.from(packed(client, file, options), { objectMode: false });
  const unpacked = raw.pipe(createGunzip({ chunkSize: 256 * 1024 }));
  raw.on('error', (error) => unpacked.destroy(error));
  try {
    for await (const entry of readTar(unpacked)) {
      const path = entry.path.split('/').slice(1).join('/');
      if (entry.type === 'file' && path === file.path) yield entry;
    }
  } catch (cause) {
    throw unpackable(file, cause);
  } finally {
    raw.destroy();
    unpacked.destroy();
  }
}

async function* packed(
  client: HttpClient,
  { url, staged }: PackagedFile,
  { signal, count }: RangeOptions,
): AsyncGenerator<Uint8Array> {
  if (staged !== null) {
    yield* createReadStream(staged, { highWaterMark: 1 << 20, signal });
    return;
  }
  count(2, 0);
  // The size lets a connection that breaks be taken up again; whoever asks checks the bytes.
  const { size } = await probe(client, url, { signal });
  for await (const chunk of readWeb(client, { url, size, validator: null }, 0, { signal, pinned: true })) {
    count(0, chunk.length);
    yield chunk;
  }
}

function unpackable({ what }: PackagedFile, cause: unknown): unknown {
  if ((cause as NodeJS.ErrnoException).code?.startsWith('Z_') !== true) return cause;
  return new KithError('archive_invalid', `The tarball of ${what} cannot be unpacked: ${messageOf(cause)}.`, {
    status: 502,
    cause,
  });
}
