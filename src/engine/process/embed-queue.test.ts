import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../../base/index.ts';
import { createEmbedQueue, type PassEmbedder } from './embed-queue.ts';

/** A row's vector is [its first token, its length]; a pass holds two rows. */
function open(limits: Partial<Parameters<typeof createEmbedQueue>[1]> = {}) {
  const clock = createManualClock();
  const passes: number[][] = [];
  let onPass: (() => void) | null = null;
  const embedder: PassEmbedder = {
    dimension: 2,
    plan: (rows) =>
      Array.from({ length: Math.ceil(rows.length / 2) }, (_, i) => ({
        indices: [2 * i, 2 * i + 1].filter((index) => index < rows.length),
      })),
    async embed(rows) {
      await null;
      passes.push(rows.map((row) => row[0]!));
      onPass?.();
      return { vectors: Float32Array.from(rows.flatMap((row) => [row[0]!, row.length])) };
    },
  };
  const queue = createEmbedQueue(
    embedder,
    { maxActive: 1, maxQueue: 2, maxWaitMs: 1000, maxRunMs: 5000, ...limits },
    clock,
  );
  const watch = (hook: (() => void) | null) => {
    onPass = hook;
  };
  return { queue, clock, passes, watch };
}

const rows = (first: number, count: number) =>
  Array.from({ length: count }, (_, i) => new Int32Array(3).fill(first + i));
const never = new AbortController().signal;

test('vectors come back in the order of the rows, whatever the passes', async () => {
  const { queue } = open();
  assert.deepEqual([...(await queue.embed(rows(10, 5), never))], [10, 3, 11, 3, 12, 3, 13, 3, 14, 3]);
  await queue.drain();
  assert.deepEqual([queue.waiting, queue.active], [0, 0]);
});

test('a small request is done before a large one that came first', async () => {
  const { queue, passes } = open();
  const order: string[] = [];
  const large = queue.embed(rows(100, 10), never).then(() => order.push('large'));
  const small = queue.embed(rows(1, 1), never).then(() => order.push('small'));
  await Promise.all([large, small]);
  assert.deepEqual(order, ['small', 'large']);
  assert.deepEqual(passes.slice(0, 3), [[100, 101], [1], [102, 103]]);
});

test('a request over the queue is refused with a time, the others are served', async () => {
  const { queue } = open();
  const served = [1, 2, 3, 4].map((n) => queue.embed(rows(n, 1), never));
  await assert.rejects(
    queue.embed(rows(9, 1), never),
    (error: { code: string; status: number; retryAfter: number }) => {
      assert.deepEqual([error.code, error.status], ['limit_reached', 429]);
      assert.ok(error.retryAfter >= 1);
      return true;
    },
  );
  assert.equal((await Promise.all(served)).length, 4);
});

test('who waits or runs too long is answered 503 with the name of the limit', async () => {
  const { queue, clock, watch } = open();
  watch(() => clock.advance(1500));
  const slow = queue.embed(rows(1, 20), never);
  const late = queue.embed(rows(50, 1), never);
  await assert.rejects(late, { limit: 'engine.maxWaitMs', status: 503 });
  await assert.rejects(slow, { limit: 'engine.maxRunMs', status: 503 });
});

test('an aborted request stops after the pass under way', async () => {
  const { queue, passes, watch } = open();
  const abort = new AbortController();
  watch(() => abort.abort());
  const goes = queue.embed(rows(1, 20), abort.signal);
  const stays = queue.embed(rows(50, 1), never);
  await assert.rejects(goes, { code: 'aborted' });
  assert.deepEqual([...(await stays)], [50, 3]);
  assert.equal(passes.length, 2);
});

test('an embedder that fails fails its own request only', async () => {
  const { queue, watch } = open();
  let failures = 0;
  watch(() => {
    if (failures++ === 0) throw new Error('broken');
  });
  const bad = queue.embed(rows(1, 1), never);
  const good = queue.embed(rows(2, 1), never);
  await assert.rejects(bad, /broken/);
  assert.deepEqual([...(await good)], [2, 3]);
});
