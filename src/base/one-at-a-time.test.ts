import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oneAtATime } from './one-at-a-time.ts';

test('work runs in the order in which it was given, never two at once, and a failure holds up nobody', async () => {
  const give = oneAtATime();
  const seen: string[] = [];
  const gates = [0, 1, 2].map(() => Promise.withResolvers<void>());
  const work = gates.map(({ promise }, i) =>
    give(async () => {
      seen.push(`begin ${i}`);
      await promise;
      seen.push(`end ${i}`);
      if (i === 1) throw new Error('the second fails');
      return i;
    }),
  );
  for (const { resolve } of gates.toReversed()) resolve();
  assert.equal(await work[0], 0);
  await assert.rejects(work[1]!, /the second fails/);
  assert.equal(await work[2], 2);
  assert.deepEqual(
    seen,
    [0, 1, 2].flatMap((i) => [`begin ${i}`, `end ${i}`]),
  );
});
