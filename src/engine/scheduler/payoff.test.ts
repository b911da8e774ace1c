import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLASSES, createOdds, expectedTokens } from './odds.ts';
import { createPayoff, DRAFTS } from './payoff.ts';

/** ms of a pass by its rows. */
type Cost = (rows: number) => number;

/** On the line between what was measured. */
const curve =
  (points: readonly (readonly [rows: number, ms: number])[]): Cost =>
  (rows) => {
    const at = Math.max(
      1,
      points.findIndex(([most]) => most >= rows),
    );
    const [[from, less], [to, more]] = [points[at - 1]!, points[at]!];
    return less + ((more - less) * (rows - from)) / (to - from);
  };
/** Measured: TinyLlama on one processor, rows that have the bits of single passes. */
const twoBits = curve([
  [1, 47],
  [2, 105],
  [4, 201],
  [8, 397],
  [16, 872],
  [64, 3500],
]);
const fourBits = curve([
  [1, 32],
  [2, 61],
  [4, 67],
  [8, 107],
  [16, 183],
  [64, 700],
]);
const far =
  (cost: Cost, rttMs: number): Cost =>
  (rows) =>
    cost(rows) + rttMs;

/** Numbers in [0, 1) that look random and are the same each time. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Text {
  /** Share of guesses that are right, by class of equal tokens before them. */
  readonly right: readonly number[];
  /** Share of passes at which something to guess from turns up. */
  readonly turnsUp: number;
}
const quoting: Text = { right: [0.6, 0.8, 0.88, 0.95, 0.985], turnsUp: 0.5 };
const ordinary: Text = { right: [0.15, 0.25, 0.35, 0.45, 0.6], turnsUp: 0.2 };

/** Answers of 100 tokens one after another. Time with guesses, of the time without. */
function played(cost: Cost, text: Text, answers: number, payoff = createPayoff(), noise = 0.1, seed = 1) {
  const random = numbers(seed);
  const model = createOdds();
  const trueRight = (match: number) => text.right[CLASSES.findLastIndex((least) => match >= least)]!;
  let [ms, passes, guesses] = [0, 0, 0];
  for (let answer = 0; answer < answers; answer++) {
    const odds = createOdds(model);
    let match = 0;
    for (let tokens = 0; tokens < 100; ) {
      if (match < 2 && random() < text.turnsUp) match = 2 + Math.floor(random() * 3);
      const room = match >= 2 ? Math.min(DRAFTS.at(-1)!, 100 - tokens - 1) : 0;
      const most =
        room > 0
          ? payoff.choose([{ tokens: expectedTokens(odds, match, room) }], 0, 64)
          : payoff.choose([], 1, 64);
      const drafted = Math.min(most, room);
      let right = 0;
      const tried = match >= 2 && room > 0 ? Math.max(1, drafted) : 0;
      while (right < tried) {
        const isRight = random() < trueRight(match + right);
        odds.look(match + right, isRight);
        if (!isRight) break;
        right++;
      }
      match = right === tried && tried > 0 ? match + right : 0;
      const took = cost(1 + drafted) * (1 + noise * (2 * random() - 1));
      payoff.pass(1, 1 + drafted, took);
      const gained = 1 + Math.min(right, drafted);
      if (drafted > 0) payoff.gave(1, gained);
      tokens += gained;
      ms += took;
      passes++;
      if (drafted > 0) guesses++;
    }
  }
  return { share: ms / (answers * 100 * cost(1)), passes, guesses };
}

test('where rows cost as much together as alone, what trials lose stays under two in a hundred', () => {
  for (const text of [quoting, ordinary])
    for (let seed = 1; seed <= 20; seed++) {
      const { share } = played(twoBits, text, 20, createPayoff(), 0.1, seed);
      assert.ok(share < 1.02, `${share}`);
    }
});

test('whatever rows cost and however guesses err, nothing is lost in the long run', () => {
  const linear: Cost = (rows) => 50 * rows;
  for (const cost of [twoBits, fourBits, linear, far(twoBits, 20), far(fourBits, 20), far(twoBits, 160)])
    for (const text of [quoting, ordinary, { right: [0, 0, 0, 0, 0], turnsUp: 1 }])
      for (let seed = 1; seed <= 5; seed++) {
        const { share } = played(cost, text, 40, createPayoff(), 0.3, seed);
        assert.ok(share < 1.02, `${share}`);
      }
});

test('what can be guessed is much faster over long round trips, and a little on kernels that take rows together', () => {
  assert.ok(played(far(twoBits, 80), quoting, 10).share < 0.75);
  assert.ok(played(far(twoBits, 160), quoting, 10).share < 0.6);
  assert.ok(played(far(fourBits, 80), quoting, 10).share < 0.45);
  assert.ok(played(fourBits, quoting, 10).share < 0.75);
});

test('what did not pay is tried again after a while, and taken up when the path has become longer', () => {
  const payoff = createPayoff();
  assert.ok(played(twoBits, quoting, 10, payoff).share > 0.99);
  assert.ok(played(far(twoBits, 160), quoting, 10, payoff).share < 0.8);
});

test('what paid is left off when the path has become shorter, at the cost of a few passes', () => {
  const payoff = createPayoff();
  played(far(twoBits, 160), quoting, 10, payoff);
  const { share } = played(twoBits, quoting, 20, payoff);
  assert.ok(share < 1.02, `${share}`);
});

const sure = { tokens: expectedTokens({ right: () => 0.97 }, 10, 15) };

test('before passes without guesses were measured there are none', () => {
  const payoff = createPayoff();
  assert.equal(payoff.choose([sure], 0, 64), 0);
  payoff.pass(1, 1, 100);
  assert.equal(payoff.choose([sure], 0, 64), 0);
  payoff.pass(1, 1, 100);
  assert.ok(payoff.choose([sure], 0, 64) > 0);
});

test('one pass that loses though all its guesses are right is enough to know', () => {
  const payoff = createPayoff();
  let guessed = 0;
  for (let i = 0; i < 100; i++) {
    const guesses = payoff.choose([sure], 0, 64);
    payoff.pass(1, 1 + guesses, twoBits(1 + guesses));
    if (guesses === 0) continue;
    guessed++;
    payoff.gave(1, 1 + guesses);
  }
  assert.equal(guessed, 1);
});

test('the first pass of a shape, which takes longer, does not decide', () => {
  const payoff = createPayoff();
  const seen = new Set<number>();
  let last = 0;
  for (let i = 0; i < 60; i++) {
    last = payoff.choose([sure], 0, 64);
    const rows = 1 + last;
    payoff.pass(1, rows, 160 + rows + (seen.has(rows) ? 0 : 300));
    if (last > 0) payoff.gave(1, rows);
    seen.add(rows);
  }
  assert.equal(last, 15);
});

test('tokens of a pass that nobody waited for count as none', () => {
  const payoff = createPayoff();
  for (let i = 0; i < 3; i++) payoff.pass(1, 1, 100);
  const before = payoff.account;
  payoff.pass(1, 4, 200);
  payoff.pass(1, 1, 100);
  assert.ok(Math.abs(payoff.account - (before - 2 + 0.01)) < 1e-9, `${payoff.account}`);
  assert.equal(payoff.choose([sure], 0, 64) > 0, payoff.account > 0);
});

test('rows of all sequences stay within a pass', () => {
  const payoff = createPayoff();
  for (let i = 0; i < 2; i++) payoff.pass(8, 8, 100);
  const chances = Array.from({ length: 8 }, () => sure);
  for (let i = 0; i < 30; i++) {
    const most = payoff.choose(chances, 0, 40);
    assert.ok(8 * (1 + most) <= 40, `${most}`);
    payoff.pass(8, 8 * (1 + most), 100 + most);
    if (most > 0) payoff.gave(8, 8 * (1 + most));
  }
  assert.equal(payoff.choose(chances, 0, 12), 0);
  assert.ok(payoff.choose(chances, 0, 40) > 0);
});
