/**
 * Messages that nobody would send: a million into what reads them, and thousands into sessions of a shard over real
 * connections, beside a session whose rows must stay what they are.
 *
 * @module test/long/shards-fuzz
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '../../src/base/index.ts';
import { readMangled, sendMangled } from '../shards/mangled-run.ts';

const seed = Number(process.env.KITH_TEST_SEED ?? 1);

test('a million mangled messages are read or refused with a typed error', () => {
  const { read, refused } = readMangled(createSeededRandom(seed), 1_000_000);
  console.log(`${read} read, ${refused} refused (seed ${seed})`);
  assert.ok(read > 1000 && refused > 1000);
});

test('twenty thousand mangled messages to a shard change nobody else, and the shard goes on', async () => {
  const { sent, sessions } = await sendMangled(createSeededRandom(seed + 1), 20_000, 180);
  console.log(`${sent} sent in ${sessions} sessions`);
});
