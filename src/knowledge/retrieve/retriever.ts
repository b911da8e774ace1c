/**
 * From a question to the chunks that answer it: by its words, by its meaning, and by both. The same store and question give the
 * same hits in the same order.
 *
 * @module knowledge/retrieve/retriever
 */
import { InputError, isKithError, messageOf } from '../../base/index.ts';
import type { KnowledgeStore, StoredChunk } from '../store/index.ts';
import type { Embedder, Filter } from '../types.ts';
import {
  dot,
  type FollowedStore,
  followVectors,
  type VectorIndex,
  type VectorIndexOptions,
} from '../vectors/index.ts';
import { chooseDiverse } from './diverse.ts';
import { type Print, printOf, sayTheSame } from './duplicates.ts';
import { fuse, type Ranker } from './fuse.ts';
import { wordsOf } from './words.ts';

export interface SearchOptions {
  /** Hits wanted. @default 10, at most 1000 */
  readonly limit?: number;
  readonly filter?: Filter | undefined;
  /** How to look: by words, by meaning, or by both. @default 'both' */
  readonly by?: 'words' | 'vectors' | 'both';
  /** Weight of meaning against words, 0 to 1. @default 0.6 */
  readonly alpha?: number;
  /** Leave out what says the same as a better hit (and name it there), among the first 200. @default true */
  readonly dropDuplicates?: boolean;
  /** 0 to 1: how much hits should differ from each other. @default 0 */
  readonly diversity?: number;
  /** Chunks before and after each hit that are given with it, at most 8. @default 0 */
  readonly neighbours?: number;
  readonly signal?: AbortSignal | undefined;
}

/** What one way of looking says about a hit. */
export interface Evidence {
  /** BM25 or cosine. */
  readonly score: number;
  /** From 1; null when it is not among the best by this way. */
  readonly rank: number | null;
}

export interface Hit {
  readonly chunk: StoredChunk;
  /** Larger is better; comparable within one answer only. */
  readonly score: number;
  /** Null when none of the words is in it, or others have far more of them. */
  readonly words: Evidence | null;
  /** Null when it has no vector, or meaning was not asked for. */
  readonly vector: Evidence | null;
  /** Ids of chunks that say the same and were left out. */
  readonly duplicates: readonly string[];
  /** With the hit itself, by position; empty unless asked for. */
  readonly neighbours: readonly StoredChunk[];
}

export interface Found {
  readonly hits: readonly Hit[];
  /** Ways that were gone. */
  readonly by: readonly ('words' | 'vectors')[];
  /** Why meaning did not count although it was asked for; null otherwise. */
  readonly degraded: { readonly code: string; readonly message: string } | null;
  /** Words that were looked up. */
  readonly words: readonly string[];
}

export interface Retriever extends AsyncDisposable {
  /** @throws InputError `search_invalid`, `filter_invalid`, `embedder_mismatch`; AbortedError */
  search(question: string, options?: SearchOptions): Promise<Found>;
  /** Brings vectors into memory, which the first search does otherwise. */
  warm(): Promise<void>;
}

export interface RetrieverOptions {
  readonly store: FollowedStore &
    Pick<KnowledgeStore, 'lexical' | 'rowsOf' | 'f32' | 'chunks' | 'neighbours'>;
  /** Null: search is by words only. */
  readonly embedder: Embedder | null;
  readonly vectors?: Omit<VectorIndexOptions, 'dimension' | 'rows'>;
}

/** So many of the best of each way are weighed against each other. */
const POOL = 200;
const MOST_HITS = 1000;
const MOST_NEIGHBOURS = 8;
/** Chunks among which diversity chooses, for each hit wanted. */
const CHOICE = 4;
/** Each hit is compared with the ones before it: beyond so many, copies stay. */
const MOST_COMPARED = 200;
const ALPHA = 0.6;

export function createRetriever({ store, embedder, vectors: indexOptions }: RetrieverOptions): Retriever {
  const following = followVectors(store, indexOptions);

  /** The question's vector, or why there is none. */
  async function vectorOf(question: string, signal: AbortSignal | undefined) {
    const degraded = (code: string, message: string) => ({ degraded: { code, message } });
    const kept = store.embedder;
    if (embedder === null) return degraded('no_embedder', 'no model for vectors is loaded');
    if (kept === null) return degraded('no_vectors', 'the knowledge base has no vectors yet');
    if (kept.hash !== embedder.hash)
      throw new InputError(
        'embedder_mismatch',
        `The vectors of this knowledge base are of ${kept.id}, and questions would be of ${embedder.id}: use that model, or have all vectors made anew.`,
        { status: 409 },
      );
    try {
      if (((await following.current())?.size ?? 0) === 0)
        return degraded('no_vectors', 'the knowledge base has no vectors yet');
      const query = await embedder.embed([question], {
        kind: 'query',
        ...(signal === undefined ? {} : { signal }),
      });
      // Again: much may have changed while the model worked.
      const index = await following.current();
      return index === null
        ? degraded('no_vectors', 'the knowledge base has no vectors any more')
        : { index, query };
    } catch (error) {
      signal?.throwIfAborted();
      return degraded(isKithError(error) ? error.code : 'embedder_failed', messageOf(error));
    }
  }

  /** Exact scores of the nearest, and of others that are asked about. */
  async function byVector(
    index: VectorIndex,
    query: Float32Array,
    pool: number,
    rows: Uint32Array | null,
    others: readonly number[],
  ) {
    const near = await index.nearest(query, { limit: pool, rows });
    const asked = new Set([...near.map(({ row }) => row), ...others]);
    const list = [...asked];
    const scores = new Map<number, number>();
    const vectors = new Map<number, Float32Array>();
    store.f32(list).forEach((vector, i) => {
      if (vector === null) return;
      vectors.set(list[i]!, vector);
      scores.set(list[i]!, dot(vector, query));
    });
    return { scores, vectors };
  }

  return {
    async warm() {
      if (embedder !== null) await following.current();
    },
    async search(question, options = {}) {
      const { limit, alpha, by, diversity, neighbours, dropDuplicates, filter, signal } = checked(options);
      signal?.throwIfAborted();
      const meaning = by === 'words' ? null : await vectorOf(question, signal);
      signal?.throwIfAborted();
      const withVectors = meaning !== null && 'query' in meaning ? meaning : null;
      const pool = Math.max(POOL, 2 * limit);
      const ways: ('words' | 'vectors')[] = [];
      const rankers: Ranker[] = [];
      const words = by === 'vectors' && withVectors !== null ? [] : wordsOf(question);
      let lexical = new Map<number, number>();
      if (by !== 'vectors' || withVectors === null) {
        ways.push('words');
        lexical = new Map(store.lexical(words, pool, filter).map(({ row, score }) => [row, score]));
        rankers.push({ weight: withVectors === null ? 1 : 1 - alpha, scores: lexical, absent: 0 });
      }
      let dense: Awaited<ReturnType<typeof byVector>> | null = null;
      if (withVectors !== null) {
        ways.push('vectors');
        const { index, query } = withVectors;
        dense = await byVector(index, query, pool, store.rowsOf(filter), [...lexical.keys()]);
        rankers.push({ weight: by === 'vectors' ? 1 : alpha, scores: dense.scores, absent: null });
      }
      // One way alone is not weighed against anything: its own scores say more.
      const fused = rankers.length === 1 ? new Map(rankers[0]!.scores) : fuse(rankers);
      const candidates = rankedChunks(fused, limit * (diversity > 0 ? CHOICE : 1), dropDuplicates);
      const chosen =
        diversity > 0
          ? chooseDiverse(
              candidates.map((each) => ({ ...each, vector: dense?.vectors.get(each.chunk.row) ?? null })),
              limit,
              diversity,
            )
          : candidates.slice(0, limit);
      const ranks = { words: ranksOf(lexical, pool), vector: ranksOf(dense?.scores ?? new Map(), pool) };
      return {
        by: ways,
        words,
        degraded: meaning !== null && 'degraded' in meaning ? (meaning.degraded ?? null) : null,
        hits: chosen.map(
          ({ chunk, score, duplicates }): Hit => ({
            ...{ chunk, score, duplicates },
            words: evidence(chunk.row, lexical, ranks.words),
            vector: evidence(chunk.row, dense?.scores, ranks.vector),
            neighbours: neighbours > 0 ? store.neighbours(chunk.row, neighbours) : [],
          }),
        ),
      };
    },
    [Symbol.asyncDispose]: () => following[Symbol.asyncDispose](),
  };

  interface Candidate {
    readonly chunk: StoredChunk;
    readonly score: number;
    readonly duplicates: string[];
  }

  /** The best as chunks, until there are enough that differ. */
  function rankedChunks(fused: ReadonlyMap<number, number>, count: number, drop: boolean): Candidate[] {
    const order = [...fused].sort(([rowA, a], [rowB, b]) => b - a || rowA - rowB);
    const found: Candidate[] = [];
    const prints: Print[] = [];
    const STEP = 64;
    for (let at = 0; at < order.length && found.length < count; at += STEP) {
      let end = Math.min(order.length, at + STEP);
      // Equal scores are put in the order of ids together: rows say only when a chunk came.
      while (end < order.length && order[end]![1] === order[end - 1]![1]) end++;
      const part = order.slice(at, end);
      at = end - STEP;
      const chunks = store.chunks(part.map(([row]) => row));
      const scored = part.flatMap(([, score], i) => {
        const chunk = chunks[i];
        return chunk === null || chunk === undefined ? [] : [{ chunk, score }];
      });
      scored.sort(
        (a, b) =>
          b.score - a.score || compareText(a.chunk.id, b.chunk.id) || compareText(a.chunk.path, b.chunk.path),
      );
      for (const { chunk, score } of scored) {
        if (found.length >= count) break;
        const print = drop && found.length < MOST_COMPARED ? printOf(chunk.text) : null;
        const same = print === null ? -1 : prints.findIndex((other) => sayTheSame(other, print));
        if (same >= 0) {
          found[same]!.duplicates.push(chunk.id);
          continue;
        }
        found.push({ chunk, score, duplicates: [] });
        if (print !== null) prints.push(print);
      }
    }
    return found;
  }
}

function checked(options: SearchOptions) {
  const number = (name: keyof SearchOptions, standard: number, least: number, most: number): number => {
    const value = options[name] ?? standard;
    if (typeof value !== 'number' || !(value >= least && value <= most))
      throw new InputError(
        'search_invalid',
        `${name} is ${String(value)}: it must be a number from ${least} to ${most}.`,
        {
          param: name,
        },
      );
    return value;
  };
  return {
    limit: Math.floor(number('limit', 10, 1, MOST_HITS)),
    alpha: number('alpha', ALPHA, 0, 1),
    diversity: number('diversity', 0, 0, 1),
    neighbours: Math.floor(number('neighbours', 0, 0, MOST_NEIGHBOURS)),
    by: options.by ?? 'both',
    dropDuplicates: options.dropDuplicates ?? true,
    filter: options.filter,
    signal: options.signal,
  };
}

/** Beyond the pool others may lie between. */
function ranksOf(scores: ReadonlyMap<number, number>, pool: number): ReadonlyMap<number, number> {
  const sorted = [...scores].sort(([rowA, a], [rowB, b]) => b - a || rowA - rowB).slice(0, pool);
  return new Map(sorted.map(([row], i) => [row, i + 1]));
}

function evidence(
  row: number,
  scores: ReadonlyMap<number, number> | undefined,
  ranks: ReadonlyMap<number, number>,
): Evidence | null {
  const score = scores?.get(row);
  return score === undefined ? null : { score, rank: ranks.get(row) ?? null };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
