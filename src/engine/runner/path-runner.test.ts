import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { piecesOf } from './path-runner.ts';
import type { ForwardPart } from './types.ts';

const part = fc.record({
  start: fc.nat(50),
  count: fc.integer({ min: 1, max: 40 }),
  outputs: fc.constantFrom<ForwardPart['outputs']>('none', 'last', 'all'),
});

test('the pieces of a pass are its rows in order, none above the bound, and what is wanted is wanted once', () => {
  fc.assert(
    fc.property(
      fc.array(part, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 16 }),
      (some, most) => {
        const parts = some.map(({ start, count, outputs }, index): ForwardPart => {
          const cells = Int32Array.from({ length: start + count }, (_, i) => index * 1000 + i);
          const tokens = Int32Array.from({ length: count }, (_, i) => index * 1000 + i);
          return { cells, start, count, tokens, hidden: null, outputs };
        });
        const pieces = piecesOf(parts, most);
        for (const [index, piece] of pieces.entries()) {
          const rows = piece.reduce((sum, { count }) => sum + count, 0);
          assert.ok(rows <= most && rows > 0);
          if (index < pieces.length - 1) assert.equal(rows, most);
        }
        const rowsOf = (list: readonly ForwardPart[]) =>
          list.flatMap(({ cells, start, count, tokens }) =>
            Array.from({ length: count }, (_, i) => [cells[start + i], start + i, tokens![i]]),
          );
        assert.deepEqual(rowsOf(pieces.flat()), rowsOf(parts));
        const wantedOf = (list: readonly ForwardPart[]) =>
          list.flatMap(({ cells, start, count, outputs }) =>
            Array.from({ length: count }, (_, i) => i)
              .filter((i) => outputs === 'all' || (outputs === 'last' && i === count - 1))
              .map((i) => cells[start + i]),
          );
        assert.deepEqual(wantedOf(pieces.flat()), wantedOf(parts));
      },
    ),
  );
});
