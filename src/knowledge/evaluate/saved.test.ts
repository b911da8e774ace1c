import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom } from '../../base/index.ts';
import type { AnswerJudged } from './answers.ts';
import { judgePassages, passageMeans, passageValues } from './passages.ts';
import { answerValues, compareRuns, readSavedRun } from './saved.ts';
import { spendingOf, spentOn } from './spending.ts';

const random = () => createSeededRandom(3);
const answer = (more: Partial<AnswerJudged>): AnswerJudged => ({
  ...{ id: 'q', answerable: true, outcome: 'written', characters: 80, sentences: 4, cited: 3 },
  ...{ citations: 5, supported: 4, relevant: 2, judged: 2, reached: 1, wrote: null, keywords: null, ms: 9 },
  ...more,
});

test('an answer has values for what can be said of it, and only these are compared', () => {
  assert.deepEqual(answerValues(answer({ keywords: { hits: 1, groups: 2, missing: ['x'] } })), {
    ...{ ms: 9, answered: 1, keywords: 0.5, 'documents cited': 0.5, characters: 80 },
    ...{ 'citation precision': 0.8, 'citation recall': 0.75 },
  });
  const refused = answer({ outcome: 'refused', reached: 0, keywords: { hits: 0, groups: 2, missing: [] } });
  assert.deepEqual(answerValues(refused), { ms: 9, answered: 0, keywords: 0, 'documents cited': 0 });
  assert.deepEqual(answerValues(answer({ answerable: false, outcome: 'refused' })), { ms: 9, refused: 1 });
});

test('runs are compared question by question, over those of which both say something', () => {
  const ids = Array.from({ length: 40 }, (_, i) => `q${i}`);
  const now = new Map(ids.map((id, i) => [id, { keywords: i % 4 === 0 ? 0.5 : 1, ms: 5 }]));
  const before = new Map([
    ...ids.map((id, i) => [id, i < 10 ? { ms: 5 } : { keywords: 0.5, ms: 5 }] as const),
    ['other', { keywords: 1, ms: 5 }] as const,
  ]);
  const { measures, both, onlyNow, onlyBefore } = compareRuns(now, before, random);
  assert.deepEqual([both, onlyNow, onlyBefore], [40, 0, 1]);
  const { questions, difference, wins, losses, ties, low, p } = measures.keywords!;
  assert.deepEqual([questions, wins, losses, ties], [30, 23, 0, 7]);
  assert.ok(Math.abs(difference - 23 / 60) < 1e-12 && low > 0.2 && p < 0.001);
  assert.deepEqual([measures.ms!.difference, measures.ms!.p], [0, 1]);
  assert.deepEqual(compareRuns(now, now, random).measures.keywords!.ties, 40);
  assert.throws(() => compareRuns(now, new Map([['x', {}]]), random), { code: 'comparison_invalid' });
});

test('a run is read as it was written, and a line that is none is named', () => {
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.string({ minLength: 1, maxLength: 9 }),
        fc.dictionary(fc.constantFrom('a', 'b@5'), fc.double({ noNaN: true, noDefaultInfinity: true })),
      ),
      (run) => {
        const lines = Object.entries(run).map(([id, values]) =>
          JSON.stringify({ id, values, question: 'x' }),
        );
        const read = readSavedRun(`${lines.join('\n')}\n`);
        // JSON knows no -0.
        const plain = JSON.parse(JSON.stringify(run)) as typeof run;
        assert.deepEqual(
          [...read].map(([id, values]) => [id, { ...values }]),
          Object.entries(plain).map(([id, values]) => [id, { ...values }]),
        );
      },
    ),
  );
  const good = '{"id":"a","values":{"x":1}}';
  for (const [text, line] of [
    ['q1 Q0 d 1 0.5 kith', 1],
    [`${good}\n{"id":"b"}`, 2],
    [`${good}\n\n${good}`, 3],
    ['{"id":"a","values":{"x":"1"}}', 1],
    ['[', 1],
  ] as const)
    assert.throws(() => readSavedRun(text), { code: 'run_invalid', message: new RegExp(`^Line ${line} `) });
});

test('passages that were found are read together up to each depth, with synonyms and numbers within their tolerance', () => {
  const expected = {
    groups: [['bridge'], ['opened', 'inaugurated']],
    number: { value: 1967, tolerance: 4 },
  };
  const texts = [
    'Nothing of it.',
    'The old bridge.',
    'It was inaugurated in 1969.',
    ...Array(7).fill('-'),
    '1967',
  ];
  const one = judgePassages('q1', expected, texts as string[]);
  assert.deepEqual(passageValues(one), {
    ...{ 'keywords@1': 0, 'keywords@5': 2.5 / 3, 'keywords@10': 2.5 / 3 },
    ...{ 'all@1': 0, 'all@5': 0, 'all@10': 0, mrr: 1 / 2 },
  });
  const other = judgePassages('q2', { groups: [['tram']] }, ['The tram.']);
  const means = passageMeans([one, other]);
  assert.deepEqual([means['keywords@5'], means['all@1'], means.mrr], [3.5 / 4, 0.5, 0.75]);
  assert.deepEqual(passageMeans([]), {});
  assert.equal(passageValues(judgePassages('q3', { groups: [['x']] }, [])).mrr, 0);
});

test('what questions cost is given for one of them, and unknown where a part of it is', () => {
  const call = { promptTokens: 100, completionTokens: 20, cost: 0.5 };
  const free = { promptTokens: 50, completionTokens: 10, cost: null };
  assert.deepEqual(spentOn(7, []), { ms: 7, calls: 0, promptTokens: 0, completionTokens: 0, cost: 0 });
  assert.deepEqual(spendingOf([spentOn(2, []), spentOn(4, [call, free]), spentOn(9, [call])]), {
    ...{ questions: 3, msMean: 5, msP50: 4, msP95: 9, calls: 1 },
    ...{ promptTokens: 250 / 3, completionTokens: 50 / 3, cost: null },
  });
  const none = spendingOf([]);
  assert.deepEqual([none.questions, none.msMean, none.calls, none.cost], [0, null, null, null]);
});

test('numbers count however their thousands are grouped, and years are held against numbers of four digits alone', () => {
  for (const [value, text, hit] of [
    [1240, 'The rent is 1,240 euros.', 1],
    [2400, 'Die Kaution beträgt 2.400 Euro.', 1],
    [2.4, 'It is 2.4 m long.', 1],
    [89, 'It costs 89 euros a year.', 1],
    [1_250_000, 'A budget of 1.250.000,50', 0.5],
    [1967, 'On page 67 of 19,670', 0],
  ] as const) {
    const [score] = judgePassages('q', { groups: [], number: { value, tolerance: 1 } }, [text]).scores;
    assert.ok(Math.abs(score!.hits - hit) < 1e-6, text);
  }
});
