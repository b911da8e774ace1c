/**
 * The row of `sealed` for a machine that has the index of its own: texts and exact vectors are fetched when they are shown.
 *
 * @module node/vault-bench/sealed
 */
import { silentLogger, systemClock, systemRandom } from '../../base/index.ts';
import { createVectorIndex, quantise } from '../../knowledge/index.ts';
import { createCollection, digestOf, fitProjection, project } from '../../vault/index.ts';
import { FEW_QUERIES, K, type Measure, type OnRow, type OverEves, PER_DOCUMENT } from './types.ts';
import { product } from './vectors.ts';

/** Candidates of a coarse search that are computed again exactly. */
const AGAIN = 60;

/** Vectors are searched here, of a small index that is fetched once; texts are fetched when they are shown. */
export async function sealed(
  { data, root, eves, rtts, textOf, signal }: OverEves,
  measure: Measure,
  onRow: OnRow,
): Promise<void> {
  const count = eves.placed.length;
  const began = performance.now();
  const collection = createCollection({
    ...{ id: 'bench', root, eves: eves.placed, replicas: Math.min(2, count), random: systemRandom },
    ...{ clock: systemClock, log: silentLogger, hedgeMs: 10_000, reached: 0, onReached: () => {} },
  });
  const documents = Math.ceil(data.rows.length / PER_DOCUMENT);
  const read = (name: string): Uint8Array => {
    const first = Number(name.slice(2)) * PER_DOCUMENT;
    const own = data.rows.slice(first, first + PER_DOCUMENT);
    const vectors = Buffer.concat(own.map((row) => Buffer.from(row.buffer, row.byteOffset, row.byteLength)));
    return Buffer.concat([vectors, Buffer.from(own.map((_, i) => textOf(first + i)).join('\n'))]);
  };
  await collection.sync(
    {
      *list() {
        for (let i = 0; i < documents; i++) yield { name: `d/${i}`, digest: digestOf(Buffer.from(`${i}`)) };
      },
      read: async (name) => read(name),
    },
    { info: {}, signal },
  );
  const uploadMs = performance.now() - began;
  const flat = new Float32Array(Math.min(10_000, data.rows.length) * data.dimension);
  for (let i = 0; i < flat.length / data.dimension; i++) flat.set(data.rows[i]!, i * data.dimension);
  const to = Math.min(192, data.dimension);
  const projection = fitProjection(flat, data.dimension, to);
  await using index = createVectorIndex({ dimension: to, rows: data.rows.length });
  for (const [row, vector] of data.rows.entries()) {
    const small = project(projection, vector);
    const length = Math.hypot(...small);
    index.put({ row, ...quantise(small.map((value) => value / (length || 1))) });
  }
  const manifest = await collection.open();
  let bob = 0;
  const search = async (query: Float32Array) => {
    const from = performance.now();
    const small = project(projection, query);
    const length = Math.hypot(...small);
    const near = await index.nearest(
      small.map((value) => value / (length || 1)),
      { limit: AGAIN },
    );
    bob += performance.now() - from;
    // The exact vectors lie with the texts.
    const names = [...new Set(near.map(({ row }) => Math.floor(row / PER_DOCUMENT)))];
    const parts = new Map(
      await Promise.all(
        names.map(async (document) => {
          const bytes = await collection.read(manifest, `d/${document}`, signal);
          return [
            document,
            new Float32Array(
              Uint8Array.from(bytes).buffer,
              0,
              Math.min(PER_DOCUMENT, data.rows.length - document * PER_DOCUMENT) * data.dimension,
            ),
          ] as const;
        }),
      ),
    );
    const { up, down } = eves.taken();
    const scored = near
      .map(({ row }) => {
        const begin = (row % PER_DOCUMENT) * data.dimension;
        const vector = parts.get(Math.floor(row / PER_DOCUMENT))!.subarray(begin, begin + data.dimension);
        return { at: row, score: product(vector, query) };
      })
      .sort((a, b) => b.score - a.score);
    return { found: scored.slice(0, K).map(({ at: found }) => found), up, down };
  };
  const queries = Math.min(FEW_QUERIES, data.queries.length);
  for (const rttMs of rtts) {
    eves.slow(rttMs);
    eves.taken();
    bob = 0;
    const figures = await measure(search, queries);
    onRow({
      mode: 'sealed',
      eves: count,
      rttMs,
      uploadMs,
      ...figures,
      eveMs: null,
      bobMs: bob / (queries + 1),
    });
  }
}
