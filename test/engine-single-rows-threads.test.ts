/** Two threads add up attention over many cells in another order for one row than for several. */
import { test } from 'node:test';
import { testModel } from './models/index.ts';
import { assertEach, withRunner } from './single-rows-support.ts';

test('with two threads and many cells, rows have the bits of single rows', async () => {
  const path = await testModel('stories15m-f16');
  await withRunner(path, 2, async (runner) => {
    await assertEach(runner, 530, [4]);
  });
});
