/**
 * A sealed knowledge base that another machine searches: the index is read by the first question, and of each question what it is about.
 * The machine asks with an empty store of what was read, once for each length of the way.
 *
 * @module node/vault-bench/lazy
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLogger, systemClock, systemRandom } from '../../base/index.ts';
import { createCollection, type KeptReads } from '../../vault/index.ts';
import { objectsOf } from '../knowledge/vault-parts.ts';
import { sealedObjects } from '../knowledge/vault-sealed.ts';
import { openReadCache } from '../knowledge/vault-sealed-cache.ts';
import { openSealedIndex } from '../knowledge/vault-sealed-search.ts';
import { filledKb } from './plain.ts';
import { FEW_QUERIES, K, type Measure, type OnRow, type OverEves } from './types.ts';

export interface LazyBench extends OverEves {
  /** For the knowledge base, and what was read. */
  readonly folder: string;
}

export async function lazy(
  { data, root, eves, rtts, folder, textOf, signal }: LazyBench,
  measure: Measure,
  onRow: OnRow,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  using store = filledKb(join(folder, 'kb.sqlite'), data, textOf);
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
