import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBreaker } from './breaker.ts';

function setup() {
  let now = 0;
  const breaker = createBreaker(3, 100, () => now);
  const pass = (ms: number) => {
    now += ms;
  };
  const fail = () => breaker.enter()!('failure');
  return { breaker, fail, pass };
}

test('a node rests after failures in a row, then one request tries it', () => {
  const { breaker, fail, pass } = setup();
  fail();
  fail();
  breaker.enter()!('success');
  fail();
  fail();
  assert.equal(breaker.state(), 'closed');
  fail();
  assert.deepEqual([breaker.state(), breaker.restMs(), breaker.enter()], ['open', 100, null]);
  pass(100);
  assert.equal(breaker.state(), 'half_open');
  const probe = breaker.enter()!;
  assert.equal(breaker.enter(), null);
  probe('failure');
  assert.equal(breaker.state(), 'open');
  pass(100);
  breaker.enter()!('success');
  assert.equal(breaker.state(), 'closed');
});

test('who leaves says nothing about the node, and lets another one try', () => {
  const { breaker, fail, pass } = setup();
  for (let i = 0; i < 9; i++) breaker.enter()!('neither');
  assert.equal(breaker.state(), 'closed');
  for (let i = 0; i < 3; i++) fail();
  pass(100);
  breaker.enter()!('neither');
  assert.equal(breaker.state(), 'half_open');
  assert.ok(breaker.enter());
});

test('requests from before the rest do not make it longer, nor end the try of another', () => {
  const { breaker, fail, pass } = setup();
  const old = [breaker.enter()!, breaker.enter()!];
  for (let i = 0; i < 3; i++) fail();
  pass(60);
  old[0]!('failure');
  assert.equal(breaker.restMs(), 40);
  pass(40);
  const probe = breaker.enter()!;
  old[1]!('neither');
  assert.equal(breaker.enter(), null);
  probe('success');
});
