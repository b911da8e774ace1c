import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { constantRows, GGML, interleavedRows, weightType } from './plan.ts';

test('reordered rows follow the rule of the rotation, whatever span is read', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 3 }),
      fc.nat(),
      fc.nat(),
      async (heads, half, columns, a, b) => {
        const size = 2 * half;
        const rows = heads * size;
        const values = Float32Array.from({ length: rows * columns }, (_, i) => i);
        const expected = new Float32Array(values.length);
        for (let h = 0; h < heads; h++) {
          for (let p = 0; p < 2; p++) {
            for (let k = 0; k < half; k++) {
              for (let c = 0; c < columns; c++) {
                const to = h * size + 2 * k + p;
                const from = h * size + p * half + k;
                expected[to * columns + c] = values[from * columns + c] as number;
              }
            }
          }
        }
        const from = a % rows;
        const count = 1 + (b % (rows - from));
        const read = interleavedRows(constantRows(values, columns), size, columns);
        assert.deepEqual(await read(from, count), expected.slice(from * columns, (from + count) * columns));
      },
    ),
    { numRuns: 500 },
  );
});

test('a row that is not whole blocks stays F16', () => {
  assert.equal(weightType('Q8_0', 64), GGML.Q8_0);
  assert.equal(weightType('Q4_0', 64), GGML.Q4_0);
  assert.equal(weightType('Q4_0', 72), GGML.F16);
  assert.equal(weightType('F16', 64), GGML.F16);
});
