import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../test/property.ts';
import { merge } from './merge.ts';

async function* from<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

test('every item of every source arrives once, in the order of its source', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(fc.integer()), { maxLength: 5 }), async (lists) => {
      const seen: number[][] = lists.map(() => []);
      for await (const [index, item] of merge(lists.map(from), () => {})) seen[index]!.push(item);
      assert.deepEqual(seen, lists);
    }),
  );
});

test('a failing source ends the others after they were told to stop', async () => {
  const controller = new AbortController();
  let ended = false;
  async function* patient(): AsyncGenerator<number> {
    try {
      yield 1;
      await new Promise((resolve) => controller.signal.addEventListener('abort', resolve));
    } finally {
      ended = true;
    }
  }
  async function* failing(): AsyncGenerator<number> {
    yield 2;
    throw new Error('lost');
  }
  const run = async () => {
    for await (const _ of merge([patient(), failing()], () => controller.abort())) void _;
  };
  await assert.rejects(run, /lost/);
  assert.equal(ended, true);
});

test('a reader that leaves ends every source', async () => {
  const ended: number[] = [];
  async function* endless(id: number): AsyncGenerator<number> {
    try {
      for (;;) yield id;
    } finally {
      ended.push(id);
    }
  }
  for await (const _ of merge([endless(0), endless(1)], () => {})) break;
  assert.deepEqual(ended.sort(), [0, 1]);
});
