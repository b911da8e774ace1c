/**
 * What is asked of a retriever and what it gives.
 *
 * @module knowledge/retrieve/types
 */
import type { FollowingGraph, Route } from '../graph/index.ts';
import type { KnowledgeStore, Scored, StoredChunk } from '../store/index.ts';
import type { Embedder, Filter } from '../types.ts';
import type { FollowedStore, FollowOptions } from '../vectors/index.ts';

/** A part of the knowledge base that is searched as if it were all there is. */
export interface SearchedPart {
  /** As the store's, and nothing outside counts. */
  lexical(words: readonly string[], limit: number, filter?: Filter): Scored[];
  /** Rows of the part that the filter keeps, ascending. */
  rowsOf(filter: Filter | undefined): Uint32Array;
}

/**
 * Who else knows which vectors are nearest. Null: nobody there can say now, and the index here does.
 *
 * @param asked.rows only these, ascending; null for all
 */
export type NearestElsewhere = (
  query: Float32Array,
  asked: {
    readonly limit: number;
    readonly rows: Uint32Array | null;
    readonly signal: AbortSignal | undefined;
  },
) => Promise<readonly Scored[] | null>;

export interface SearchOptions {
  /** Hits wanted. @default 10, at most 1000 */
  readonly limit?: number;
  readonly filter?: Filter | undefined;
  /** Only there. The graph ties everything to everything, so it is not asked: `graph` and `auto` are `both`. @default everywhere */
  readonly within?: SearchedPart | undefined;
  /**
   * How to look: by words, by meaning, by both; over the graph from the best of both; or the way that the question's form asks for.
   *
   * @default 'auto' where there is a graph, 'both' elsewhere
   */
  readonly by?: 'words' | 'vectors' | 'both' | 'graph' | 'auto';
  /** Weight of meaning against words, 0 to 1. @default 0.6 */
  readonly alpha?: number;
  /** Leave out what says the same as a better hit (and name it there), among the first 200. @default true */
  readonly dropDuplicates?: boolean;
  /** 0 to 1: how much hits should differ from each other. @default 0; 0.5 for a question that asks for an overview */
  readonly diversity?: number;
  /** Chunks before and after each hit that are given with it, at most 8. @default 0 */
  readonly neighbours?: number;
  /** Asked first which vectors are nearest; scores are computed here, from exact vectors. @default the index here alone */
  readonly elsewhere?: NearestElsewhere | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What one way of looking says about a hit. */
export interface Evidence {
  /** BM25 or cosine. */
  readonly score: number;
  /** From 1; null when it is not among the best by this way. */
  readonly rank: number | null;
}

export interface GraphEvidence {
  /** How likely walks from the best hits come there, against where they come most: 0 to 1. */
  readonly score: number;
  /** From 1. */
  readonly rank: number;
  /** Names by way of which, as the graph compares them, the most used first. */
  readonly through: readonly string[];
}

export interface Hit {
  readonly chunk: StoredChunk;
  /** Larger is better; comparable within one answer only. */
  readonly score: number;
  /** Null when none of the words is in it, or others have far more of them. */
  readonly words: Evidence | null;
  /** Null when it has no vector, or meaning was not asked for. */
  readonly vector: Evidence | null;
  /** Null when the graph was not asked, or does not lead there. */
  readonly graph: GraphEvidence | null;
  /** Ids of chunks that say the same and were left out. */
  readonly duplicates: readonly string[];
  /** With the hit itself, by position; empty unless asked for. */
  readonly neighbours: readonly StoredChunk[];
}

export interface Found {
  readonly hits: readonly Hit[];
  /** Ways that were gone. */
  readonly by: readonly ('words' | 'vectors' | 'graph')[];
  /** Which way the question was answered and why; null where the graph was not to be asked. */
  readonly route: Route | null;
  /** Why meaning did not count although it was asked for; null otherwise. */
  readonly degraded: { readonly code: string; readonly message: string } | null;
  /** Words that were looked up. */
  readonly words: readonly string[];
}

/** Reads a question together with each passage, and says how well the passage answers it. */
export interface CrossEncoder {
  /** Model id, for people. */
  readonly model: string;
  /**
   * How well each passage answers the query, in the order of the passages: larger is better, comparable within one call only.
   * Passages beyond its window are cut. A model that is not in memory is loaded by the first call.
   */
  score(query: string, passages: readonly string[], signal: AbortSignal): Promise<Float32Array>;
}

export interface Retriever extends AsyncDisposable {
  /** @throws InputError `search_invalid`, `filter_invalid`, `embedder_mismatch`; AbortedError */
  search(question: string, options?: SearchOptions): Promise<Found>;
  /** Brings vectors and the graph into memory, which the first search does otherwise. */
  warm(): Promise<void>;
}

export interface RetrieverOptions {
  readonly store: FollowedStore &
    Pick<KnowledgeStore, 'lexical' | 'rowsOf' | 'f32' | 'chunks' | 'neighbours'>;
  /** Null: search is by words only. */
  readonly embedder: Embedder | null;
  /** Null: names in documents do not count. @default null */
  readonly graph?: FollowingGraph | null;
  readonly vectors?: FollowOptions;
}
