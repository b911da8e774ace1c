import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../test/property.ts';
import { checkDimensions, cutVectors } from './cut.ts';

test('cut vectors are the first numbers of each row, with length 1', () => {
  const vectors = Float32Array.of(3, 4, 12, 0, 0, 1);
  const cut = cutVectors(vectors, 3, 2);
  assert.deepEqual(
    [...cut].map((value) => Math.round(value * 1e6) / 1e6),
    [0.6, 0.8, 0, 0],
  );
  assert.equal(cutVectors(vectors, 3, 3), vectors);
});

test('every row that is not zero has length 1 and keeps its direction', () => {
  const shape = fc.record({ from: fc.integer({ min: 2, max: 8 }), rows: fc.integer({ min: 1, max: 4 }) });
  const value = fc.float({ noNaN: true, min: Math.fround(-1), max: 1 });
  fc.assert(
    fc.property(
      shape.chain(({ from, rows }) =>
        fc.record({
          from: fc.constant(from),
          to: fc.integer({ min: 1, max: from - 1 }),
          values: fc.array(value, { minLength: from * rows, maxLength: from * rows }),
        }),
      ),
      ({ from, to, values }) => {
        const cut = cutVectors(Float32Array.from(values), from, to);
        for (let row = 0; row * to < cut.length; row++) {
          const before = values.slice(row * from, row * from + to);
          const after = [...cut.subarray(row * to, (row + 1) * to)];
          const length = Math.hypot(...before);
          if (length < 1e-18) continue;
          assert.ok(Math.abs(Math.hypot(...after) - 1) < 1e-5);
          for (const [i, each] of after.entries()) assert.ok(Math.abs(each - before[i]! / length) < 1e-5);
        }
      },
    ),
  );
});

test('only models trained for it are cut, within what they were trained for', () => {
  const whole = { id: 'm', embedding: 384 };
  checkDimensions(whole, 384);
  assert.throws(() => checkDimensions(whole, 256), /384 numbers and was not trained to be cut/);
  const trained = { ...whole, matryoshka: 64 };
  for (const dimensions of [64, 100, 383, 384]) checkDimensions(trained, dimensions);
  for (const dimensions of [1, 63, 385]) {
    assert.throws(() => checkDimensions(trained, dimensions), {
      code: 'invalid_value',
      param: 'dimensions',
      message: "dimensions: vectors of 'm' have 64 to 384 numbers.",
    });
  }
});
