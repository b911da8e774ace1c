/**
 * Gets sections of a model from the URIs of one of its sources, whose concatenation the file is. Only parts that hold
 * wanted bytes are read, and of those that have ranges only the wanted stretches.
 *
 * @module models/blocks/from-source
 */
import { KithError } from '../../base/index.ts';
import { coalesce } from '../gguf/slice.ts';
import { SequentialReader } from '../sources/sequential.ts';
import type { RangeOptions, RangeReader, Source, SourceRegistry } from '../sources/source.ts';
import type { ModelSource } from '../types.ts';
import type { BlockProvider, BlockRequest } from './types.ts';

/** A source of the manifest as a provider; null when its bytes are not those of the model. */
export function sourceProvider(source: ModelSource, sources: SourceRegistry): BlockProvider | null {
  if (source.convert !== undefined) return null;
  const { parts } = source;
  return {
    name: parts.join(' + '),
    fetch: (request) => fetchFrom(parts, sources, request),
  };
}

async function fetchFrom(
  parts: readonly string[],
  sources: SourceRegistry,
  { list, sections, sink, signal }: BlockRequest,
): Promise<void> {
  const name = parts.join(' + ');
  const wanted = coalesce(sections).map(({ offset, length }) => ({ at: offset, end: offset + length }));
  /** Where the part begins in the file. */
  let base = 0;
  for (const uri of parts) {
    const count = (requests: number, bytes: number) => sink.count(requests, bytes);
    await using reader = await openReader(sources.for(uri), uri, { signal, count });
    for (let range = wanted[0]; range !== undefined; range = wanted[0]) {
      const { size } = reader;
      if (size !== null) checkSize(name, base + size, list.bytes, parts.length === 1);
      if (size !== null && range.at >= base + size) break;
      for await (const chunk of reader.read(range.at - base, range.end - base)) {
        if (reader.size !== null) checkSize(name, base + reader.size, list.bytes, parts.length === 1);
        await sink.write(range.at, chunk, uri);
        range.at += chunk.length;
      }
      if (range.at >= range.end) wanted.shift();
      else break;
    }
    if (wanted.length === 0) return;
    if (reader.size === null) throw tooShort(name, wanted[0]!.at, list.bytes);
    base += reader.size;
  }
  throw tooShort(name, base, list.bytes);
}

async function openReader(source: Source, uri: string, options: RangeOptions): Promise<RangeReader> {
  if (source.ranges !== undefined) return await source.ranges(uri, options);
  const { signal, count } = options;
  return new SequentialReader(async () => {
    const { size, open } = await source.resolve(uri, { signal });
    async function* chunks(): AsyncGenerator<Uint8Array> {
      count(1, 0);
      for await (const chunk of open(0, { signal, hashKnown: true })) {
        count(0, chunk.length);
        yield chunk;
      }
    }
    return { size, chunks: chunks() };
  });
}

/** @param reached bytes of the parts so far */
function checkSize(name: string, reached: number, bytes: number, isAll: boolean): void {
  if (isAll ? reached === bytes : reached <= bytes) return;
  throw new KithError(
    'source_mismatch',
    `${name} is not the model: it has ${isAll ? '' : 'at least '}${reached} bytes instead of ${bytes}.`,
    { status: 502 },
  );
}

function tooShort(name: string, at: number, bytes: number): KithError {
  return new KithError('source_mismatch', `${name} is not the model: it ends at byte ${at} of ${bytes}.`, {
    status: 502,
  });
}
