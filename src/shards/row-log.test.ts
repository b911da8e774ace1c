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
      [3, [[2, [2]]]],
      [4, [[0, [8]]]],
    ],
  );
  assert.deepEqual(steps[0]!.hidden, rowsOf(1, 3).subarray(0, 2 * WIDTH));
  assert.deepEqual(steps[1]!.hidden, rowsOf(3, 1));
});

test('no step that comes back continues a row that does not', () => {
  const cells = 24;
  // Answers that begin anew, go on, or branch off one another, over cells that are taken from those that ended.
  const moves = fc.array(fc.tuple(fc.nat(5), fc.boolean(), fc.integer({ min: 1, max: 5 })), {
    maxLength: 80,
  });
  fc.assert(
    fc.property(moves, (list) => {
      using log = new RowLog({ cells, width: WIDTH });
      const lines: number[][] = [];
      for (const [index, [which, anew, wanted]] of list.entries()) {
        const line = anew || lines.length === 0 ? [] : [...lines[which % lines.length]!];
        const taken = new Set(lines.flat());
        const free = Array.from({ length: cells }, (_, cell) => cell).filter((cell) => !taken.has(cell));
        const fresh = free.slice(0, wanted);
        if (fresh.length < wanted) lines.splice(which % lines.length, 1);
        if (fresh.length === 0) continue;
        log.record({
          n: index + 1,
          replay: false,
          parts: [part(line.length, line.at(-1) ?? -1, fresh)],
          hidden: rowsOf(index, fresh.length),
        });
        lines.push([...line, ...fresh]);
      }
      const held = new Map<number, number>();
      for (const { parts } of log.steps())
        for (const { start, after, cells } of parts) {
          if (start > 0) assert.equal(held.get(after), start - 1);
          for (const [i, cell] of cells.entries()) held.set(cell, start + i);
        }
      // What an answer under way has, comes back as a whole.
      for (const line of lines) for (const [i, cell] of line.entries()) assert.equal(held.get(cell), i);
    }),
    { numRuns: 200 },
  );
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
