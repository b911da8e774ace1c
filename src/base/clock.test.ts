import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock, systemClock } from './clock.ts';

test('the manual clock wakes sleepers in the order of their due time, chained sleeps included', async () => {
  const clock = createManualClock(1000);
  const woken: string[] = [];
  const late = clock.sleep(30).then(() => woken.push(`late ${clock.now()}`));
  const chain = clock
    .sleep(10)
    .then(() => clock.sleep(10))
    .then(() => woken.push(`chain ${clock.now()}`));
  const beyond = clock.sleep(100);
  await clock.advance(50);
  await Promise.all([late, chain]);
  assert.deepEqual(woken, ['chain 1020', 'late 1030']);
  assert.equal(clock.now(), 1050);
  assert.equal(clock.monotonic(), 50);
  assert.equal(clock.sleeping, 1);
  await clock.advance(50);
  await beyond;
  assert.equal(clock.sleeping, 0);
});

for (const [name, clock] of [
  ['system', systemClock],
  ['manual', createManualClock()],
] as const) {
  test(`a sleep of the ${name} clock ends at once when its signal fires`, async () => {
    const controller = new AbortController();
    const sleep = clock.sleep(86_400_000, controller.signal);
    controller.abort(new Error('enough'));
    await assert.rejects(sleep, { code: 'aborted' });
    await assert.rejects(clock.sleep(1, AbortSignal.abort()), { code: 'aborted' });
  });
}

test('the system clock sleeps and its monotonic side does not go back', async () => {
  const before = systemClock.monotonic();
  await systemClock.sleep(1);
  assert.ok(systemClock.monotonic() >= before);
  assert.ok(systemClock.now() > 1_700_000_000_000);
});
