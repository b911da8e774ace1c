import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createRowBlocks, nearBytes, nearestRows, readNearest } from './nearest.ts';

const ROW = 64;

/** Rows of vectors, and numbers behind them that say which. */
function blockOf(rows: readonly (readonly number[])[], dimension: number): Uint8Array {
  const out = Buffer.alloc(rows.length * ROW);
  for (const [row, numbers] of rows.entries()) {
    for (const [i, value] of numbers.entries()) out.writeFloatLE(value, row * ROW + i * 4);
    out.fill(row, row * ROW + dimension * 4, (row + 1) * ROW);
  }
  return out;
}

const bytesOf = (numbers: readonly number[]): Uint8Array => new Uint8Array(Float32Array.from(numbers).buffer);

const small = fc.integer({ min: -9, max: 9 });

test('the nearest rows of all blocks come in the order of their distance, with what stands behind them', () => {
  const cases = fc.integer({ min: 1, max: 9 }).chain((dimension) => {
    const vector = fc.array(small, { minLength: dimension, maxLength: dimension });
    return fc.record({
      dimension: fc.constant(dimension),
      blocks: fc.array(fc.array(vector, { maxLength: 12 }), { minLength: 1, maxLength: 4 }),
      query: vector,
      k: fc.integer({ min: 1, max: 8 }),
    });
  });
  fc.assert(
    fc.property(cases, ({ dimension, blocks, query, k }) => {
      const form = { dimension, rowBytes: ROW, k };
      const made = blocks.map((rows) => blockOf(rows, dimension));
      const names = made.map((_, i) => `${i}`);
      const answer = nearestRows(createRowBlocks(300), names, form, bytesOf(query), (name) => made[+name]!);
      const want = blocks
        .flatMap((rows, block) =>
          rows.map((numbers, row) => ({
            ...{ block, row },
            distance: numbers.reduce((sum, value, i) => sum + (value - query[i]!) ** 2, 0),
          })),
        )
        .sort((a, b) => a.distance - b.distance || a.block - b.block || a.row - b.row)
        .slice(0, k);
      const got = readNearest(answer, blocks.length, form, 1 << 20);
      assert.deepEqual(
        got?.map(({ block, row, distance }) => ({ block, row, distance })),
        want,
      );
      for (const { row, rest } of got ?? [])
        assert.deepEqual([...rest], new Array(ROW - dimension * 4).fill(row));
    }),
  );
});

test('rows and questions that are no numbers are near nothing', () => {
  const block = blockOf([[Number.NaN], [3], [Number.POSITIVE_INFINITY], [1]], 1);
  const form = { dimension: 1, rowBytes: ROW, k: 4 };
  const ask = (value: number) =>
    readNearest(
      nearestRows(createRowBlocks(1e6), ['b'], form, bytesOf([value]), () => block),
      1,
      form,
      block.length,
    )?.map(({ row }) => row);
  assert.deepEqual(ask(0), [3, 1]);
  assert.deepEqual(ask(Number.NaN), []);
  assert.deepEqual(ask(Number.NEGATIVE_INFINITY), []);
});

test('a block that is no rows of that length is refused, and the memory holds no more than was said', () => {
  const form = { dimension: 1, rowBytes: ROW, k: 1 };
  const memory = createRowBlocks(2 * ROW);
  const loads: string[] = [];
  const ask = (...names: string[]) =>
    nearestRows(memory, names, form, bytesOf([0]), (name) => {
      loads.push(name);
      return name === 'odd' ? new Uint8Array(ROW + 4) : blockOf([[1]], 1);
    });
  ask('a', 'b', 'a', 'c', 'a', 'b');
  assert.deepEqual(loads, ['a', 'b', 'c', 'b']);
  memory.forget('a');
  ask('a');
  assert.equal(loads.at(-1), 'a');
  assert.throws(() => ask('odd'), { code: 'storage_form' });
});

test('whatever an Eve answers is read within its form or not at all', () => {
  const form = { dimension: 2, rowBytes: ROW, k: 3 };
  const each = nearBytes(form);
  const row = (block: number, at: number, distance: number) => {
    const out = Buffer.alloc(each);
    out.writeUInt32LE(block, 0);
    out.writeUInt32LE(at, 4);
    out.writeFloatLE(distance, 8);
    return out;
  };
  const read = (...rows: Uint8Array[]) => readNearest(Buffer.concat(rows), 2, form, 4 * ROW);
  assert.equal(read(row(0, 3, 1), row(1, 3, 1))?.length, 2);
  for (const bad of [
    [row(2, 0, 1)],
    [row(0, 4, 1)],
    [row(0, 0, Number.NaN)],
    [row(0, 0, Number.POSITIVE_INFINITY)],
    [row(0, 0, -1)],
    [row(0, 0, 2), row(0, 1, 1)],
    [row(0, 0, 1), row(0, 0, 1)],
    [row(0, 0, 1), row(0, 1, 1), row(0, 2, 1), row(0, 3, 1)],
    [row(0, 0, 1).subarray(1)],
  ])
    assert.equal(read(...bad), null);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: each * 4 }), fc.boolean(), (bytes, whole) => {
      const cut = whole ? bytes.subarray(0, bytes.length - (bytes.length % each)) : bytes;
      for (const one of readNearest(cut, 2, form, 4 * ROW) ?? [])
        assert.ok(one.block < 2 && one.row < 4 && one.rest.length === each - 12);
    }),
  );
});
