import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGuessing, createPayoff } from './payoff.ts';

const sure = { guesses: 15, right: 0.95 };

/** A machine or a path where a pass of n rows takes `ms(n)`, and what is chosen there in the end. */
function settled(ms: (rows: number) => number, chance = sure, others = 0, passes = 40): number[] {
  const payoff = createPayoff();
  const chosen: number[] = [];
  for (let i = 0; i < passes; i++) {
    const guesses = Math.min(payoff.choose([chance], others, 64), chance.guesses);
    chosen.push(guesses);
    payoff.pass(1 + others + guesses, guesses > 0, ms(1 + others + guesses));
  }
  return chosen;
}

test('before a pass without guesses was measured there are none', () => {
  assert.equal(settled((rows) => 100 + rows)[0], 0);
});

test('where the round trip is long, many are guessed', () => {
  assert.equal(settled((rows) => 160 + rows).at(-1), 15);
});

test('where rows cost as much together as alone, two passes are tried and no more', () => {
  const chosen = settled((rows) => 50 * rows);
  assert.equal(chosen.filter((guesses) => guesses > 0).length, 2);
  assert.equal(chosen.at(-1), 0);
});

test('bad guesses are made few or none', () => {
  const poor = { guesses: 15, right: 0.05 };
  assert.ok(settled((rows) => 100 + 10 * rows, poor).at(-1)! <= 1);
  const half = settled((rows) => 100 + 10 * rows, { guesses: 15, right: 0.5 }).at(-1)!;
  assert.ok(half >= 1 && half <= 3, `${half}`);
});

test('the first pass of a shape, which takes longer, does not decide', () => {
  const seen = new Set<number>();
  const chosen = settled((rows) => {
    const first = !seen.has(rows);
    seen.add(rows);
    return 160 + rows + (first ? 1000 : 0);
  });
  assert.equal(chosen.at(-1), 15);
});

test('what did not pay is tried again after a while, and taken up when the path has become longer', () => {
  const payoff = createPayoff();
  let guessed = 0;
  for (let i = 0; i < 2000; i++) {
    const guesses = payoff.choose([sure], 0, 64);
    if (guesses > 0 && i > 1000) guessed++;
    payoff.pass(1 + guesses, guesses > 0, i < 1000 ? 50 * (1 + guesses) : 200 + guesses);
  }
  assert.ok(guessed > 500, `${guessed}`);
});

test('rows of all sequences stay within a pass', () => {
  const payoff = createPayoff();
  payoff.pass(8, false, 100);
  const chances = Array.from({ length: 8 }, () => sure);
  const most = payoff.choose(chances, 0, 40);
  assert.ok(most > 0 && 8 * (1 + most) <= 40, `${most}`);
  assert.equal(payoff.choose(chances, 0, 12), 0);
});

test('a sequence has more guesses after right ones and fewer after wrong ones', () => {
  const guessing = createGuessing();
  const start = guessing.most;
  guessing.add(start, start);
  assert.ok(guessing.most > start && guessing.right > 0.5);
  for (let i = 0; i < 10; i++) guessing.add(guessing.most, 0);
  assert.equal(guessing.most, 1);
  assert.ok(guessing.right < 0.5);
});

test('guesses that were not checked tell as well how good they are', () => {
  const guessing = createGuessing();
  for (let i = 0; i < 5; i++) guessing.look(false);
  assert.ok(guessing.right < 0.15);
  for (let i = 0; i < 20; i++) guessing.look(true);
  assert.ok(guessing.right > 0.8);
});
