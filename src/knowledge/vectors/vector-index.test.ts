import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom } from '../../base/index.ts';
import { quantize } from './quantize.ts';
import { createVectorIndex, type VectorIndex, type VectorIndexOptions } from './vector-index.ts';

const DIMENSION = 48;

function vectors(count: number, dimension = DIMENSION, seed = 5): readonly Float32Array[] {
  const random = createSeededRandom(seed);
  return Array.from({ length: count }, () => {
    const vector = Float32Array.from({ length: dimension }, () => random.float() - 0.5);
    const length = Math.hypot(...vector);
    return vector.map((value) => value / length);
  });
}

function indexOf(rows: readonly Float32Array[], options: Partial<VectorIndexOptions> = {}): VectorIndex {
  const index = createVectorIndex({ dimension: rows[0]!.length, threads: 0, ...options });
  rows.forEach((vector, i) => {
    index.put({ row: i + 1, ...quantize(vector) });
  });
  return index;
}

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

test('the true ten nearest are among the forty found, and scores are close to exact ones', async () => {
  const rows = vectors(3000);
  await using index = indexOf(rows);
  for (const query of vectors(20, DIMENSION, 9)) {
    const exact = rows.map((row, i) => ({ row: i + 1, score: dot(row, query) }));
    const ten = exact.toSorted((a, b) => b.score - a.score).slice(0, 10);
    const found = new Map((await index.nearest(query, { limit: 40 })).map(({ row, score }) => [row, score]));
    for (const { row, score } of ten) {
      assert.ok(found.has(row));
      assert.ok(Math.abs(found.get(row)! - score) < 0.02);
    }
  }
});

test('every kind of scan, one slab or several, and threads give the same', async () => {
  const rows = vectors(1500);
  const [query] = vectors(1, DIMENSION, 3);
  const only = Uint32Array.from({ length: 300 }, (_, i) => 5 * i + 2);
  await using plain = indexOf(rows);
  const expected = await plain.nearest(query!, { limit: 50 });
  const filtered = await plain.nearest(query!, { limit: 50, rows: only });
  assert.ok(filtered.every(({ row }) => only.includes(row)));
  assert.equal(filtered.length, 50);
  for (const options of [
    { kind: 'relaxed' },
    { kind: 'baseline' },
    { kind: 'scalar' },
    { slabBytes: 200_000 },
    { threads: 2, threadsFrom: 0 },
    { threads: 2, threadsFrom: 0, slabBytes: 200_000 },
  ] as const) {
    await using index = indexOf(rows, options);
    const both = [index.nearest(query!, { limit: 50 }), index.nearest(query!, { limit: 50, rows: only })];
    assert.deepEqual(await Promise.all(both), [expected, filtered], JSON.stringify(options));
  }
});

test('rows of equal score come in the order of their numbers, as many as are asked for', async () => {
  const [same] = vectors(1);
  await using index = indexOf(Array.from({ length: 700 }, () => same!));
  const found = await index.nearest(same!, { limit: 100 });
  assert.deepEqual(
    found.map(({ row }) => row),
    Array.from({ length: 100 }, (_, i) => i + 1),
  );
});

test('after any puts, replacements and removals the index holds what a map holds', async () => {
  const pool = vectors(64, 16, 11).map(quantize);
  const [query] = vectors(1, 16, 12);
  const change = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        row: fc.integer({ min: 1, max: 6000 }),
        count: fc.integer({ min: 1, max: 1500 }),
        vector: fc.nat(63),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        row: fc.integer({ min: 1, max: 6000 }),
        count: fc.integer({ min: 1, max: 3000 }),
      }),
    },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 12 }), async (changes) => {
      await using index = createVectorIndex({ dimension: 16, threads: 0, slabBytes: 400_000 });
      const held = new Map<number, number>();
      for (const each of changes) {
        for (let row = each.row; row < each.row + each.count; row++) {
          if ('vector' in each) {
            const vector = (each.vector + row) % pool.length;
            index.put({ row, ...pool[vector]! });
            held.set(row, vector);
          } else {
            index.remove(row);
            held.delete(row);
          }
        }
      }
      await using fresh = createVectorIndex({ dimension: 16, threads: 0 });
      for (const [row, vector] of [...held].toSorted(([a], [b]) => a - b))
        fresh.put({ row, ...pool[vector]! });
      assert.equal(index.size, held.size);
      const all = { limit: 4096 };
      const order = (found: readonly { row: number; score: number }[]) =>
        found
          .filter(({ score }) => score > (found.at(-1)?.score ?? 0))
          .toSorted((a, b) => b.score - a.score || a.row - b.row);
      assert.deepEqual(order(await index.nearest(query!, all)), order(await fresh.nearest(query!, all)));
    }),
    { numRuns: 15 },
  );
});

test('memory is used again after removals', async () => {
  const rows = vectors(4000, 16).map(quantize);
  await using index = createVectorIndex({ dimension: 16, threads: 0 });
  rows.forEach((row, i) => {
    index.put({ row: i, ...row });
  });
  const { bytes } = index;
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < rows.length; i++) {
      index.remove(round * rows.length + i);
      index.put({ row: (round + 1) * rows.length + i, ...rows[i]! });
    }
  }
  assert.equal(index.size, rows.length);
  assert.ok(index.bytes <= bytes + (4 << 20), `${index.bytes} of ${bytes}`);
});

test('vectors of another length, and components that are no numbers, are refused', async () => {
  await using index = indexOf(vectors(3));
  const invalid = { code: 'vectors_invalid' };
  await assert.rejects(index.nearest(new Float32Array(8), { limit: 3 }), invalid);
  await assert.rejects(index.nearest(new Float32Array(DIMENSION).fill(Number.NaN), { limit: 3 }), invalid);
  assert.throws(() => index.put({ row: 9, i8: new Int8Array(3), scale: 1 }), invalid);
  assert.throws(() => createVectorIndex({ dimension: 0 }), invalid);
  assert.deepEqual(await index.nearest(new Float32Array(DIMENSION), { limit: 0 }), []);
  const nowhere = Uint32Array.of(77);
  assert.deepEqual(await index.nearest(vectors(1)[0]!, { limit: 3, rows: nowhere }), []);
});
