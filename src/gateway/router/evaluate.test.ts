import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom } from '../../base/index.ts';
import { apgrError, evaluate } from './evaluate.ts';

const close = (a: number, b: number, within = 1e-9) =>
  assert.ok(Math.abs(a - b) <= within, `${a} is not within ${within} of ${b}`);
const gains = fc
  .array(fc.constantFrom(-1, 0, 0, 1, 1), { minLength: 1, maxLength: 60 })
  .filter((all) => all.reduce((a: number, b) => a + b, 0) > 0);

test('a random order regains half of the gap', () => {
  const random = createSeededRandom(1);
  const truth = Array.from({ length: 20_000 }, () => [-1, 0, 0, 0, 1, 1][random.uint32() % 6]!);
  const { apgr, cpt50 } = evaluate(
    truth.map(() => random.float()),
    truth,
  );
  close(apgr, 0.5, 0.03);
  close(cpt50, 0.5, 0.05);
});

test('an order that tells nothing is the mix line exactly', () => {
  fc.assert(
    fc.property(gains, (truth) => {
      const found = evaluate(new Array(truth.length).fill(3), truth);
      close(found.apgr, 0.5);
      close(found.cpt50, 0.5);
      close(found.cpt80, 0.8);
    }),
  );
});

test('no order is better than that of the gains themselves, and the reverse is as far below', () => {
  fc.assert(
    fc.property(
      gains,
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 60, maxLength: 60 }),
      (truth, any) => {
        const scores = any.slice(0, truth.length);
        const found = evaluate(scores, truth).apgr;
        assert.ok(evaluate(truth, truth).apgr >= found - 1e-9);
        close(
          evaluate(
            scores.map((score) => -score),
            truth,
          ).apgr,
          1 - found,
        );
      },
    ),
  );
});

test('only the order counts, not the size of the scores', () => {
  fc.assert(
    fc.property(
      gains,
      fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 60, maxLength: 60 }),
      (truth, any) => {
        const scores = any.slice(0, truth.length);
        assert.deepEqual(
          evaluate(
            scores.map((score) => Math.exp(score / 5)),
            truth,
          ),
          evaluate(scores, truth),
        );
      },
    ),
  );
});

test('areas and calls of a small example are those done by hand', () => {
  // PGR after 0 to 4 calls: 0, 0.5, 1, 1, 1.
  const found = evaluate([4, 3, 2, 1], [1, 1, 0, 0]);
  close(found.apgr, (0.25 + 0.75 + 1 + 1) / 4);
  close(found.cpt50, 0.25);
  close(found.cpt80, 0.4);
});

test('without a gap there is nothing to regain', () => {
  assert.equal(evaluate([1, 2], [0, 0]).apgr, Number.NaN);
  assert.equal(evaluate([], []).apgr, Number.NaN);
});

test('the standard error shrinks with the root of the prompts', () => {
  const random = createSeededRandom(2);
  const error = (count: number) => {
    const truth = Array.from({ length: count }, () => (random.float() < 0.3 ? 1 : 0));
    const work = apgrError(
      truth.map(() => random.float()),
      truth,
      random,
    );
    let step = work.next();
    while (step.done !== true) step = work.next();
    return step.value;
  };
  const ratio = error(200) / error(3200);
  assert.ok(ratio > 2.5 && ratio < 6, `${ratio}`);
});
