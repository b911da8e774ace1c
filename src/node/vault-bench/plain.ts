/**
 * The row of a knowledge base here, and the file of one that is measured.
 *
 * @module node/vault-bench/plain
 */
import { systemClock, systemRandom, toHex } from '../../base/index.ts';
import { followVectors, type KnowledgeStore, openKnowledgeStore } from '../../knowledge/index.ts';
import { K, type Measure, type OnRow, PER_DOCUMENT } from './types.ts';
import { type BenchVectors, product } from './vectors.ts';

/** Passages whose documents are put with one wait for the disk. */
const TOGETHER = 2000;

/** One file of a knowledge base, searched here. */
export async function plain(data: BenchVectors, path: string, measure: Measure, onRow: OnRow): Promise<void> {
  const began = performance.now();
  using store = filledKb(path, data, (at) => `Passage ${at}.`);
  await using following = followVectors(store);
  const index = (await following.current())!;
  const uploadMs = performance.now() - began;
  // It answers from here on; exact vectors are on their way into memory.
  await following.settled();
  const figures = await measure(async (query) => {
    const near = await index.nearest(query, { limit: 40 });
    const list = near.map(({ row }) => row);
    const scored = following
      .exact(list)
      .map((vector, i) => ({ at: list[i]! - 1, score: product(vector!, query) }))
      .sort((a, b) => b.score - a.score);
    return { found: scored.slice(0, K).map(({ at }) => at) };
  });
  onRow({
    ...{ mode: 'plain', eves: 0, rttMs: 0, uploadMs, eveMs: null, bobMs: figures.p50 },
    ...figures,
    ...{ up: null, down: null },
  });
}

/** A knowledge base of these vectors, ten passages a document, as it is after documents were taken in. */
export function filledKb(
  path: string,
  { rows, dimension }: BenchVectors,
  textOf: (at: number) => string,
): KnowledgeStore {
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
