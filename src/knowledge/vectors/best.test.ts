import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { Best } from './best.ts';

test('the best are those of a sort, whatever order they came in', () => {
  const entry = fc.tuple(fc.nat(50), fc.constantFrom(-1, 0, 0.5, 1, 2));
  fc.assert(
    fc.property(
      fc.uniqueArray(entry, { selector: ([number]) => number }),
      fc.integer({ min: 1, max: 9 }),
      (all, k) => {
        const best = new Best(k);
        for (const [number, score] of all) best.take(number, score);
        const sorted = all.toSorted(([a, x], [b, y]) => y - x || a - b).slice(0, k);
        assert.deepEqual(
          [...best.numbers()],
          sorted.map(([number]) => number),
        );
        assert.deepEqual(
          [...best.scores()],
          sorted.map(([, score]) => score),
        );
        assert.equal(best.threshold, sorted.length < k ? Number.NEGATIVE_INFINITY : sorted.at(-1)![1]);
      },
    ),
  );
});
