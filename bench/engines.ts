/**
 * `npm run bench:engines`: vectors in an engine of the owner's: putting them there, the index, searches and what they find of the true
 * best, with a filter and without, against a scan of all exact vectors here.
 *
 * Without `--url` PGlite with pgvector behind a socket of this process: PostgreSQL as WebAssembly, on one core, slower than PostgreSQL.
 *
 * `--vectors N`, `--queries N`, `--dimensions N`, `--url postgres://... or http://...`.
 *
 * @module bench/engines
 */
import { parseArgs } from 'node:util';
import { createSeededRandom, toHex } from '../src/base/index.ts';
import { benchVectors } from '../src/node/vault-bench/vectors.ts';
import {
  engineAddress,
  engineSealer,
  type OwnPoint,
  openVectorEngine,
  syncEngine,
} from '../src/vault/index.ts';
import { startPostgres } from '../test/engines/postgres.ts';
import { table } from './lib/stats.ts';

const K = 10;

const { values } = parseArgs({
  options: {
    vectors: { type: 'string', default: '10000' },
    queries: { type: 'string', default: '200' },
    dimensions: { type: 'string', default: '384' },
    url: { type: 'string' },
  },
});
const { rows, queries, dimension } = benchVectors(
  Number(values.vectors),
  Number(values.queries),
  Number(values.dimensions),
);
const random = createSeededRandom(1);
const sealer = engineSealer({ derive: (_, length) => new Uint8Array(length) }, toHex(random.bytes(8)));
const text = random.bytes(700);

async function* points(): AsyncGenerator<OwnPoint> {
  for (const [i, vector] of rows.entries()) {
    const id = i + 1;
    const digest = sealer.digest(id, [new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)]);
    yield { id, digest, make: () => ({ id, digest, vector, payload: sealer.seal(id, text, random) }) };
  }
}

const dot = (a: Float32Array, b: Float32Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};
const bestOf = (query: Float32Array, ids: Iterable<number>): Set<number> =>
  new Set(
    [...ids]
      .map((id) => ({ id, score: dot(rows[id - 1]!, query) }))
      .sort((a, b) => b.score - a.score || a.id - b.id)
      .slice(0, K)
      .map(({ id }) => id),
  );
const all = rows.map((_, i) => i + 1);
const few = all.filter((id) => id % 100 === 0);
const half = all.filter((id) => id % 2 === 0);
const took = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await work();
  return performance.now() - began;
};

await using server = values.url === undefined ? await startPostgres() : null;
await using engine = await openVectorEngine({
  address: engineAddress(values.url ?? server!.url),
  ...{ collection: sealer.collection, dimension, callMs: 600_000 },
});
const upload = await took(() => syncEngine({ engine, points: points() }));
const index = await took(() => engine.index());
const again = await took(() => syncEngine({ engine, points: points() }));
console.log(
  `${engine.about}${server === null ? '' : ' (PGlite)'}: ${rows.length} clustered vectors of ${dimension} numbers\n` +
    `put ${(upload / 1000).toFixed(1)} s, index ${(index / 1000).toFixed(1)} s, a sync of what is there ${(again / 1000).toFixed(1)} s`,
);

const ways = [
  { name: 'index', asked: {}, within: all },
  { name: 'index, 200 hits', asked: { k: 200 }, within: all },
  { name: 'every vector', asked: { exact: true }, within: all },
  { name: 'filter, 1 %', asked: { only: few }, within: few },
  { name: 'filter, half', asked: { only: half }, within: half },
] as const;
const lines: string[][] = [];
for (const { name, asked, within } of ways) {
  const times: number[] = [];
  let hit = 0;
  const some = name === 'every vector' ? queries.slice(0, 20) : queries;
  for (const query of some) {
    let found: readonly { readonly id: number }[] = [];
    times.push(
      await took(async () => {
        found = await engine.search(query, { k: K, ...asked });
      }),
    );
    const best = bestOf(query, within);
    hit += found.filter(({ id }) => best.has(id)).length / best.size;
  }
  times.sort((a, b) => a - b);
  const at = (share: number): string => times[Math.floor((times.length - 1) * share)]!.toFixed(2);
  lines.push([name, String(some.length), at(0.5), at(0.95), (hit / some.length).toFixed(4)]);
}
console.log(table(['search', 'questions', 'p50 ms', 'p95 ms', 'recall@10'], lines));
await engine.drop();
