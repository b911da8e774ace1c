/**
 * The row of `split`.
 *
 * @module node/vault-bench/split
 */
import { systemClock, systemRandom } from '../../base/index.ts';
import { buildSplit, createSplitSearcher } from '../../vault/index.ts';
import { building, measureSearched } from './searched.ts';
import type { Measure, OnRow, OverEves } from './types.ts';

export async function split(over: OverEves, measure: Measure, onRow: OnRow): Promise<void> {
  const { eves } = over;
  const { source, keys, target } = building(over);
  const began = performance.now();
  const index = await buildSplit(source, target);
  const uploadMs = performance.now() - began;
  const colour = (which: number) => eves.placed.filter((_, i) => i % 2 === which);
  const searcher = createSplitSearcher({
    ...{ keys, index, colours: { first: colour(0), second: colour(1) } },
    ...{ random: systemRandom, clock: systemClock, hedgeMs: 10_000 },
  });
  const share = systemRandom.bytes(288);
  const blocks = index.scores.map(({ id }) => id);
  const compute = (asked: readonly string[]) => eves.placed[0]!.tenant.score(asked, share);
  await measureSearched(over, { mode: 'split', uploadMs, searcher, blocks, compute }, measure, onRow);
}
