import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock, createSeededRandom, silentLogger } from '../base/index.ts';
import { createAsking } from './swarm-credentials-asking.ts';

test('peers with news all the time are asked seldom, and keep nobody else from being asked', async () => {
  const clock = createManualClock();
  const ending = new AbortController();
  const asks: string[] = [];
  const asking = createAsking({
    ask: async (peer) => {
      asks.push(peer);
      if (peer.startsWith('loud')) asking.soon(peer, 0);
    },
    isLinked: () => true,
    ...{ clock, random: createSeededRandom(1), log: silentLogger, signal: ending.signal },
  });
  const running = asking.run();
  for (let n = 0; n < 20; n++) asking.soon(`loud ${n}`, 0);
  asking.soon('quiet', 1000);
  for (let second = 0; second < 120; second++) {
    await clock.advance(1000);
    // Ends of asks are told in turns of the event loop.
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
    if (second === 2) assert.equal(asks.filter((peer) => peer === 'quiet').length, 1);
  }
  const loud = asks.filter((peer) => peer === 'loud 7').length;
  assert.ok(loud >= 5 && loud <= 16, `asked ${loud} times in two minutes`);
  assert.equal(asks.filter((peer) => peer === 'quiet').length, 1);
  asking.soon('quiet', 0);
  asking.left('quiet');
  await clock.advance(3_500_000);
  assert.equal(asks.filter((peer) => peer === 'quiet').length, 1);
  ending.abort();
  await running;
});
