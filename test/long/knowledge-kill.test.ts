import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '../../src/base/index.ts';
import { killRuns, killSyncs } from '../knowledge/killing.ts';

const seed = Number(process.env.KITH_TEST_SEED ?? Date.now() % 100_000);

test('of runs killed twenty times at random moments everything acknowledged is whole', async (t) => {
  t.diagnostic(`KITH_TEST_SEED=${seed}`);
  const { killed, acknowledged } = await killRuns(20, 300, createSeededRandom(seed));
  t.diagnostic(`${acknowledged} documents were acknowledged before a kill`);
  assert.equal(killed, 20);
  assert.ok(acknowledged > 0);
});

test('of syncs killed twenty times at random moments everything they said is done, and the folder is what it comes to', async (t) => {
  t.diagnostic(`KITH_TEST_SEED=${seed}`);
  const { killed, told, compared } = await killSyncs(20, 150, 40, createSeededRandom(seed));
  t.diagnostic(JSON.stringify({ told, compared }));
  assert.equal(killed, 20);
  for (const what of ['done', 'renamed', 'removed']) assert.ok((told[what] ?? 0) > 0, what);
});
