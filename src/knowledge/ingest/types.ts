/**
 * What goes into a knowledge base, and what is told of it on the way.
 *
 * @module knowledge/ingest/types
 */
import type { Clock } from '../../base/index.ts';
import type { ChunkOptions } from '../chunk/index.ts';
import type { ParserPool, ParseSource } from '../parse/types.ts';
import type { FileStage, KnowledgeStore } from '../store/index.ts';
import type { Chunk, Embedder, Mention, ParsedDocument } from '../types.ts';

export interface SourceFile {
  /** Path in the KB, parts joined by `/`. */
  readonly path: string;
  readonly source: ParseSource;
  /** ms since 1970. @default the file's own; now for bytes */
  readonly modified?: number;
}

/** A document about to be put. */
export interface NewText {
  readonly path: string;
  readonly title: string;
  readonly document: ParsedDocument;
  readonly chunks: readonly Chunk[];
}

export interface IngestOptions {
  readonly store: KnowledgeStore;
  readonly pool: Pick<ParserPool, 'parse'>;
  readonly embedder: Embedder;
  readonly clock: Clock;
  readonly chunking?: ChunkOptions;
  /** Finds names in a document, without a model. @default those that graph/ finds by its rules */
  readonly mentions?: (text: NewText) => readonly Mention[];
  /** Files read and parsed at once, while others are embedded. @default 3 */
  readonly parallel?: number;
  /** Characters of parsed documents that may wait to be embedded. @default 8000000 */
  readonly aheadCharacters?: number;
  /** Tells what would be done, and does nothing. @default false */
  readonly dryRun?: boolean;
  /** Files that failed and did not change since are tried again. @default false */
  readonly retryFailed?: boolean;
  readonly signal?: AbortSignal;
}

/** Since the run began. */
export interface IngestTotals {
  /** Files that were looked at. */
  readonly files: number;
  readonly done: number;
  readonly skipped: number;
  readonly failed: number;
  readonly documents: number;
  readonly chunks: number;
  /** Chunks whose vectors were made; the others were there. */
  readonly embedded: number;
  readonly tokens: number;
  /** Of files that were done. */
  readonly bytes: number;
  readonly elapsedMs: number;
}

export type IngestEvent =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly stage: FileStage;
      /** Against what the KB has. */
      readonly known: 'new' | 'changed' | 'unchanged' | null;
      readonly code: string | null;
      readonly message: string | null;
      readonly totals: IngestTotals;
    }
  /** Vectors were made: for rates. */
  | { readonly kind: 'progress'; readonly totals: IngestTotals }
  | { readonly kind: 'end'; readonly totals: IngestTotals };
