import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { RankWindow } from './rank-window.ts';

test('a rank is the share of the newest scores below, equal ones half', () => {
  const score = fc.oneof(fc.integer({ min: 0, max: 6 }), fc.double({ noNaN: true }));
  fc.assert(
    fc.property(
      fc.array(score, { maxLength: 60 }),
      score,
      fc.integer({ min: 1, max: 20 }),
      (scores, asked, capacity) => {
        const window = new RankWindow(scores, capacity);
        const newest = scores.slice(-capacity);
        const below = newest.filter((value) => value < asked).length;
        const equal = newest.filter((value) => value === asked).length;
        assert.equal(
          window.rank(asked),
          newest.length === 0 ? 0.5 : (below + (below + equal)) / (2 * newest.length),
        );
        assert.deepEqual([...window.scores()], newest);
        assert.equal(window.size, newest.length);
      },
    ),
  );
});

test('no number is no score', () => {
  const window = new RankWindow([1, Number.NaN, 2]);
  assert.deepEqual([...window.scores()], [1, 2]);
});
