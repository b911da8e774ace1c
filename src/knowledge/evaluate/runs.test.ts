import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom } from '../../base/index.ts';
import { compare } from './bootstrap.ts';
import { costOf, judge, quantile } from './judge.ts';
import { keywordScore, overall } from './keywords.ts';
import { readRun, writeRun } from './runs.ts';

test('a run is written in TREC form and read back as it was', () => {
  const name = fc.stringMatching(/^[!-~]{1,12}$/);
  const found = fc
    .uniqueArray(fc.tuple(name, fc.double({ noNaN: true, noDefaultInfinity: true })), {
      selector: ([id]) => id,
      minLength: 1,
    })
    .map((all) =>
      all
        .map(([id, score]) => ({ id, score: score === 0 ? 0 : score }))
        .sort((a, b) => b.score - a.score || (a.id < b.id ? 1 : -1)),
    );
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(name, found), { selector: ([id]) => id }), (all) => {
      const run = new Map(all);
      assert.deepEqual(readRun(writeRun(run, 'kith')), run);
    }),
  );
  assert.equal(writeRun(new Map([['q1', [{ id: 'd7', score: 0.5 }]]]), 'kith'), 'q1 Q0 d7 1 0.5 kith\n');
});

test('equal scores are read in the order of trec_eval: ids from the last', () => {
  const run = readRun('q Q0 a 1 2.5 x\nq Q0 b 2 2.5 x\nq Q0 c 3 9 x\n');
  assert.deepEqual(
    run.get('q')?.map(({ id }) => id),
    ['c', 'b', 'a'],
  );
});

test('runs that are none are refused with the line', () => {
  const invalid = (message: RegExp) => ({ code: 'run_invalid', message });
  assert.throws(() => readRun('q Q0 a 1 2\n'), invalid(/Line 1/));
  assert.throws(() => readRun('\nq Q0 a 1 much x\n'), invalid(/Line 2/));
  assert.throws(() => readRun('q Q0 a 1 2 x\nq Q0 a 2 1 x\n'), invalid(/again/));
  assert.throws(() => writeRun(new Map([['q', [{ id: 'a b', score: 1 }]]]), 'x'), invalid(/spaces/));
});

test('a run is judged over all questions, those without an answer counting as 0', () => {
  const set = {
    questions: [
      { id: 'q1', text: '' },
      { id: 'q2', text: '' },
    ],
    judgements: new Map([
      ['q1', new Map([['a', 1]])],
      ['q2', new Map([['b', 1]])],
    ]),
  };
  const verdict = judge(
    new Map([
      [
        'q1',
        [
          { id: 'z', score: 2 },
          { id: 'a', score: 1 },
        ],
      ],
    ]),
    set,
    ['mrr', 'recall@1'],
  );
  assert.deepEqual(
    [...verdict.values],
    [
      ['mrr', [0.5, 0]],
      ['recall@1', [0, 0]],
    ],
  );
  assert.equal(verdict.means.get('mrr'), 0.25);
});

test('the bootstrap tells a difference from luck, and repeats itself', () => {
  const ours = Array.from({ length: 50 }, (_, i) => 0.5 + (i % 5) / 20);
  const better = compare(
    ours,
    ours.map((value, i) => value - 0.1 - (i % 3) / 100),
    { random: createSeededRandom(1) },
  );
  assert.ok(Math.abs(better.difference - 0.1098) < 1e-9);
  assert.equal(better.p, 0);
  assert.ok(better.low > 0.1 && better.low < better.difference && better.high > better.difference);
  assert.deepEqual([better.wins, better.losses, better.ties], [50, 0, 0]);
  const turned = ours.map((_, i) => ours[(i + 1) % ours.length]!);
  const luck = compare(ours, turned, { random: createSeededRandom(1), samples: 2000 });
  assert.ok(Math.abs(luck.difference) < 1e-9 && luck.p > 0.9 && luck.low < 0 && luck.high > 0);
  assert.deepEqual(luck, compare(ours, turned, { random: createSeededRandom(1), samples: 2000 }));
  assert.throws(() => compare([1], [1, 2], { random: createSeededRandom(1) }), {
    code: 'comparison_invalid',
  });
});

test('two groups of differences have the p that all their draws have', () => {
  // Differences 1, 1, 1, -1: of the 256 draws of four, the means lie 1 or more from 0.5 only at -1, -0.5 (x1, x12).
  const { p } = compare([1, 1, 1, 0], [0, 0, 0, 1], { random: createSeededRandom(4), samples: 100_000 });
  // |mean - 0.5| >= 0.5: mean 1 (81 of 256), 0 (54), -0.5 (12), -1 (1).
  assert.ok(Math.abs(p - 148 / 256) < 0.01, String(p));
});

test('keywords are found by the rules of their number of words', () => {
  const text =
    'He left Gujarat in 1884 by way of Mauritius; the central mosque of the old town was built later.';
  const hit = (keyword: string) => keywordScore(text, { groups: [[keyword]] }).hits === 1;
  assert.ok(hit('Mauritius'));
  assert.ok(hit('town OLD'));
  assert.ok(!hit('old city'));
  assert.ok(hit('big central mosque hall'));
  assert.ok(!hit('one big central hall'));
  assert.ok(hit('Gujar'), 'a part of a word is in the text as it stands');
  assert.ok(hit(';'));
  assert.ok(!hit(''));
});

test('numbers are worth what is left of their tolerance, and groups count over all questions', () => {
  const year = (value: number, tolerance: number) =>
    keywordScore('Between 1884 and 18845.', { groups: [], number: { value, tolerance } }).hits;
  assert.equal(year(1884, 0), 1);
  assert.equal(year(1886, 0), 0);
  assert.equal(year(1886, 8), 0.75);
  assert.equal(year(1900, 8), 0);
  const first = keywordScore('alpha', { groups: [['alpha', 'a'], ['beta']] });
  assert.deepEqual(first, { hits: 1, groups: 2, missing: ['beta'] });
  assert.equal(overall([first, keywordScore('x', { groups: [['x']] })]), 2 / 3);
  assert.equal(overall([]), 0);
});

test('costs are given for a thousand chunks', () => {
  const cost = costOf({
    chunks: 2000,
    indexMs: 4000,
    queryMs: [5, 1, 3, 2, 4],
    diskBytes: 6e6,
    memoryBytes: 1e6,
  });
  assert.deepEqual(cost, {
    secondsPerThousand: 2,
    p50: 3,
    p95: 5,
    diskPerThousand: 3e6,
    memoryPerThousand: 5e5,
  });
  assert.equal(quantile([4, 2], 0.5), 2);
});
