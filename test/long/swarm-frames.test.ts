import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '../../src/base/index.ts';
import { fuzzFrames } from '../../src/swarm/testing/frames.ts';

test('a million damaged frames are refused or read, and nothing else happens', () => {
  const seed = Number(process.env.KITH_TEST_SEED ?? Date.now() % 2 ** 31);
  const { taken, refused } = fuzzFrames(1_000_000, createSeededRandom(seed));
  assert.ok(taken > 100_000, `seed ${seed}: ${taken} were taken`);
  assert.ok(refused > 100_000, `seed ${seed}: ${refused} were refused`);
});
