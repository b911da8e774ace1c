/** `file:` sources: files of this machine. @module models/sources/file */

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { isErrno, KithError, messageOf } from '../../base/index.ts';
import type { RangeOptions, RangeReader, ResolvedSource, Source } from './source.ts';
import { parseFileUri } from './uri.ts';

export function createFileSource(): Source {
  return {
    schemes: ['file'],
    capabilities: { local: true, resumable: true, list: false },
    check: (uri) => void parseFileUri(uri),
    async isLocal(uri) {
      const info = await stat(parseFileUri(uri)).catch(() => null);
      return info?.isFile() === true;
    },
    resolve: async (uri) => await resolveFile(uri, parseFileUri(uri)),
    ranges: (uri, options) => fileRanges(uri, parseFileUri(uri), options),
  };
}

/** Stretches of a local file. @throws as `resolveFile` */
export async function fileRanges(uri: string, path: string, options: RangeOptions): Promise<RangeReader> {
  const { size } = await resolveFile(uri, path);
  return {
    size,
    sequential: false,
    async *read(from, to) {
      const end = Math.min(to, size ?? to) - 1;
      if (end < from) return;
      const { signal } = options;
      const stream = createReadStream(path, { start: from, end, highWaterMark: 1024 * 1024, signal });
      for await (const chunk of stream) {
        options.count(0, (chunk as Uint8Array).length);
        yield chunk as Uint8Array;
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** A local file as a source. @throws KithError `source_not_found`, `source_unreadable` */
export async function resolveFile(uri: string, path: string): Promise<ResolvedSource> {
  let info: Awaited<ReturnType<typeof stat>>;
  try {
    info = await stat(path);
  } catch (cause) {
    if (isErrno(cause, 'ENOENT') || isErrno(cause, 'ENOTDIR')) {
      throw new KithError('source_not_found', `There is no file ${path}.`, { status: 404, cause });
    }
    throw new KithError('source_unreadable', `Cannot read ${path}: ${messageOf(cause)}.`, { cause });
  }
  if (!info.isFile()) throw new KithError('source_unreadable', `${path} is not a file.`, { status: 400 });
  return {
    uri,
    size: info.size,
    validator: `file:${info.ino}:${info.size}:${info.mtimeMs}`,
    sha256: null,
    path,
    async *open(from, options) {
      const stream = createReadStream(path, {
        start: from,
        highWaterMark: 1024 * 1024,
        signal: options?.signal,
      });
      for await (const chunk of stream) yield chunk as Uint8Array;
    },
  };
}
