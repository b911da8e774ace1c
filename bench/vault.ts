/**
 * `npm run bench:vault`: the modes of the vault over vectors of real text (`--data DIR`: a folder with judged sets), or over clustered
 * ones where there are none. The same rows as `kith vpk bench`, which measures clustered vectors.
 *
 * `--vectors N`, `--queries N`, `--eves 2,4`, `--rtt 0,25,92`.
 *
 * @module bench/vault
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { BenchRow } from '../src/node/index.ts';
import { benchOver } from '../src/node/vault-bench/bench.ts';
import { benchVectors } from '../src/node/vault-bench/vectors.ts';
import { table } from './lib/stats.ts';

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: join(import.meta.dirname, '..', '..', 'shared', 'data') },
    vectors: { type: 'string', default: '40000' },
    queries: { type: 'string', default: '200' },
    eves: { type: 'string', default: '2' },
    rtt: { type: 'string', default: '0' },
  },
});
const [count, queries] = [Number(values.vectors), Number(values.queries)];

async function dataOf() {
  if (!existsSync(values.data)) return null;
  const { realVectors } = await import('./knowledge/real-vectors.ts');
  const { openMiniLm } = await import('./knowledge/embedder.ts');
  let engine: Awaited<ReturnType<typeof openMiniLm>> | null = null;
  const made = await realVectors(values.data, count, async () => {
    engine ??= await openMiniLm(2);
    return engine;
  });
  await (engine as AsyncDisposable | null)?.[Symbol.asyncDispose]();
  return made;
}

const real = await dataOf();
const data =
  real === null
    ? benchVectors(count, queries, 384)
    : { ...real, queries: real.queries.filter((_, i) => i % Math.ceil(real.queries.length / queries) === 0) };
console.log(
  `${data.rows.length} vectors of ${data.dimension} numbers of ${real === null ? 'clusters' : 'real text'}, ${data.queries.length} questions`,
);
const rows: BenchRow[] = [];
const list = (text: string) => text.split(',').map(Number);
await benchOver(data, {
  ...{ eves: list(values.eves), rtts: list(values.rtt), signal: new AbortController().signal },
  onRow: (row) => void rows.push(row),
});
const ms = (value: number | null) => (value === null ? '' : value.toFixed(2));
console.log(
  table(
    [
      'mode',
      'Eves',
      'RTT ms',
      'upload s',
      'p50 ms',
      'p95 ms',
      'recall',
      'kB up',
      'kB down',
      'Eve ms',
      'Bob ms',
    ],
    rows.map(({ mode, eves, rttMs, uploadMs, p50, p95, recall, up, down, eveMs, bobMs }) => [
      ...[
        mode === 'perturbed' ? 'perturbed (weak)' : mode,
        String(eves),
        String(rttMs),
        uploadMs === null ? '' : (uploadMs / 1000).toFixed(2),
      ],
      ...[ms(p50), ms(p95), recall.toFixed(4), up === null ? '' : (up / 1000).toFixed(1)],
      ...[down === null ? '' : (down / 1000).toFixed(1), ms(eveMs), ms(bobMs)],
    ]),
  ),
);
