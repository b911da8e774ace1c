/**
 * One file to documents with chunks: looked at, compared with what the KB has, parsed, cut.
 *
 * @module knowledge/ingest/reading
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { InputError, messageOf } from '../../base/index.ts';
import { type ChunkOptions, checkChunking, chunkDocument, type Strategy } from '../chunk/index.ts';
import type { Parsed } from '../parse/types.ts';
import type { FileState, NewDocument } from '../store/index.ts';
import type { Chunk, Embedder } from '../types.ts';
import type { IngestOptions, SourceFile } from './types.ts';

/** Raised whenever other chunks or names come of the same bytes, by parsers, chunker or rules: files are then read again. */
const READING_VERSION = 4;

/** Failures that come again while the file is the same. */
const LASTING = new Set([
  'parse_encrypted',
  'parse_broken',
  'parse_unsupported',
  'parse_too_large',
  'parse_memory',
]);

export function recipeOf(chunking: ChunkOptions, { window }: Pick<Embedder, 'window'>): string {
  const { strategy, size, overlap } = checkChunking(chunking);
  return `${READING_VERSION}/${strategy}/${Math.min(size, window)}/${overlap}`;
}

/** How documents with a recipe were cut; null for those of another version, whatever their settings. */
export function cutBy(recipe: string): Required<ChunkOptions> | null {
  const [, version, strategy, size, overlap] = /^(\d+)\/([a-z]+)\/(\d+)\/(\d+)$/.exec(recipe) ?? [];
  if (Number(version) !== READING_VERSION) return null;
  try {
    return checkChunking({
      ...{ strategy: strategy as Strategy, size: Number(size), overlap: Number(overlap) },
    });
  } catch {
    return null;
  }
}

export interface Look {
  readonly hash: Uint8Array;
  readonly bytes: number;
  readonly modified: number;
  readonly known: 'new' | 'changed' | 'unchanged';
  /** The same bytes, written at another time. */
  readonly isTouched: boolean;
  /** Why the same bytes failed before, and would again. */
  readonly failed: FileState | null;
}

/** @throws InputError `parse_unreadable` */
export async function look(file: SourceFile, recipe: string, options: IngestOptions): Promise<Look> {
  const { store, clock, signal } = options;
  const { hash, bytes, modified } = await contentOf(file, clock.now(), signal);
  const state = store.file(file.path);
  const document = store.document(file.path);
  const same = (other: { hash: Uint8Array | null; recipe: string } | null): boolean =>
    other !== null &&
    other.recipe === recipe &&
    other.hash !== null &&
    Buffer.compare(other.hash, hash) === 0;
  const failed =
    state?.stage === 'failed' && same(state) && LASTING.has(state.code ?? '') && options.retryFailed !== true
      ? state
      : null;
  // A file of several documents has no document of its own path, but its state.
  const unchanged = failed !== null || same(document) || (state?.stage === 'done' && same(state));
  const known = unchanged ? 'unchanged' : document === null && state?.stage !== 'done' ? 'new' : 'changed';
  const shown =
    document ?? (unchanged ? store.documents({ limit: 1 }, { paths: [`${file.path}/`] })[0] : undefined);
  const isTouched = shown !== undefined && shown !== null && shown.modified !== modified;
  return { hash, bytes, modified, known, isTouched, failed };
}

async function contentOf(file: SourceFile, now: number, signal: AbortSignal | undefined) {
  const { source } = file;
  const hash = createHash('sha256');
  if ('bytes' in source) {
    hash.update(source.bytes);
    return {
      hash: digestOf(hash),
      bytes: source.bytes.length,
      modified: Math.floor(file.modified ?? now),
    };
  }
  try {
    const facts = await stat(source.path);
    if (!facts.isFile()) throw new Error('it is no file');
    let bytes = 0;
    for await (const part of createReadStream(source.path, { highWaterMark: 1 << 18, signal })) {
      hash.update(part as Buffer);
      bytes += (part as Buffer).length;
    }
    return { hash: digestOf(hash), bytes, modified: Math.floor(file.modified ?? facts.mtimeMs) };
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new InputError('parse_unreadable', `${file.path} cannot be read: ${messageOf(error)}.`, {
      details: { path: file.path },
      cause: error,
    });
  }
}

function digestOf(hash: ReturnType<typeof createHash>): Uint8Array {
  return new Uint8Array(hash.digest());
}

export interface Read {
  readonly file: SourceFile;
  readonly look: Look;
  readonly facts: NewDocument;
  readonly parsed: Parsed;
  readonly chunks: readonly Chunk[];
}

/** Path of a document in the KB: the file's, and for a page of a dump the page's below it, as if the dump were a folder. */
export function pathOf(file: SourceFile, page: string | null): string {
  return page === null ? file.path : `${file.path}/${page.replaceAll('\0', ' ')}`;
}

/** Titles of files that say none are their names. */
export function titleFor(file: SourceFile, { page, document }: Parsed): { title: string; titled: boolean } {
  const own = document.title?.trim() ?? '';
  if (own !== '') return { title: own, titled: true };
  if (page !== null) return { title: page, titled: true };
  const name = basename(file.path);
  return { title: name.slice(0, name.length - extname(name).length) || name, titled: false };
}

export async function readDocument(
  file: SourceFile,
  seen: Look,
  parsed: Parsed,
  recipe: string,
  options: IngestOptions,
): Promise<Read> {
  const { document, page } = parsed;
  const { title, titled } = titleFor(file, parsed);
  const chunks = await chunkDocument(document, title, options.embedder, options.chunking, options.signal);
  const { pages, properties, tags, aliases, links, notes } = document;
  const facts: NewDocument = {
    ...{ path: pathOf(file, page), title, titled, type: parsed.type },
    ...{ hash: seen.hash, recipe, bytes: seen.bytes, modified: seen.modified },
    ...{ pages, properties, tags, aliases, links, notes },
  };
  return { file, look: seen, facts, parsed, chunks };
}
