/** A hundred thousand hostile requests against one server: no crash, no internal error, memory that does not grow. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom, formatBytes } from '../../src/base/index.ts';
import { fuzz } from '../security/fuzz.ts';
import { chatBody, chatPath, openServer } from '../security/support.ts';

const requests = 100_000;

test('a hundred thousand hostile requests get typed answers, and memory stays flat', async () => {
  await using node = await openServer({ limits: { bodyMs: 2_000, headersMs: 1_000 } });
  // What is allocated once is there after the first tenth.
  await fuzz(node.port, node.key, requests / 10, createSeededRandom(1));
  const before = process.memoryUsage().rss;
  const report = await fuzz(node.port, node.key, requests, createSeededRandom(2), (sent) =>
    console.log(`${sent} requests, RSS ${formatBytes(process.memoryUsage().rss)}`),
  );
  assert.deepEqual(report.faults, []);
  const after = process.memoryUsage().rss;
  console.log(
    `${[...report.statuses]
      .sort(([a], [b]) => a - b)
      .map(([status, count]) => `${status}: ${count}`)
      .join(
        ', ',
      )}; ${report.silent} closed without an answer; RSS ${formatBytes(before)} before, ${formatBytes(after)} after`,
  );
  while (node.server.active > 0) await new Promise((resolve) => setImmediate(resolve));
  const response = await fetch(node.url + chatPath, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: chatBody,
  });
  assert.equal(response.status, 200);
  assert.ok(after - before < 150_000_000, `memory grew by ${formatBytes(after - before)}`);
});
