/**
 * What the modes share whose blocks Eves search: how the blocks are made and put at every Eve, and how searches are measured.
 *
 * @module node/vault-bench/searched
 */
import { systemRandom } from '../../base/index.ts';
import type { CollectionKeys, SplitSource } from '../../vault/index.ts';
import { type BenchRow, FEW_QUERIES, K, type Measure, type OnRow, type OverEves, ROUNDS } from './types.ts';

export function building({ data, root, eves, textOf, signal }: OverEves) {
  const source: SplitSource = {
    ...{ count: data.rows.length, dimension: data.dimension },
    *items() {
      for (const [i, vector] of data.rows.entries()) yield { vector, text: Buffer.from(textOf(i)) };
    },
  };
  const keys: CollectionKeys = root.keysOf('bench', 1);
  return {
    ...{ source, keys },
    target: {
      ...{ keys, random: systemRandom, signal },
      async put(_id: string, block: Uint8Array): Promise<void> {
        for (const { tenant } of eves.placed) await tenant.put(block);
      },
    },
  };
}

export interface SearchedMode {
  readonly mode: BenchRow['mode'];
  readonly uploadMs: number;
  readonly searcher: {
    search(
      query: Float32Array,
      k: number,
      signal: AbortSignal,
    ): Promise<{
      readonly hits: readonly { readonly at: number }[];
      readonly times: { readonly bob: number; readonly bytesUp: number; readonly bytesDown: number };
    }>;
  };
  /** Blocks of all vectors, by name. */
  readonly blocks: readonly string[];
  /** Asks the first Eve for her arithmetic over these, for the nth time. */
  compute(blocks: readonly string[], n: number): Promise<unknown>;
}

/** A row for each wait. */
export async function measureSearched(
  { data, eves, rtts, signal }: OverEves,
  { mode, uploadMs, searcher, blocks, compute }: SearchedMode,
  measure: Measure,
  onRow: OnRow,
): Promise<void> {
  // Blocks come into the memory of the Eves.
  await searcher.search(data.queries[0]!, K, signal);
  const queries = Math.min(FEW_QUERIES, data.queries.length);
  const asked = blocks.slice(0, 64);
  for (const rttMs of rtts) {
    eves.slow(rttMs);
    let bob = 0;
    const figures = await measure(async (query) => {
      const { hits, times } = await searcher.search(query, K, signal);
      bob += times.bob;
      return { found: hits.map((hit) => hit.at), up: times.bytesUp, down: times.bytesDown };
    }, queries);
    eves.taken();
    for (let n = 0; n < ROUNDS; n++) await compute(asked, n);
    const eveMs = (eves.taken().ms / ROUNDS) * (blocks.length / asked.length);
    onRow({
      ...{ mode, eves: eves.placed.length, rttMs, uploadMs, ...figures, eveMs },
      bobMs: bob / (queries + 1),
    });
  }
}
