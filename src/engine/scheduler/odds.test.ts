import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOdds, expectedTokens } from './odds.ts';

test('guesses behind many equal tokens are thought better, until they are seen to be wrong', () => {
  const odds = createOdds();
  const at = [2, 3, 4, 6, 10].map((match) => odds.right(match));
  for (let i = 1; i < at.length; i++) assert.ok(at[i]! > at[i - 1]!);
  assert.equal(odds.right(5), odds.right(4));
  assert.equal(odds.right(100), odds.right(10));
  for (let i = 0; i < 30; i++) odds.look(12, false);
  assert.ok(odds.right(10) < 0.1);
  assert.equal(odds.right(2), at[0]);
});

test('what one sequence shows is what the next one of the model begins with, and outweighs it soon', () => {
  const model = createOdds();
  const first = createOdds(model);
  for (let i = 0; i < 50; i++) first.look(3, true);
  const second = createOdds(model);
  assert.ok(second.right(3) > 0.9);
  for (let i = 0; i < 8; i++) second.look(3, false);
  assert.ok(second.right(3) < 0.3 && model.right(3) > 0.7);
});

test('expected tokens are those guessed right in a row, and the one behind them', () => {
  const half = { right: () => 0.5 };
  assert.deepEqual([...expectedTokens(half, 4, 3)], [1, 1.5, 1.75, 1.875]);
  assert.deepEqual([...expectedTokens(half, 4, 0)], [1]);
  const grows = { right: (match: number) => (match >= 6 ? 1 : 0.5) };
  assert.deepEqual([...expectedTokens(grows, 4, 4)], [1, 1.5, 1.75, 2, 2.25]);
});
