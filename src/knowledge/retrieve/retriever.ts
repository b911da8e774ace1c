/**
 * From a question to the chunks that answer it: by its words, by its meaning, and by both. The same store and question give the
 * same hits in the same order.
 *
 * @module knowledge/retrieve/retriever
 */
import { InputError, isKithError, messageOf } from '../../base/index.ts';
import { asksForAll, namedIn, ownRows, routeOf, themesOf } from '../graph/index.ts';
import type { StoredChunk } from '../store/index.ts';
import { dot, followVectors } from '../vectors/index.ts';
import { byGraph, type Graphed, marginOf } from './by-graph.ts';
import { byThemes, type Themed } from './by-themes.ts';
import { chooseDiverse } from './diverse.ts';
import { type Print, printOf, sayTheSame } from './duplicates.ts';
import { fuse, type Ranker } from './fuse.ts';
import { checked } from './options.ts';
import type { Evidence, Found, Hit, Retriever, RetrieverOptions, SearchOptions } from './types.ts';
import { wordsOf } from './words.ts';

export type * from './types.ts';

/** So many of the best of each way are weighed against each other. */
const POOL = 200;
/** How much the hits of a question for an overview differ from each other. */
const WIDE = 0.5;
/** Chunks among which diversity chooses, for each hit wanted. */
const CHOICE = 4;
/** Each hit is compared with the ones before it: beyond so many, copies stay. */
const MOST_COMPARED = 200;

export function createRetriever(options: RetrieverOptions): Retriever {
  const { store, embedder, graph = null } = options;
  const following = followVectors(store, options.vectors);

  /** The question's vector, or why there is none. */
  async function vectorOf(question: string, { elsewhere, signal }: SearchOptions) {
    // Where another knows what is nearest the index here is only made when that one fails.
    const isEmpty = async () => elsewhere === undefined && ((await following.current())?.size ?? 0) === 0;
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
      if (await isEmpty()) return degraded('no_vectors', 'the knowledge base has no vectors yet');
      const query = await embedder.embed([question], {
        kind: 'query',
        ...(signal === undefined ? {} : { signal }),
      });
      // Again: much may have changed while the model worked.
      return (await isEmpty())
        ? degraded('no_vectors', 'the knowledge base has no vectors any more')
        : { query };
    } catch (error) {
      signal?.throwIfAborted();
      return degraded(isKithError(error) ? error.code : 'embedder_failed', messageOf(error));
    }
  }

  /** Exact scores of the nearest, and of others that are asked about. */
  async function byVector(
    query: Float32Array,
    pool: number,
    rows: Uint32Array | null,
    others: Iterable<number>,
    { elsewhere, signal }: SearchOptions,
  ) {
    const near =
      (await elsewhere?.(query, { limit: pool, rows, signal })) ??
      (await (await following.current())?.nearest(query, { limit: pool, rows })) ??
      [];
    const scores = new Map<number, number>();
    const vectors = new Map<number, Float32Array>();
    const add = (asked: Iterable<number>): void => {
      const list = [...new Set(asked)].filter((row) => !scores.has(row));
      following.exact(list).forEach((vector, i) => {
        if (vector === null) return;
        vectors.set(list[i]!, vector);
        scores.set(list[i]!, dot(vector, query));
      });
    };
    add([...near.map(({ row }) => row), ...others]);
    return { scores, vectors, add };
  }

  return {
    async warm() {
      if (embedder !== null) await following.current();
      await graph?.current();
    },
    async search(question, given = {}) {
      const seen = given.within ?? store;
      const { limit, alpha, by, neighbours, dropDuplicates, filter, signal, ...rest } = checked(
        given.within === undefined ? given : withoutGraph(given),
        graph !== null,
      );
      const net = by === 'graph' || by === 'auto' ? await graph!.current() : null;
      signal?.throwIfAborted();
      const meaning = by === 'words' ? null : await vectorOf(question, given);
      signal?.throwIfAborted();
      const withVectors = meaning !== null && 'query' in meaning ? meaning : null;
      const pool = Math.max(POOL, 2 * limit);
      const ways: Found['by'][number][] = [];
      const rankers: Ranker[] = [];
      const words = by === 'vectors' && withVectors !== null ? [] : wordsOf(question);
      const named = net === null ? [] : namedIn(net, question);
      const allowed = net === null && withVectors === null ? null : seen.rowsOf(filter);
      const kept = net === null || allowed === null ? null : new Set(allowed);
      const own = net === null ? [] : ownRows(net, named).filter((row) => kept?.has(row) ?? true);
      let lexical = new Map<number, number>();
      if (by !== 'vectors' || withVectors === null) {
        ways.push('words');
        lexical = new Map(seen.lexical(words, pool, filter).map(({ row, score }) => [row, score]));
        rankers.push({ weight: withVectors === null ? 1 : 1 - alpha, scores: lexical, absent: 0 });
      }
      let dense: Awaited<ReturnType<typeof byVector>> | null = null;
      if (withVectors !== null) {
        ways.push('vectors');
        const { query } = withVectors;
        dense = await byVector(query, pool, allowed, lexical.keys(), given);
        signal?.throwIfAborted();
        rankers.push({ weight: by === 'vectors' ? 1 : alpha, scores: dense.scores, absent: null });
      }
      // One way alone is not weighed against anything: its own scores say more.
      const fused = rankers.length === 1 ? new Map(rankers[0]!.scores) : fuse(rankers);
      let route =
        by === 'graph'
          ? { taken: 'graph' as const, why: 'it was asked for' }
          : net === null
            ? null
            : routeOf(question, named, marginOf(fused));
      const ranks = { words: ranksOf(lexical, pool), vector: ranksOf(dense?.scores ?? new Map(), pool) };
      let graphed: Graphed | null = null;
      let themed: Themed | null = null;
      if (net !== null && route !== null && route.taken !== 'hybrid') {
        ways.push('graph');
        dense?.add(own);
        const candidates = { words: lexical, vectors: dense?.scores ?? new Map<number, number>(), own };
        graphed = byGraph(net, candidates, {
          isWide: route.taken === 'global',
          keeps: (row) => kept?.has(row) ?? true,
          also: (rows) => dense?.add(rows),
        });
        if (route.taken === 'global' && asksForAll(question)) {
          themed = byThemes(await themesOf(net.network), {
            ...{ limit, keeps: (row) => kept?.has(row) ?? true },
            cosinesOf(rows) {
              dense?.add(rows);
              return dense?.scores ?? new Map();
            },
          });
          signal?.throwIfAborted();
          if (themed !== null) route = { ...route, why: themed.why };
        }
      }
      const diversity = rest.diversity ?? (route?.taken === 'global' && themed === null ? WIDE : 0);
      const candidates = rankedChunks(
        themed === null ? (graphed?.scores ?? fused) : before(themed.scores, graphed?.scores ?? fused),
        limit * (diversity > 0 ? CHOICE : 1),
        dropDuplicates,
      );
      const chosen =
        diversity > 0
          ? chooseDiverse(
              candidates.map((each) => ({ ...each, vector: dense?.vectors.get(each.chunk.row) ?? null })),
              limit,
              diversity,
            )
          : candidates.slice(0, limit);
      return {
        by: ways,
        ...{ words, route },
        degraded: meaning !== null && 'degraded' in meaning ? (meaning.degraded ?? null) : null,
        hits: chosen.map(
          ({ chunk, score, duplicates }): Hit => ({
            ...{ chunk, score, duplicates },
            words: evidence(chunk.row, lexical, ranks.words),
            vector: evidence(chunk.row, dense?.scores, ranks.vector),
            graph: (themed ?? graphed)?.evidenceOf(chunk.row) ?? null,
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

/** The others come behind all of the first. */
function before(
  first: ReadonlyMap<number, number>,
  others: ReadonlyMap<number, number>,
): Map<number, number> {
  const scores = new Map(first);
  const rest = [...others]
    .filter(([row]) => !first.has(row))
    .sort(([rowA, a], [rowB, b]) => b - a || rowA - rowB);
  for (const [at, [row]] of rest.entries()) scores.set(row, 1 / (first.size + at + 1));
  return scores;
}

const withoutGraph = (options: SearchOptions): SearchOptions => ({
  ...options,
  by: options.by === 'words' || options.by === 'vectors' ? options.by : 'both',
});

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
