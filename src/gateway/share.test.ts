import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shareLooks } from './share.ts';

/** Looks that end when they are told to. */
function held() {
  const ends: { resolve: (value: number) => void; reject: (error: Error) => void }[] = [];
  const look = shareLooks(() => new Promise<number>((resolve, reject) => ends.push({ resolve, reject })));
  return { ends, look };
}
/** Lets everything that waits for settled promises run. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('a crowd that comes during a look shares the next one, which begins after it', async () => {
  const { ends, look } = held();
  const first = look();
  const crowd = [look(), look(), look()];
  await settle();
  assert.equal(ends.length, 1);
  ends[0]!.resolve(1);
  assert.equal(await first, 1);
  await settle();
  assert.equal(ends.length, 2);
  const late = look();
  ends[1]!.resolve(2);
  assert.deepEqual(await Promise.all(crowd), [2, 2, 2]);
  await settle();
  ends[2]!.resolve(3);
  assert.equal(await late, 3);
});

test('a look that fails fails those who share it, and the next one is made', async () => {
  const { ends, look } = held();
  const first = look();
  const second = look();
  ends[0]!.reject(new Error('gone'));
  await assert.rejects(first, /gone/);
  await settle();
  ends[1]!.resolve(2);
  assert.equal(await second, 2);
  const third = look();
  ends[2]!.resolve(3);
  assert.equal(await third, 3);
});
