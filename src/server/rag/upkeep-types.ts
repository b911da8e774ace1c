/**
 * How a knowledge base is cut, and what a sync of it would do.
 *
 * @module server/rag/upkeep-types
 */
import type { ChunkOptions, SyncPlan } from '../../knowledge/index.ts';
import type { FolderView, SyncOrder } from './types.ts';

/** What is said for one knowledge base; null: as the node's settings say. */
export type ChunkingOrder = { readonly [Name in keyof ChunkOptions]?: ChunkOptions[Name] | null };

/** How documents are cut from now on. */
export interface ChunkingView extends Required<ChunkOptions> {
  /** What the knowledge base says itself; the rest is as `knowledge.chunk...` of the node says. */
  readonly own: readonly (keyof ChunkOptions)[];
  /** Tokens that its embedding model reads, and more than which no chunk gets; null while that is not known. */
  readonly window: number | null;
  /** Documents that were cut otherwise. */
  readonly stale: number;
}

export interface SyncPlanView extends SyncPlan, FolderView {}

export interface UpkeepDesk {
  chunking(kb: string): Promise<ChunkingView>;
  /** Nothing is cut anew by that: the next sync of a folder does it, or `rebuild`. @throws InputError `chunking_invalid` */
  setChunking(kb: string, order: ChunkingOrder): Promise<ChunkingView>;
  /** What `sync` would do, for each folder; writes nothing. @throws as `sync` and its jobs */
  preview(kb: string, order: SyncOrder, signal: AbortSignal): Promise<SyncPlanView[]>;
}
