import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '../../src/base/index.ts';
import { killRuns, killSyncs } from './killing.ts';

test('a run that is killed loses nothing that it acknowledged, and the next one finishes it', async () => {
  const { killed, acknowledged } = await killRuns(1, 12, createSeededRandom(11));
  assert.equal(killed, 1);
  assert.ok(acknowledged > 0);
});

test('a sync that is killed did what it said, and the next one makes the knowledge base equal to the folder', async () => {
  const { killed, told } = await killSyncs(2, 10, 8, createSeededRandom(5));
  assert.equal(killed, 2);
  assert.ok((told.done ?? 0) > 0, JSON.stringify(told));
});
