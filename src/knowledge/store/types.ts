/**
 * What the store of a knowledge base takes and gives.
 *
 * @module knowledge/store/types
 */
import type { BackupOptions } from '../../base/index.ts';
import type { Chunk, Filter, Link, Mention, ParseNote, Property } from '../types.ts';
import type { AssertionStore } from './assertion-types.ts';

/** Who makes the vectors of a KB. Vectors of another hash are never mixed with them. */
export interface EmbedderIdentity {
  readonly id: string;
  readonly hash: string;
  readonly dimension: number;
}

export interface NewDocument {
  /** Unique in the KB, parts joined by `/`. */
  readonly path: string;
  readonly title: string;
  /** True when the file itself says its title; false when it is its name. */
  readonly titled: boolean;
  /** Kind of file: `pdf`, `md`. */
  readonly type: string;
  /** SHA-256 of the file's bytes. */
  readonly hash: Uint8Array;
  /** How chunks were made of it (parser, sizes, strategy): equal hash and recipe give equal chunks. */
  readonly recipe: string;
  readonly bytes: number;
  /** ms since 1970. */
  readonly modified: number;
  readonly pages: number | null;
  readonly properties: Readonly<Record<string, Property>>;
  readonly tags: readonly string[];
  readonly aliases: readonly string[];
  readonly links: readonly Link[];
  readonly notes: readonly ParseNote[];
}

export interface StoredDocument extends NewDocument {
  /** Row of the document; never given to another. */
  readonly id: number;
  readonly chunks: number;
}

export interface StoredChunk extends Chunk {
  /** Row of the chunk, from 1; never given to another. What ranks are computed with. */
  readonly row: number;
  /** Row, path and title of its document. */
  readonly document: number;
  readonly path: string;
}

export interface StoredMention extends Mention {
  /** Row of the chunk. */
  readonly row: number;
}

/** Says that a name stands for what another stands for. Both are in the form under which the graph compares names. */
export interface EntityMerge {
  readonly id: number;
  readonly alias: string;
  readonly entity: string;
  /** For people: who or what said so. */
  readonly reason: string;
  /** ms since 1970; `undone`: null while it holds. */
  readonly made: number;
  readonly undone: number | null;
  /** The run that it is undone with. */
  readonly run: number | null;
}

export interface Scored {
  readonly row: number;
  /** Larger is better. */
  readonly score: number;
}

/** A row of the slab: component ≈ i8 × scale. */
export interface SlabRow {
  readonly row: number;
  readonly scale: number;
  readonly i8: Int8Array;
}

/** What to do to something made of chunks: take `removed` out, then put `added` in, which may name rows that are there. */
export interface Changes {
  readonly version: number;
  /** Ascending. */
  readonly added: readonly number[];
  readonly removed: readonly number[];
}

export interface Counts {
  readonly documents: number;
  readonly chunks: number;
  readonly vectors: number;
  readonly mentions: number;
  /** Of the file and its log. */
  readonly bytes: number;
}

/** How far a file has come. `waiting` to `embedded` are on the way; a run that was killed goes on with those. */
export type FileStage = 'waiting' | 'parsed' | 'chunked' | 'embedded' | 'done' | 'skipped' | 'failed';

export interface FileState {
  readonly path: string;
  readonly stage: FileStage;
  /** Why it failed; null otherwise. */
  readonly code: string | null;
  readonly message: string | null;
  /** Null while unread. */
  readonly hash: Uint8Array | null;
  readonly recipe: string;
  readonly bytes: number;
  /** ms since 1970. */
  readonly at: number;
}

export interface Page {
  /** Path of the last one of the page before. */
  readonly after?: string;
  /** @default 100, at most 1000 */
  readonly limit?: number;
}

/** A KB that is open. All calls are synchronous; every change is one transaction that is on the disk when the call returns. */
/** An answer that is kept for a question. */
export interface KeptAnswer {
  /** SHA-256 of all that must be equal for two questions to have one answer. */
  readonly topic: Uint8Array;
  /** SHA-256 of the question as it was asked. */
  readonly asked: Uint8Array;
  /** Of the question; null where there is none. */
  readonly vector: Float32Array | null;
  readonly value: string;
}

/** Times are in ms since 1970. What was made in the future, or by another version of the knowledge base, does not count. */
export interface KeptAnswers {
  /** Those of a topic, the one that was used last first. */
  find(
    topic: Uint8Array,
    now: number,
    ttlMs: number,
  ): (Omit<KeptAnswer, 'topic' | 'value'> & { readonly id: number; readonly made: number })[];
  /** The value, which counts as used; null when it is gone. */
  take(id: number): string | null;
  /** @param at version that it was made of @returns false when that is not the version any more, or it is too large */
  put(answer: KeptAnswer, at: number, now: number, ttlMs: number): boolean;
  /** `hits`: times that those which are kept now were given. */
  figures(
    now: number,
    ttlMs: number,
  ): { readonly answers: number; readonly bytes: number; readonly hits: number };
  /** @returns how many were removed */
  clear(): number;
}

export interface KnowledgeStore extends Disposable, AssertionStore {
  readonly path: string;
  readonly id: string;
  readonly name: string;
  /** Null until `useEmbedder` said one. */
  readonly embedder: EmbedderIdentity | null;
  /** Grows with each change, here or by another process. */
  version(): number;
  readonly kept: KeptAnswers;

  /**
   * Puts a document in the place of the one with its path. Chunks whose id that one had keep their row, vector and mentions.
   *
   * @param vectors row-major, chunks × dimension, L2-normalised; null: to be made later
   * @throws InputError `document_invalid`, `embedder_missing`; LimitError `knowledge.*`
   */
  put(
    document: NewDocument,
    chunks: readonly Chunk[],
    vectors: Float32Array | null,
    mentions: readonly Mention[],
    state?: Omit<FileState, 'path'>,
  ): StoredDocument;
  /**
   * All that the work changes is stored together, or nothing when it throws; with one wait for the disk. What fails inside and is
   * caught there undoes itself alone. The work must not wait.
   */
  atOnce<T>(work: () => T): T;
  /** False when there is none. */
  remove(path: string): boolean;
  /** Gives a document another path; ids, rows and vectors stay. False when there is none. @throws InputError `document_exists` */
  rename(from: string, to: string): boolean;
  /** Notes when the file of a document changed last, of all its documents. The content is the same. */
  touch(path: string, modified: number): void;
  /** What was found about chunks later. Rows that are gone are passed over. */
  addMentions(mentions: readonly StoredMention[]): void;
  /** Its id. @throws InputError `merge_invalid`: merged already, or in a circle; LimitError `knowledge.merges` */
  merge(merge: Omit<EntityMerge, 'id' | 'undone' | 'run'> & { readonly run?: number | null }): number;
  /** False when there is none that holds. @param at ms since 1970 */
  undoMerge(id: number, at: number): boolean;
  /** All that ever were, in order. */
  merges(): EntityMerge[];

  /** @throws InputError `embedder_mismatch` when the KB has vectors of another */
  useEmbedder(embedder: EmbedderIdentity): void;
  /** Drops all vectors and takes this embedder from now on. */
  changeEmbedder(embedder: EmbedderIdentity): void;
  /** Chunks that have no vector yet, from row `after` on. */
  withoutVector(after: number, limit: number): StoredChunk[];
  /** @param vectors row-major, rows × dimension */
  setVectors(rows: readonly number[], vectors: Float32Array): void;

  document(path: string): StoredDocument | null;
  documentById(id: number): StoredDocument | null;
  /** By path. */
  documents(page?: Page, filter?: Filter): StoredDocument[];
  /** Those with these bytes, by path. */
  documentsByHash(hash: Uint8Array): StoredDocument[];
  /** In the order asked for; null where a row is gone. */
  chunks(rows: readonly number[]): (StoredChunk | null)[];
  /** Of equal content in several documents the one in `path`, or the first by path. */
  chunk(id: string, path?: string): StoredChunk | null;
  chunksOf(path: string, from?: number, limit?: number): StoredChunk[];
  /** Up to `n` chunks before it and `n` after it in its document, with itself, by position. */
  neighbours(row: number, n: number): StoredChunk[];
  /** All chunks, by row. Nothing else may be asked of the store within a step that writes. */
  allChunks(after?: number): IterableIterator<StoredChunk>;
  mentions(rows: readonly number[]): StoredMention[];

  /** Best first, of equals the lesser id. Any of the words suffices. Score: BM25, titles count twice. */
  lexical(words: readonly string[], limit: number, filter?: Filter): Scored[];
  /** Rows of the chunks that a filter keeps, ascending; null for all. */
  rowsOf(filter: Filter | undefined): Uint32Array | null;
  /** By row. */
  slab(after?: number): IterableIterator<SlabRow>;
  /** Of some rows, in the order asked for; null where there is none. */
  slabRows(rows: readonly number[]): (SlabRow | null)[];
  /** Exact vectors in the order asked for; null where there is none. */
  f32(rows: readonly number[]): (Float32Array | null)[];
  /** Exact vectors by id of the chunk, wherever it is. */
  vectorsById(ids: readonly string[]): Map<string, Float32Array>;
  /** Null when that is too long ago: then everything is to be read. */
  changes(since: number): Changes | null;

  /** Of files on their way in, by path. */
  files(page?: Page & { readonly stage?: FileStage }): FileState[];
  file(path: string): FileState | null;
  /** How many files are at each stage. */
  fileCounts(): Partial<Record<FileStage, number>>;
  noteFiles(states: readonly FileState[]): void;
  forgetFile(path: string): void;

  /** How many documents were made by each recipe. */
  recipes(): { readonly recipe: string; readonly documents: number }[];
  /** Paths of documents that were made by others than a recipe, in their order. */
  madeOtherwise(recipe: string, page?: Page): string[];
  readonly settings: Readonly<Record<string, unknown>>;
  setSettings(settings: Readonly<Record<string, unknown>>): void;
  counts(): Counts;
  /** What is wrong with the file, in words; empty when it is sound. */
  check(): string[];
  /** A copy that can be opened, while this one is in use. */
  backup(target: string, options?: BackupOptions): Promise<void>;
  close(): void;
}
