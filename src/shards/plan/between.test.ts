import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waysBetween } from './between.ts';

test('a way is as long as the one of its ends says who finds it longer, and is forgotten after an hour', () => {
  let now = 0;
  const ways = waysBetween(() => now);
  assert.equal(ways.between('a', 'b', [10, 10]), null);
  ways.note('a', 'b', 4);
  assert.equal(ways.between('a', 'b', [10, 10]), 4);
  assert.equal(ways.between('b', 'a', [null, null]), 4);
  ways.note('b', 'a', 7);
  assert.equal(ways.between('a', 'b', [10, 10]), 7);
  now = 30 * 60_000;
  ways.note('a', 'b', 5);
  now = 61 * 60_000;
  assert.equal(ways.between('a', 'b', [10, 10]), 5);
  now = 95 * 60_000;
  assert.equal(ways.between('a', 'b', [10, 10]), null);
});

test('two peers cannot be nearer to each other than what was measured to both allows', () => {
  const ways = waysBetween(() => 0);
  ways.note('near', 'far', 0);
  assert.equal(ways.between('near', 'far', [5, 80]), 75);
  assert.equal(ways.between('near', 'far', [null, 80]), 0);
});

test('of very many ways the oldest are forgotten', () => {
  const ways = waysBetween(() => 0);
  for (let i = 0; i < 5000; i++) ways.note('a', `${i}`, i);
  assert.equal(ways.between('a', '0', [null, null]), null);
  assert.equal(ways.between('a', '4999', [null, null]), 4999);
});
