import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createLanes } from './lanes.ts';

test('short work overtakes long work, and at most four turns pass before long work goes on', () => {
  const lanes = createLanes<string>();
  lanes.add('long', 1_000_000);
  for (let i = 0; i < 10; i++) lanes.add(`short ${i}`, 10);
  const turns = Array.from({ length: 11 }, () => lanes.next());
  assert.equal(turns[0], 'short 0');
  assert.equal(turns.indexOf('long'), 4);
  assert.equal(lanes.next(), undefined);
});

test('work that was begun goes on before the next of its size', () => {
  const lanes = createLanes<string>();
  lanes.add('a', 600_000);
  lanes.add('b', 700_000);
  const first = lanes.next()!;
  lanes.add(first, 600_000, true);
  assert.deepEqual([lanes.next(), lanes.next()], ['a', 'b']);
});

test('everything that is added comes out once, those of a lane in order', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(1, 100_000, 5_000_000)), (sizes) => {
      const lanes = createLanes<number>();
      for (const [i, size] of sizes.entries()) lanes.add(i, size);
      assert.equal(lanes.size, sizes.length);
      const out = sizes.map(() => lanes.next()!);
      assert.deepEqual(
        out.toSorted((a, b) => a - b),
        sizes.map((_, i) => i),
      );
      for (const size of new Set(sizes)) {
        const mine = out.filter((i) => sizes[i] === size);
        assert.deepEqual(
          mine,
          mine.toSorted((a, b) => a - b),
        );
      }
    }),
  );
});
