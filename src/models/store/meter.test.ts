import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../../base/index.ts';
import type { Progress } from '../types.ts';
import { createMeter } from './meter.ts';

test('rate and time left come from the last seconds, not from what was there before', async () => {
  const clock = createManualClock();
  const seen: Progress[] = [];
  const meter = createMeter(clock, (progress) => seen.push(progress));
  meter.start('download', 10_000, 4_000);
  assert.deepEqual(seen.at(-1), {
    phase: 'download',
    doneBytes: 4_000,
    totalBytes: 10_000,
    rate: null,
    eta: null,
  });
  for (let second = 1; second <= 3; second += 1) {
    await clock.advance(1000);
    meter.at(4_000 + second * 1_000);
  }
  assert.deepEqual([seen.at(-1)?.rate, seen.at(-1)?.eta], [1_000, 3]);
  // Ten quiet seconds: the old speed has left the window.
  for (let second = 0; second < 10; second += 1) {
    await clock.advance(1000);
    meter.at(7_000);
  }
  assert.deepEqual([seen.at(-1)?.rate, seen.at(-1)?.eta], [0, null]);
});

test('many small steps are reported ten times a second at most, and the end always', async () => {
  const clock = createManualClock();
  let reports = 0;
  let last = 0;
  const meter = createMeter(clock, ({ doneBytes }) => {
    reports += 1;
    last = doneBytes;
  });
  meter.start('verify', null);
  for (let i = 1; i <= 1000; i += 1) {
    await clock.advance(1);
    meter.at(i);
  }
  meter.flush();
  assert.ok(reports <= 12, String(reports));
  assert.equal(last, 1000);
});
