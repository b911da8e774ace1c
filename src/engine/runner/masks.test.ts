import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { fillMask } from './masks.ts';
import type { ForwardPart } from './types.ts';

const SEES = 0;
const HIDDEN = 0xfc00;

const part = (cells: number[], start: number): ForwardPart => ({
  cells: Int32Array.from(cells),
  start,
  count: cells.length - start,
  tokens: null,
  hidden: null,
  outputs: 'none',
});

test('each row sees exactly the cells of its own sequence up to itself, within the window', () => {
  const sequence = fc
    .uniqueArray(fc.integer({ min: 0, max: 63 }), { minLength: 1, maxLength: 20 })
    .chain((cells) => fc.integer({ min: 0, max: cells.length - 1 }).map((start) => part(cells, start)));
  fc.assert(
    fc.property(
      fc.array(sequence, { minLength: 1, maxLength: 5 }),
      fc.option(fc.integer({ min: 1, max: 12 })),
      (parts, window) => {
        const rows = parts.reduce((sum, { count }) => sum + count, 0);
        const mask = new Uint16Array(rows * 64).fill(0x1234);
        fillMask(mask, 64, parts, window);
        let row = 0;
        for (const { cells, start, count } of parts) {
          for (let i = 0; i < count; i++, row++) {
            const p = start + i;
            const seen = new Set<number>();
            for (let q = 0; q <= p; q++) if (window === null || p - q < window) seen.add(cells[q]!);
            for (let cell = 0; cell < 64; cell++) {
              assert.equal(mask[row * 64 + cell], seen.has(cell) ? SEES : HIDDEN, `row ${row}, cell ${cell}`);
            }
          }
        }
      },
    ),
  );
});
