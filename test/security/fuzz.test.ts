/** A few thousand hostile requests; test/long/security-fuzz.test.ts sends a hundred thousand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '../../src/base/index.ts';
import { fuzz } from './fuzz.ts';
import { chatBody, chatPath, openServer } from './support.ts';

test('thousands of hostile requests get typed answers, and the node goes on', async () => {
  await using node = await openServer({ limits: { bodyMs: 2_000, headersMs: 1_000 } });
  const report = await fuzz(node.port, node.key, 2_500, createSeededRandom(20));
  assert.deepEqual(report.faults, []);
  const seen = (status: number) => report.statuses.get(status) ?? 0;
  // Both sides of the door are reached.
  assert.ok(seen(200) > 200, `only ${seen(200)} were answered`);
  assert.ok(seen(400) > 200, `only ${seen(400)} were refused`);
  while (node.server.active > 0) await new Promise((resolve) => setTimeout(resolve, 2));
  const response = await fetch(node.url + chatPath, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: chatBody,
  });
  assert.equal(response.status, 200);
});
