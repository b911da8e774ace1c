/**
 * Rows of the file to documents, chunks and vectors, and back.
 *
 * @module knowledge/store/rows
 */
import { InputError, KithError, LimitError } from '../../base/index.ts';
import type { Chunk, Link, ParseNote, Place, Property } from '../types.ts';
import { STORE_LIMITS } from './schema.ts';
import type { FileStage, FileState, NewDocument, StoredChunk, StoredDocument } from './types.ts';

export interface DocumentRow {
  id: number;
  path: string;
  title: string;
  titled: number;
  type: string;
  hash: Uint8Array;
  recipe: string;
  bytes: number;
  modified: number;
  pages: number | null;
  chunks: number;
  properties: string;
  tags: string;
  aliases: string;
  links: string;
  notes: string;
}

export interface ChunkRow {
  row: number;
  id: string;
  document: number;
  position: number;
  tokens: number;
  place: string;
  title: string;
  text: string;
  path: string;
}

export interface FileRow {
  path: string;
  state: string;
  code: string | null;
  message: string | null;
  hash: Uint8Array | null;
  recipe: string;
  bytes: number;
  at: number;
}

export const CHUNK_COLUMNS =
  'c.row, c.id, c.document, c.position, c.tokens, c.place, c.title, c.text, d.path AS path';

/** What is kept as JSON. The file may be from elsewhere. @throws KithError `database_corrupt` */
export function kept<T>(json: string, of: string): T {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    value = null;
  }
  if (typeof value === 'object' && value !== null) return value as T;
  throw new KithError(
    'database_corrupt',
    `The file of this knowledge base is damaged: what is kept of ${of} cannot be read; restore a backup.`,
    { status: 500 },
  );
}

export function documentOf(row: DocumentRow): StoredDocument {
  return {
    ...row,
    titled: row.titled === 1,
    properties: kept<Record<string, Property>>(row.properties, 'a document'),
    tags: kept<string[]>(row.tags, 'a document'),
    aliases: kept<string[]>(row.aliases, 'a document'),
    links: kept<Link[]>(row.links, 'a document'),
    notes: kept<ParseNote[]>(row.notes, 'a document'),
  };
}

export function chunkOf(row: ChunkRow): StoredChunk {
  return { ...row, place: kept<Place>(row.place, 'a passage') };
}

export function fileOf({ state, ...row }: FileRow): FileState {
  return { ...row, stage: state as FileStage };
}

export function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** A copy: what SQLite gives need not be aligned. */
export function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}

/** Text of the columns of a document, within their bounds. */
export function documentColumns(document: NewDocument) {
  const { path, type, bytes, modified, pages } = document;
  checkPath(path);
  if (type.length > 64) throw invalid(`its type has ${type.length} characters, and 64 are allowed`, path);
  const json = (name: string, value: unknown): string => {
    const text = JSON.stringify(value);
    if (text.length > STORE_LIMITS.facts)
      throw over('facts', STORE_LIMITS.facts, `The ${name} of ${path} have ${text.length} characters`);
    return text;
  };
  return {
    ...{ path, type, hash: document.hash, recipe: document.recipe, bytes, modified, pages },
    title: document.title.slice(0, STORE_LIMITS.title).toWellFormed(),
    titled: document.titled ? 1 : 0,
    properties: json('properties', document.properties),
    tags: json('tags', document.tags),
    aliases: json('aliases', document.aliases),
    links: json('links', document.links),
    notes: json('notes', document.notes),
  };
}

/** Whether a KB can have something at that path. */
export function isPath(path: string): boolean {
  return path.length > 0 && path.length <= STORE_LIMITS.path && !path.includes('\0') && path.isWellFormed();
}

export function checkPath(path: string): void {
  if (isPath(path)) return;
  throw invalid(
    `a path has 1 to ${STORE_LIMITS.path} characters that names of files may have, and this one ${path.length}`,
    path.slice(0, 80).toWellFormed(),
  );
}

export function checkChunks(path: string, chunks: readonly Chunk[]): void {
  if (chunks.length > STORE_LIMITS.chunks)
    throw over('chunks', STORE_LIMITS.chunks, `${path} has ${chunks.length} chunks`);
  const ids = new Set<string>();
  for (const [at, chunk] of chunks.entries()) {
    if (chunk.position !== at) throw invalid(`chunk ${at} says position ${chunk.position}`, path);
    if (!/^[0-9a-f]{32}$/.test(chunk.id) || ids.has(chunk.id))
      throw invalid(
        `chunk ${at} has the id '${chunk.id.slice(0, 40)}', which is malformed or there twice`,
        path,
      );
    ids.add(chunk.id);
    const characters = chunk.title.length + chunk.text.length;
    if (characters > STORE_LIMITS.chunkCharacters)
      throw over(
        'chunkCharacters',
        STORE_LIMITS.chunkCharacters,
        `Chunk ${at} of ${path} has ${characters} characters`,
      );
  }
}

/** As tags are compared: `Project/Kith` and `project/kith` are one. */
export function foldTag(tag: string): string {
  return tag.normalize('NFC').toLowerCase();
}

/** Each value of a property as it is compared: 5 is not "5". */
export function propertyValues(value: Property): string[] {
  const values = typeof value === 'object' ? value : [value];
  return [...new Set(values.map((each) => JSON.stringify(each)))];
}

export function invalid(reason: string, path: string): InputError {
  return new InputError('document_invalid', `The document ${path} cannot be kept: ${reason}.`, {
    details: { path },
  });
}

export function over(limit: keyof typeof STORE_LIMITS, value: number, what: string): LimitError {
  return new LimitError(
    `knowledge.${limit}`,
    value,
    `${what}; ${value} are allowed (limit knowledge.${limit}).`,
    {
      status: 413,
    },
  );
}
