import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import {
  allEvidence,
  averagePrecision,
  MEASURES,
  measure,
  ndcg,
  recall,
  reciprocalRank,
} from './measures.ts';

const judged = new Map([
  ['a', 3],
  ['b', 1],
  ['c', 2],
  ['bad', 0],
  ['worse', -1],
]);
const ranking = ['x', 'c', 'bad', 'a', 'y', 'b'];
const near = (value: number, expected: number) =>
  assert.ok(Math.abs(value - expected) < 1e-12, `${value}, not ${expected}`);

test('nDCG has linear gain and a logarithmic discount', () => {
  // Gains at ranks 2, 4, 6: 2 / log2(3) + 3 / log2(5) + 1 / log2(7); ideal 3 + 2 / log2(3) + 1 / 2.
  const ideal = 3 + 2 / Math.log2(3) + 0.5;
  near(ndcg(ranking, judged, 10), (2 / Math.log2(3) + 3 / Math.log2(5) + 1 / Math.log2(7)) / ideal);
  near(ndcg(ranking, judged, 2), 2 / Math.log2(3) / (3 + 2 / Math.log2(3)));
  near(ndcg(['a', 'c', 'b'], judged, 10), 1);
});

test('recall, all evidence, reciprocal rank and average precision count relevant documents', () => {
  near(recall(ranking, judged, 5), 2 / 3);
  near(recall(ranking, judged, 6), 1);
  assert.equal(allEvidence(ranking, judged, 5), 0);
  assert.equal(allEvidence(ranking, judged, 6), 1);
  near(reciprocalRank(ranking, judged), 1 / 2);
  assert.equal(reciprocalRank(ranking, judged, 1), 0);
  near(averagePrecision(ranking, judged), (1 / 2 + 2 / 4 + 3 / 6) / 3);
  near(averagePrecision(['a'], judged), 1 / 3);
});

test('a question without relevant documents is worth 0 by every measure', () => {
  for (const name of MEASURES) assert.equal(measure(name, ranking, new Map([['a', 0]])), 0, name);
});

test('measures are within 0 and 1, 1 for the best order, and never fall when a relevant document moves up', () => {
  const id: fc.Arbitrary<string> = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
  fc.assert(
    fc.property(
      fc.uniqueArray(id, { maxLength: 8 }),
      fc.uniqueArray(fc.tuple(id, fc.integer({ min: -1, max: 3 })), {
        selector: ([name]) => name,
        minLength: 1,
      }),
      fc.nat(7),
      (found, pairs, at) => {
        const judgements = new Map(pairs);
        const best = pairs.toSorted(([, x], [, y]) => y - x).map(([name]) => name);
        const isRelevant = (name: string | undefined) => (judgements.get(name ?? '') ?? 0) > 0;
        for (const name of MEASURES) {
          const value = measure(name, found, judgements);
          assert.ok(value >= 0 && value <= 1 + 1e-12, `${name} ${value}`);
          if (pairs.some(([, gain]) => gain > 0) && pairs.filter(([, gain]) => gain > 0).length <= 2)
            near(measure(name, best, judgements), 1);
          if (at + 1 < found.length && isRelevant(found[at + 1]) && !isRelevant(found[at])) {
            const better = found.with(at, found[at + 1]!).with(at + 1, found[at]!);
            assert.ok(measure(name, better, judgements) >= value - 1e-12, name);
          }
        }
      },
    ),
  );
});
