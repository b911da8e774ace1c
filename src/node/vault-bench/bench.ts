/**
 * `kith vpk bench`: the same vectors kept plainly here, sealed at Eves, split over Eves of two operators, and perturbed; with waits put
 * before each answer as long as ways over the Internet take. Eves and Bob share this process: what each computes adds up in the
 * times, which two machines would do at once.
 *
 * @module node/vault-bench/bench
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSeededRandom, throwIfAborted } from '../../base/index.ts';
import { rootOf } from '../../vault/index.ts';
import { evesOf } from './eves.ts';
import { lazy } from './lazy.ts';
import { knownPairs, perturbed } from './perturbed.ts';
import { plain } from './plain.ts';
import { sealed } from './sealed.ts';
import { split } from './split.ts';
import { K, type KnownPairsRow, type OnRow } from './types.ts';
import { type BenchVectors, benchVectors, exactly } from './vectors.ts';

export interface BenchOptions {
  readonly vectors: number;
  readonly dimension: number;
  readonly queries: number;
  readonly eves: readonly number[];
  readonly rtts: readonly number[];
  readonly signal: AbortSignal;
  readonly onRow: OnRow;
}

/** `split` takes Eves of two operators. */
const MODES = [sealed, lazy, split, perturbed] as const;
const textOf = (at: number): string => `Passage ${at}. ${'It says what such passages say. '.repeat(12)}`;

interface Figures {
  readonly times: number[];
  hits: number;
  up: number;
  down: number;
}

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;

export const vaultBench = ({
  vectors,
  dimension,
  queries,
  ...options
}: BenchOptions): Promise<readonly KnownPairsRow[]> =>
  benchOver(benchVectors(vectors, queries, dimension), options);

/** Over any vectors. Resolves with how far known pairs get against `perturbed`. */
export async function benchOver(
  data: BenchVectors,
  { eves, rtts, signal, onRow }: Omit<BenchOptions, 'vectors' | 'dimension' | 'queries'>,
): Promise<readonly KnownPairsRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'kith-vault-bench-'));
  const truth = data.queries.map((query) => exactly(data.rows, query, K));
  const random = createSeededRandom(1);
  const root = rootOf(random.bytes(32));

  async function measure(
    search: (query: Float32Array) => Promise<{ found: readonly number[]; up?: number; down?: number }>,
    queries = data.queries.length,
  ) {
    const figures: Figures = { times: [], hits: 0, up: 0, down: 0 };
    // The first search brings what is kept afterwards.
    await search(data.queries[0]!);
    for (let i = 0; i < queries; i++) {
      throwIfAborted(signal);
      const began = performance.now();
      const { found, up = 0, down = 0 } = await search(data.queries[i]!);
      figures.times.push(performance.now() - began);
      figures.hits += found.filter((at) => truth[i]!.has(at)).length;
      figures.up += up;
      figures.down += down;
    }
    const sorted = figures.times.toSorted((a, b) => a - b);
    return {
      ...{ p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), recall: figures.hits / (K * queries) },
      ...{ up: Math.round(figures.up / queries), down: Math.round(figures.down / queries) },
    };
  }

  try {
    await plain(data, join(folder, 'plain.sqlite'), measure, onRow);
    for (const count of eves)
      for (const mode of MODES) {
        throwIfAborted(signal);
        if (mode === split && count < 2) continue;
        const place = join(folder, `${count}`);
        {
          using own = await evesOf({ data, root, count, folder: join(place, 'eves') });
          const over = { data, root, eves: own, rtts, folder: join(place, 'kb'), textOf, signal };
          await mode(over, measure, onRow);
        }
        await rm(place, { recursive: true, force: true });
      }
    return knownPairs(data, root);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
