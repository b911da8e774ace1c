import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CarriedPart } from '../../engine/index.ts';
import type { Step } from '../wire/messages.ts';
import { GROUP_ROWS, ReplayGroup } from './replay-group.ts';

const WIDTH = 3;
const stepOf = (
  n: number,
  start: number,
  count = 1,
  changes: Partial<CarriedPart> = {},
  replay = true,
): Step => ({
  n,
  replay,
  parts: [
    {
      start,
      count,
      after: start - 1 + 10,
      cells: Int32Array.from({ length: count }, (_, i) => start + i + 10),
      outputs: 'last',
      ...changes,
    },
  ],
  hidden: new Float32Array(count * WIDTH).fill(n),
});

test('single rows that continue each other become one part, whose rows are computed as if alone', () => {
  const group = new ReplayGroup();
  for (let n = 1; n <= 5; n++) assert.equal(group.add(stepOf(n, 20 + n)), true);
  assert.equal(group.add(stepOf(6, 26, 3, { outputs: 'each' })), true);
  const joined = group.take()!;
  assert.deepEqual(joined.parts, [
    {
      start: 21,
      count: 8,
      after: 30,
      cells: Int32Array.from({ length: 8 }, (_, i) => 31 + i),
      outputs: 'each',
    },
  ]);
  assert.deepEqual(
    [...joined.hidden].filter((_, i) => i % WIDTH === 0),
    [1, 2, 3, 4, 5, 6, 6, 6],
  );
  assert.equal(joined.steps.length, 6);
  assert.equal(group.take(), null);
});

test('what keeps its shape, continues something else, or comes for the first time is not joined', () => {
  const group = new ReplayGroup();
  assert.equal(group.add(stepOf(1, 0, 2)), false);
  assert.equal(group.add(stepOf(1, 0, 1, {}, false)), false);
  assert.equal(group.add({ ...stepOf(1, 5), parts: [...stepOf(1, 5).parts, ...stepOf(1, 9).parts] }), false);
  assert.equal(group.add(stepOf(1, 5)), true);
  assert.equal(group.add(stepOf(2, 7)), false);
  assert.equal(group.add(stepOf(2, 6, 1, { after: 3 })), false);
  assert.equal(group.take()!.parts[0]!.count, 1);
});

test('a group has no more rows than one pass', () => {
  const group = new ReplayGroup();
  for (let n = 0; n < GROUP_ROWS; n++) assert.equal(group.add(stepOf(n + 1, n)), true);
  assert.equal(group.add(stepOf(GROUP_ROWS + 1, GROUP_ROWS)), false);
  assert.equal(group.take()!.parts[0]!.count, GROUP_ROWS);
});
