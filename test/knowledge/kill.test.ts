import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '../../src/base/index.ts';
import { killRuns } from './killing.ts';

test('a run that is killed loses nothing that it acknowledged, and the next one finishes it', async () => {
  const { killed, acknowledged } = await killRuns(2, 16, createSeededRandom(11));
  assert.equal(killed, 2);
  assert.ok(acknowledged > 0);
});
