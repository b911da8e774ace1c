/**
 * The row of `split`.
 *
 * @module node/vault-bench/split
 */
import { systemClock, systemRandom } from '../../base/index.ts';
import { buildSplit, createSplitSearcher } from '../../vault/index.ts';
import { building } from './building.ts';
import { FEW_QUERIES, K, type Measure, type OnRow, type OverEves, ROUNDS } from './types.ts';

export async function split(over: OverEves, measure: Measure, onRow: OnRow): Promise<void> {
  const { data, eves, rtts, signal } = over;
  const count = eves.placed.length;
  const { source, keys, target } = building(over);
  const began = performance.now();
  const index = await buildSplit(source, target);
  const uploadMs = performance.now() - began;
  const colour = (which: number) => eves.placed.filter((_, i) => i % 2 === which);
  const searcher = createSplitSearcher({
    ...{ keys, index, colours: { first: colour(0), second: colour(1) } },
    ...{ random: systemRandom, clock: systemClock, hedgeMs: 10_000 },
  });
  // Blocks come into the memory of the Eves.
  await searcher.search(data.queries[0]!, K);
  const queries = Math.min(FEW_QUERIES, data.queries.length);
  const ids = index.scores.map(({ id }) => id).slice(0, 64);
  const share = systemRandom.bytes(288);
  for (const rttMs of rtts) {
    eves.slow(rttMs);
    let bob = 0;
    const figures = await measure(async (query) => {
      const { hits, times } = await searcher.search(query, K, signal);
      bob += times.bob;
      return { found: hits.map((hit) => hit.at), up: times.bytesUp, down: times.bytesDown };
    }, queries);
    eves.taken();
    for (let i = 0; i < ROUNDS; i++) await eves.placed[0]!.tenant.score(ids, share);
    const eveMs = (eves.taken().ms / ROUNDS) * (index.scores.length / ids.length);
    onRow({ mode: 'split', eves: count, rttMs, uploadMs, ...figures, eveMs, bobMs: bob / (queries + 1) });
  }
}
