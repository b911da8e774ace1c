import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { CellTree, createKvCells, createSequence, type Sequence } from './index.ts';

test('the line of a growth is what the sequence itself holds, over forks, rollbacks and reuse', () => {
  const step = fc.record({
    kind: fc.constantFrom('new', 'append', 'append', 'append', 'fork', 'truncate', 'drop'),
    which: fc.nat(20),
    n: fc.integer({ min: 1, max: 9 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const pool = createKvCells(64);
      const tree = new CellTree(64);
      const sequences: Sequence[] = [];
      for (const { kind, which, n } of steps) {
        if (kind === 'new') sequences.push(createSequence(pool));
        const sequence = sequences[which % Math.max(1, sequences.length)];
        if (sequence === undefined) continue;
        if (kind === 'fork') sequences.push(sequence.fork(Math.min(n, sequence.length)));
        else if (kind === 'truncate') sequence.truncate(Math.max(0, sequence.length - n));
        else if (kind === 'drop') {
          sequence.dispose();
          sequences.splice(sequences.indexOf(sequence), 1);
        } else if (kind === 'append') {
          const start = sequence.length;
          if (!sequence.append(n)) continue;
          const { cells } = sequence;
          const after = start === 0 ? -1 : cells[start - 1]!;
          const growth = { start, count: n, after, cells: cells.slice(start, start + n) };
          assert.deepEqual([...tree.line(growth)], [...cells.subarray(0, start + n)]);
          tree.grow(growth);
        }
      }
    }),
  );
});

test('any numbers are either a line of cells that differ, or refused', () => {
  const number = fc.integer({ min: -2, max: 9 });
  const growth = fc.record({
    start: fc.integer({ min: 0, max: 9 }),
    count: fc.integer({ min: 1, max: 4 }),
    after: number,
    cells: fc.array(number, { maxLength: 4 }),
  });
  fc.assert(
    fc.property(fc.array(growth, { maxLength: 30 }), (growths) => {
      const tree = new CellTree(8);
      for (const { cells, ...rest } of growths) {
        const one = { ...rest, cells: Int32Array.from(cells) };
        let line: Int32Array;
        try {
          line = tree.line(one);
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'cells_invalid');
          continue;
        }
        assert.equal(new Set(line).size, line.length);
        for (const cell of line) assert.ok(cell >= 0 && cell < 8);
        tree.grow(one);
      }
    }),
  );
});
