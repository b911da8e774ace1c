/**
 * A sealed knowledge base that another machine searches: the index is read by the first question, and of each question what it is about.
 * The machine asks with an empty store of what was read, once for each length of the way.
 *
 * @module node/vault-bench/lazy
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLogger, systemClock, systemRandom, toHex } from '../../base/index.ts';
import { openKnowledgeStore } from '../../knowledge/index.ts';
import { createCollection, type KeptReads, type VaultRoot } from '../../vault/index.ts';
import { objectsOf } from '../knowledge/vault-parts.ts';
import { sealedObjects } from '../knowledge/vault-sealed.ts';
import { openReadCache } from '../knowledge/vault-sealed-cache.ts';
import { openSealedIndex } from '../knowledge/vault-sealed-search.ts';
import type { BenchEves, Measure } from './bench.ts';
import { type BenchOptionsRow, FEW_QUERIES } from './types.ts';
import type { BenchVectors } from './vectors.ts';

export interface LazyBench {
  readonly data: BenchVectors;
  readonly root: VaultRoot;
  readonly eves: BenchEves;
  readonly rtts: readonly number[];
  /** For the knowledge base, and what was read. */
  readonly folder: string;
  readonly textOf: (at: number) => string;
  readonly signal: AbortSignal;
}

const K = 10;
const PER_DOCUMENT = 10;
const TOGETHER = 130;

export async function lazy(bench: LazyBench, measure: Measure, onRow: BenchOptionsRow): Promise<void> {
  const { data, root, eves, rtts, folder, signal } = bench;
  await mkdir(folder, { recursive: true });
  using store = filled(bench, join(folder, 'kb.sqlite'));
  const collectionOf = (cache: KeptReads | null) =>
    createCollection({
      ...{ id: 'bench', root, eves: eves.placed, replicas: Math.min(2, eves.placed.length) },
      ...{ random: systemRandom, clock: systemClock, log: silentLogger, hedgeMs: 10_000 },
      ...{ reached: 0, onReached: () => {} },
      ...(cache === null ? {} : { cache }),
    });
  eves.slow(0);
  const began = performance.now();
  {
    const collection = collectionOf(null);
    await using objects = await objectsOf(store, systemRandom, signal);
    const { source, info } = await sealedObjects({
      ...{ objects, collection, embedder: store.embedder, signal, told: () => {} },
    });
    await collection.sync(source, { info, signal });
  }
  const uploadMs = performance.now() - began;
  const queries = Math.min(FEW_QUERIES, data.queries.length);
  for (const [number, rttMs] of rtts.entries()) {
    eves.slow(rttMs);
    eves.taken();
    // Of the way before nothing is at hand.
    using cache = openReadCache(join(folder, `read-${number}.sqlite`));
    const collection = collectionOf(cache.of('bench'));
    const from = performance.now();
    const manifest = await collection.open(signal);
    await using index = await openSealedIndex(collection, manifest, systemClock, signal);
    let bob = 0;
    const search = async (query: Float32Array) => {
      const start = performance.now();
      const { hits, rows, texts } = await index.search(query, { k: K, signal }, collection);
      bob += performance.now() - start - rows - texts;
      const { up, down } = eves.taken();
      return { found: hits.map(({ text }) => Number(/\d+/.exec(text)?.[0] ?? -1)), up, down };
    };
    const { down } = await search(data.queries[0]!);
    const first = { ms: performance.now() - from, down };
    const figures = await measure(search, queries);
    onRow({
      ...{ mode: 'sealed, read lazily', eves: eves.placed.length, rttMs, uploadMs },
      ...{ ...figures, eveMs: null, bobMs: bob / (queries + 2), first },
    });
  }
}

function filled({ data: { rows, dimension }, textOf }: LazyBench, path: string) {
  const store = openKnowledgeStore({
    path,
    create: { name: 'bench', clock: systemClock },
    embedder: { id: 'bench', hash: 'b'.repeat(64), dimension },
  });
  const put = (at: number): void => {
    const own = rows.slice(at, at + PER_DOCUMENT);
    const vectors = new Float32Array(own.length * dimension);
    for (const [i, row] of own.entries()) vectors.set(row, i * dimension);
    store.put(
      {
        ...{ path: `${at}.txt`, title: `${at}`, titled: false, type: 'txt', hash: systemRandom.bytes(32) },
        ...{ recipe: 'bench', bytes: 1, modified: 0, pages: null, properties: {}, tags: [], aliases: [] },
        ...{ links: [], notes: [] },
      },
      own.map((_, i) => ({
        ...{ id: toHex(systemRandom.bytes(16)), position: i, title: `${at}`, text: textOf(at + i) },
        ...{ tokens: 3, place: { line: i + 1 } },
      })),
      vectors,
      [],
    );
  };
  for (let at = 0; at < rows.length; at += TOGETHER)
    store.atOnce(() => {
      for (let own = at; own < Math.min(at + TOGETHER, rows.length); own += PER_DOCUMENT) put(own);
    });
  return store;
}
