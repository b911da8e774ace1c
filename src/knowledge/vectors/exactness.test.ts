import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom } from '../../base/index.ts';
import { product, writeHalves } from './halves.ts';
import { coarseOffset, fineOffset, HALF_PIECE, PIECE, strideOf } from './layout.ts';
import { type Quantized, quantizeQuery } from './quantize.ts';
import { createVectorIndex } from './vector-index.ts';
import { nthLargest } from './walk.ts';

type Row = Quantized & { readonly row: number };

/** Rows as hostile as they come: what coarse bytes leave out may be all there is, or lie along the query. */
const SETS = {
  random: (_, random) => random() * 254 - 127,
  clustered: (at, random, row) => 90 * Math.sin((row % 7) * 31 + at) + 20 * (random() - 0.5),
  duplicated: (at, _, row) => 120 * Math.sin((row % 3) + 5 * at),
  zero: () => 0,
  saturated: (_, random) => (random() < 0.5 ? -127 : 127),
  small: (_, random) => random() * 15,
  hidden: (_, random, row, query) => 16 * Math.round(random() * (row % 5)) + (query > 0 ? 15 : 0),
  opposed: (_, random, row, query) => 16 * Math.round(random() * (row % 5)) + (query > 0 ? 0 : 15),
  equal: (at) => (at % 2 === 0 ? 100 : -77),
} as const satisfies Record<string, (at: number, random: () => number, row: number, query: number) => number>;
type SetName = keyof typeof SETS;

/** The best by plain arithmetic over all. */
function plainly(rows: readonly Row[], query: Float32Array, limit: number) {
  const { i8, scale } = quantizeQuery(query);
  return rows
    .map((each) => {
      let sum = 0;
      for (let i = 0; i < i8.length; i++) sum += each.i8[i]! * i8[i]!;
      return { row: each.row, score: Math.fround(Math.fround(sum) * Math.fround(each.scale)) };
    })
    .toSorted((a, b) => b.score - a.score || a.row - b.row)
    .slice(0, limit)
    .map(({ row, score }) => ({ row, score: score * scale }));
}

test('what is found is what plain arithmetic over all rows finds, whatever the rows, the filter and the gaps', async () => {
  const names = Object.keys(SETS) as SetName[];
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        dimension: fc.constantFrom(1, 31, 32, 33, 64, 100),
        sets: fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }),
        count: fc.integer({ min: 1, max: 1200 }),
        limit: fc.constantFrom(1, 3, 10, 40),
        seed: fc.nat(1000),
        scales: fc.constantFrom('one', 'some', 'far apart'),
        every: fc.constantFrom(1, 2, 50),
        struck: fc.array(fc.nat(1200), { maxLength: 20 }),
        question: fc.constantFrom('random', 'ones', 'zero', 'one component'),
      }),
      async ({ dimension, sets, count, limit, seed, scales, every, struck, question }) => {
        const source = createSeededRandom(seed);
        const random = (): number => source.float();
        const query = Float32Array.from({ length: dimension }, (_, i) => {
          if (question === 'random') return random() - 0.5;
          return question === 'ones' || (question === 'one component' && i === 0) ? 1 : 0;
        });
        const rows = Array.from({ length: count }, (_, row): Row => {
          const name = sets[row % sets.length]!;
          const i8 = Int8Array.from({ length: dimension }, (_, at) =>
            Math.max(-127, Math.min(127, Math.round(SETS[name](at, random, row, query[at]!)))),
          );
          const scale = scales === 'one' ? 1 : scales === 'some' ? random() : 10 ** (40 * random() - 30);
          return { row: row + 1, i8, scale };
        });
        const gone = new Set(struck);
        const left = rows.filter(({ row }) => !gone.has(row));
        const wanted = left.filter(({ row }) => row % every === 0);
        for (const kind of ['relaxed', 'baseline', 'scalar'] as const) {
          await using index = createVectorIndex({ dimension, kind, threads: 0 });
          for (const row of rows) index.put(row);
          for (const row of gone) index.remove(row);
          assert.deepEqual(await index.nearest(query, { limit }), plainly(left, query, limit), kind);
          const only = Uint32Array.from(wanted, ({ row }) => row);
          const found = await index.nearest(query, { limit, rows: only });
          assert.deepEqual(found, plainly(wanted, query, limit), `${kind}, filtered`);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('rows are found whose lower halves lie along the question, where the bound leaves nothing to spare', async () => {
  const dimension = 64;
  const random = createSeededRandom(3);
  /** All sums are 14 × 64, and lower halves lie anyhow. */
  const others = Array.from({ length: 2000 }, (_, row): Row => {
    const i8 = new Int8Array(dimension);
    for (let i = 0; i < dimension; i += 2) {
      const apart = random.uint32() % 15;
      i8[i] = 14 + apart;
      i8[i + 1] = 14 - apart;
    }
    return { row: row + 1, i8, scale: 1 };
  });
  const hidden = [2100, 2200].map((row): Row => ({ row, i8: new Int8Array(dimension).fill(15), scale: 1 }));
  const query = new Float32Array(dimension).fill(1);
  for (const kind of ['relaxed', 'baseline', 'scalar'] as const) {
    await using index = createVectorIndex({ dimension, kind, threads: 0 });
    for (const row of [...others, ...hidden]) index.put(row);
    const found = await index.nearest(query, { limit: 5 });
    assert.deepEqual(found, plainly([...others, ...hidden], query, 5), kind);
    assert.deepEqual(
      found.map(({ row }) => row),
      [2100, 2200, 1, 2, 3],
    );
  }
});

test('halves give a row back, and what coarse bytes leave out is no more than they say', () => {
  const component = fc.oneof(
    fc.integer({ min: -128, max: 127 }),
    fc.constantFrom(-128, -127, -16, -1, 0, 15, 127),
  );
  const queried = fc.oneof(fc.integer({ min: -63, max: 63 }), fc.constantFrom(-63, 63));
  fc.assert(
    fc.property(fc.array(fc.tuple(component, queried), { minLength: 1, maxLength: 200 }), (pairs) => {
      const row = Int8Array.from(pairs, ([value]) => value);
      const stride = strideOf(row.length);
      const bytes = new Int8Array(fineOffset(64, stride));
      const [coarse, fine] = [coarseOffset(5, stride), fineOffset(5, stride)];
      const { sum, rest } = writeHalves(row, bytes, coarse, fine);
      const query = Int16Array.from({ length: stride }, (_, i) => pairs[i]?.[1] ?? 0);
      let exact = 0;
      for (let i = 0; i < row.length; i++) {
        exact += row[i]! * query[i]!;
        const unit = new Int16Array(stride).fill(1, i, i + 1);
        assert.equal(product(bytes, coarse, fine, unit), row[i]);
      }
      assert.equal(product(bytes, coarse, fine, query), exact);
      let rough = 0;
      let square = 0;
      let total = 0;
      for (let i = 0; i < stride; i++) {
        const byte = bytes[coarse + Math.floor(i / PIECE) * 128 + (i % HALF_PIECE)]!;
        const isFirst = i % PIECE < HALF_PIECE;
        rough += query[i]! * (isFirst ? byte : 16 * (byte & 15) - 120);
        square += query[i]! ** 2;
        if (isFirst) total += byte;
      }
      assert.equal(sum, total);
      assert.ok(Math.abs(exact - rough) <= Math.sqrt(square) * rest, `${exact} and ${rough}`);
    }),
  );
});

test('the n-th largest is that of a sort', () => {
  const number = fc.oneof(fc.constantFrom(Number.NEGATIVE_INFINITY, -1, 0, 1), fc.float({ noNaN: true }));
  fc.assert(
    fc.property(fc.array(number, { minLength: 1, maxLength: 60 }), fc.nat(), (numbers, seed) => {
      const all = Float32Array.from(numbers);
      const n = (seed % all.length) + 1;
      const expected = all.toSorted().at(-n)!;
      // Zero is found for minus zero, and the other way round.
      assert.ok(nthLargest(all, n) === expected);
    }),
  );
});
