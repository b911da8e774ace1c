import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../test/property.ts';
import type { CarriedPart } from '../engine/index.ts';
import { RowLog } from './row-log.ts';

const WIDTH = 3;
const rowsOf = (n: number, count: number) =>
  Float32Array.from({ length: count * WIDTH }, (_, i) => n * 100 + i);
const part = (start: number, after: number, cells: readonly number[]): CarriedPart => ({
  start,
  count: cells.length,
  after,
  cells: Int32Array.from(cells),
  outputs: 'last',
});

test('steps come back in order with their shapes, without what was written again', () => {
  using log = new RowLog({ cells: 16, width: WIDTH });
  log.record({ n: 1, replay: false, parts: [part(0, -1, [0, 1, 2])], hidden: rowsOf(1, 3) });
  log.record({ n: 2, replay: false, parts: [part(3, 2, [3]), part(0, -1, [8])], hidden: rowsOf(2, 2) });
  log.record({ n: 3, replay: false, parts: [part(2, 1, [2])], hidden: rowsOf(3, 1) });
  log.record({ n: 4, replay: false, parts: [part(0, -1, [8])], hidden: rowsOf(4, 1) });
  const steps = [...log.steps()];
  assert.deepEqual(
    steps.map(({ n, parts }) => [n, parts.map(({ start, cells }) => [start, [...cells]])]),
    [
      [1, [[0, [0, 1]]]],
      [2, [[3, [3]]]],
      [3, [[2, [2]]]],
      [4, [[0, [8]]]],
    ],
  );
  assert.deepEqual(steps[0]!.hidden, rowsOf(1, 3).subarray(0, 2 * WIDTH));
  assert.deepEqual(steps[1]!.hidden, rowsOf(2, 1));
});

test('rows over the bound of memory come back from the file as they were', () => {
  const writes = fc.array(fc.tuple(fc.nat(1023), fc.integer({ min: 1, max: 4 })), { maxLength: 60 });
  fc.assert(
    fc.property(writes, (list) => {
      using small = new RowLog({ cells: 1024, width: WIDTH, memoryBytes: 2 * 64 * WIDTH * 4 });
      using large = new RowLog({ cells: 1024, width: WIDTH });
      for (const [index, [first, count]] of list.entries()) {
        const cells = Array.from({ length: count }, (_, i) => (first + i * 97) % 1024);
        const step = {
          n: index + 1,
          replay: false,
          parts: [part(0, -1, cells)],
          hidden: rowsOf(index, count),
        };
        small.record(step);
        large.record(step);
      }
      assert.ok(small.bytes <= 2 * 64 * WIDTH * 4);
      assert.deepEqual([...small.steps()], [...large.steps()]);
    }),
    { numRuns: 40 },
  );
});
