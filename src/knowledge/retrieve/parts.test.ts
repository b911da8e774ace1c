import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { printOf, sayTheSame } from './duplicates.ts';
import { fuse } from './fuse.ts';
import { wordsOf } from './words.ts';

test('questions are looked up by what is no stop word, each word once', () => {
  assert.deepEqual(wordsOf('What is the Capital of the capital, COVID-19?'), ['capital', 'covid', '19']);
  assert.deepEqual(wordsOf('To be or not to be'), ['to', 'be', 'or', 'not']);
  assert.deepEqual(wordsOf('  ?! '), []);
  assert.equal(wordsOf(Array.from({ length: 500 }, (_, i) => `word${i}`).join(' ')).length, 128);
});

test('scores are fused by their z-scores over everything that was found', () => {
  const fused = fuse([
    {
      weight: 0.5,
      scores: new Map([
        [1, 10],
        [2, 0],
        [3, 5],
      ]),
      absent: null,
    },
    {
      weight: 0.5,
      scores: new Map([
        [1, 2],
        [3, 4],
      ]),
      absent: 0,
    },
  ]);
  const first = Math.sqrt(50 / 3);
  const second = Math.sqrt(8 / 3);
  assert.ok(Math.abs(fused.get(1)! - 0.5 * (5 / first)) < 1e-12);
  assert.ok(Math.abs(fused.get(2)! - 0.5 * (-5 / first - 2 / second)) < 1e-12);
  assert.ok(Math.abs(fused.get(3)! - 0.5 * (2 / second)) < 1e-12);
});

test('fusion does not depend on the order or the scale of scores, and what tells nothing apart counts nothing', () => {
  const scores = fc.uniqueArray(fc.tuple(fc.nat(20), fc.integer({ min: -50, max: 50 })), {
    selector: ([row]) => row,
    minLength: 1,
  });
  fc.assert(
    fc.property(scores, scores, fc.integer({ min: 1, max: 9 }), (a, b, scale) => {
      const rankers = (x: typeof a, y: typeof b, by = 1) => [
        { weight: 0.6, scores: new Map(x.map(([row, score]) => [row, by * score + 3 * by])), absent: null },
        { weight: 0.4, scores: new Map(y), absent: 0 },
      ];
      const sorted = (map: Map<number, number>) => [...map].sort(([x], [y]) => x - y);
      const plain = sorted(fuse(rankers(a, b)));
      assert.deepEqual(sorted(fuse(rankers(a.toReversed(), b.toReversed()))), plain);
      sorted(fuse(rankers(a, b, scale))).forEach(([row, score], i) => {
        assert.equal(row, plain[i]![0]);
        assert.ok(Math.abs(score - plain[i]![1]) < 1e-9);
      });
    }),
  );
  assert.deepEqual(
    [
      ...fuse([
        {
          weight: 1,
          scores: new Map([
            [1, 7],
            [2, 7],
          ]),
          absent: null,
        },
      ]).values(),
    ],
    [0, 0],
  );
});

test('texts say the same when four fifths of their runs of words are common, and all numbers', () => {
  const word = fc.constantFrom('ash', 'oak', 'elm', 'fir');
  fc.assert(
    fc.property(
      fc.array(word, { maxLength: 40 }),
      fc.array(word, { maxLength: 40 }),
      fc.nat(40),
      (a, b, shared) => {
        const [one, two] = [printOf(a.join(' ')), printOf([...a.slice(0, shared), ...b].join(' '))];
        const common = one.runs.intersection(two.runs).size;
        const isSame = common / one.runs.union(two.runs).size >= 0.8;
        assert.equal(sayTheSame(one, two), isSame);
        assert.equal(sayTheSame(two, one), isSame);
      },
    ),
  );
  const text = 'one two three four five six seven eight nine ten';
  assert.ok(sayTheSame(printOf(`${text} in 1884`), printOf(`${text.toUpperCase()}, in 1884!`)));
  assert.ok(!sayTheSame(printOf(`${text} in 1884`), printOf(`${text} in 1885`)));
});
