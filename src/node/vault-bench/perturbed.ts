/**
 * The row of `perturbed`, and how far known pairs get against it.
 *
 * @module node/vault-bench/perturbed
 */
import { systemClock } from '../../base/index.ts';
import {
  buildPerturbed,
  createPerturbedSearcher,
  createPerturber,
  perturbedRowBytes,
  type VaultRoot,
} from '../../vault/index.ts';
import { attackByPairs } from './known-pairs.ts';
import { building, measureSearched } from './searched.ts';
import { K, type KnownPairsRow, type Measure, type OnRow, type OverEves } from './types.ts';
import type { BenchVectors } from './vectors.ts';

/** Candidates that an Eve of the attack has, and unseen records that she is to find. */
const CANDIDATES = 5000;
const UNSEEN = 200;

export async function perturbed(over: OverEves, measure: Measure, onRow: OnRow): Promise<void> {
  const { data, eves } = over;
  const { source, keys, target } = building(over);
  const began = performance.now();
  const index = await buildPerturbed(source, target);
  const uploadMs = performance.now() - began;
  const searcher = createPerturbedSearcher({
    ...{ keys, index, eves: eves.placed, clock: systemClock, hedgeMs: 10_000 },
  });
  const form = { dimension: data.dimension, rowBytes: perturbedRowBytes(data.dimension), k: 8 * K };
  const blocks = index.blocks.map(({ id }) => id);
  const compute = (asked: readonly string[], n: number) =>
    eves.placed[0]!.tenant.nearest(asked, form, data.queries[n % data.queries.length]!);
  await measureSearched(over, { mode: 'perturbed', uploadMs, searcher, blocks, compute }, measure, onRow);
}

/** What an Eve finds out who knows so many pairs: none, 50 and 400. */
export function knownPairs({ rows, dimension }: BenchVectors, root: VaultRoot): KnownPairsRow[] {
  const { perturb } = createPerturber(root.keysOf('bench', 1).key('perturb'), dimension);
  const plain = rows.slice(0, CANDIDATES);
  const unseen = Math.min(UNSEEN, plain.length >> 1);
  const stored = plain.map(perturb);
  return [0, 50, 400]
    .filter((known) => known + unseen <= plain.length)
    .map((known) => ({
      known,
      candidates: plain.length,
      ...attackByPairs({ plain, stored }, { known, unseen }),
    }));
}
