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
import { building } from './building.ts';
import { attackByPairs } from './known-pairs.ts';
import {
  FEW_QUERIES,
  K,
  type KnownPairsRow,
  type Measure,
  type OnRow,
  type OverEves,
  ROUNDS,
} from './types.ts';
import type { BenchVectors } from './vectors.ts';

/** Candidates that an Eve of the attack has, and unseen records that she is to find. */
const CANDIDATES = 5000;
const UNSEEN = 200;

export async function perturbed(over: OverEves, measure: Measure, onRow: OnRow): Promise<void> {
  const { data, eves, rtts, signal } = over;
  const { source, keys, target } = building(over);
  const began = performance.now();
  const index = await buildPerturbed(source, target);
  const uploadMs = performance.now() - began;
  const searcher = createPerturbedSearcher({
    ...{ keys, index, eves: eves.placed, clock: systemClock, hedgeMs: 10_000 },
  });
  // Blocks come into the memory of the Eves.
  await searcher.search(data.queries[0]!, K);
  const queries = Math.min(FEW_QUERIES, data.queries.length);
  const ids = index.blocks.map(({ id }) => id).slice(0, 64);
  const form = { dimension: data.dimension, rowBytes: perturbedRowBytes(data.dimension), k: 8 * K };
  for (const rttMs of rtts) {
    eves.slow(rttMs);
    let bob = 0;
    const figures = await measure(async (query) => {
      const { hits, times } = await searcher.search(query, K, signal);
      bob += times.bob;
      return { found: hits.map((hit) => hit.at), up: times.bytesUp, down: times.bytesDown };
    }, queries);
    eves.taken();
    for (let i = 0; i < ROUNDS; i++)
      await eves.placed[0]!.tenant.nearest(ids, form, data.queries[i % data.queries.length]!);
    const eveMs = (eves.taken().ms / ROUNDS) * (index.blocks.length / ids.length);
    onRow({
      ...{ mode: 'perturbed', eves: eves.placed.length, rttMs, uploadMs, ...figures, eveMs },
      bobMs: bob / (queries + 1),
    });
  }
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
