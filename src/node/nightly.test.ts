import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock, createSeededRandom, silentLogger } from '../base/index.ts';
import { nightly, untilNight } from './nightly.ts';

const HOUR = 3_600_000;
const evening = new Date(2026, 0, 15, 20, 0).getTime();

test('the next night begins at 3 by the clock on the wall, and never now', () => {
  assert.equal(untilNight(evening), 7 * HOUR);
  const three = new Date(2026, 0, 15, 3, 0).getTime();
  assert.equal(untilNight(three - 1), 1);
  assert.equal(untilNight(three), 24 * HOUR);
});

test('the work is done once each night, and a failure is no end of it', async () => {
  const clock = createManualClock(evening);
  const hours: number[] = [];
  await using _work = nightly({
    clock,
    random: createSeededRandom(1),
    log: silentLogger,
    name: 'test',
    work: async () => {
      hours.push(new Date(clock.now()).getHours());
      throw new Error('not tonight');
    },
  });
  await clock.advance(6.9 * HOUR);
  assert.deepEqual(hours, []);
  for (let half = 0; half < 2 * 47; half++) await clock.advance(HOUR / 2);
  assert.deepEqual(hours, [3, 3]);
});

test('whoever closes it does not wait for the night, and ends work under way', async () => {
  const clock = createManualClock(evening);
  const options = { clock, random: createSeededRandom(1), log: silentLogger, name: 'test' };
  await nightly({ ...options, work: async () => assert.fail('too early') })[Symbol.asyncDispose]();
  assert.equal(clock.sleeping, 0);

  let ended = false;
  const busy = nightly({
    ...options,
    work: (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          ended = true;
          reject(signal.reason);
        });
      }),
  });
  await clock.advance(8 * HOUR);
  await busy[Symbol.asyncDispose]();
  assert.equal(ended, true);
});
