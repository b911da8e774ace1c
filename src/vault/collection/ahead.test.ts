import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inOrder } from './ahead.ts';

test('results come in order whatever ends first, and never are more under way than asked for', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.integer({ min: 0, max: 12 }),
      fc.integer({ min: 1, max: 4 }),
      async (s, count, atOnce) => {
        let underWay = 0;
        let most = 0;
        const got: number[] = [];
        const reading = (async () => {
          for await (const [item, result] of inOrder(Array(count).keys(), atOnce, async (n) => {
            most = Math.max(most, ++underWay);
            await s.schedule(Promise.resolve());
            underWay -= 1;
            return n * 2;
          })) {
            assert.equal(result, item * 2);
            got.push(item);
          }
        })();
        await s.waitFor(reading);
        assert.deepEqual(got, [...Array(count).keys()]);
        assert.ok(most <= atOnce);
      },
    ),
    { numRuns: 60 },
  );
});

test('who stops reading, or meets a failure, ends the rest and waits for its end', async () => {
  for (const fails of [false, true]) {
    let ended = 0;
    const read = async () => {
      for await (const [item] of inOrder([0, 1, 2, 3], 3, async (n, signal) => {
        if (n === 0) return;
        if (n === 1 && fails) throw new Error('it is lost');
        await new Promise<void>((resolve) =>
          signal.addEventListener('abort', () => resolve(), { once: true }),
        );
        ended += 1;
      }))
        if (item === 0 && !fails) break;
    };
    if (fails) await assert.rejects(read(), /it is lost/);
    else await read();
    assert.equal(ended, fails ? 2 : 3);
  }
});
