import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { answerFigures, type JudgedEvent, judgeAnswer, type QuestionJudged } from './answers.ts';
import { readQuestionFile } from './question-file.ts';

const FIGURES = { sentences: 0, cited: 0, verified: 0, unsupported: 0, leftOut: 0, removedCitations: 0 };
const QUESTION: QuestionJudged = {
  ...{ id: 'q1', answerable: true, expected: { groups: [['840', 'rent'], ['deposit'], ['garden']] } },
  judgements: new Map([
    ['lease.md', 1],
    ['never.md', 2],
    ['other.md', 0],
  ]),
};
const SOURCES: JudgedEvent = {
  type: 'sources',
  sources: [
    { n: 1, path: 'lease.md', title: 'Lease', text: 'The rent is €840 a month. Pets are not allowed.' },
    { n: 2, path: 'other.md', title: 'Other', text: 'The deposit for the hall is 300 euros.' },
  ],
};

const citation = (n: number, path: string, verified = true): JudgedEvent => ({
  ...{ type: 'citation', n, path, title: '', chunk: '0'.repeat(32), place: {}, sentence: null, verified },
});
const sentence = (text: string, given = true): JudgedEvent => ({
  ...{ type: 'sentence', text, status: given ? 'verified' : 'unsupported', missing: [], given },
});
const wrote = (figures: object): JudgedEvent => ({
  ...{ type: 'writer', task: 'answer', backend: 'b', model: 'm', where: null, link: null, privacy: null },
  ...{ replaced: null, others: [], promptTokens: null, completionTokens: null, cost: null },
  wrote: { ...FIGURES, ...figures },
});
const finish = (outcome: 'written' | 'extracted' | 'refused'): JudgedEvent => ({
  ...{ type: 'finish', outcome, reason: null, figures: FIGURES },
});

test('citations are held against their sources again, whatever the answer says of them', () => {
  const judged = judgeAnswer(
    QUESTION,
    [
      SOURCES,
      citation(1, 'lease.md'),
      sentence('The rent is €840 a month.'),
      citation(2, 'other.md'),
      sentence('The deposit for the hall is 900 euros.'),
      sentence('Nobody said this about the garden.', false),
      sentence('This one cites nothing.'),
      wrote({ sentences: 4, cited: 2, verified: 1 }),
      finish('written'),
    ],
    12,
  );
  assert.deepEqual([judged.sentences, judged.cited], [3, 2]);
  assert.deepEqual([judged.citations, judged.supported, judged.relevant], [2, 1, 1]);
  assert.deepEqual([judged.judged, judged.reached], [2, 1]);
  assert.deepEqual(judged.wrote, { sentences: 4, cited: 2, verified: 1 });
  assert.deepEqual([judged.keywords!.hits, judged.keywords!.missing], [2, ['garden']]);
  const figures = answerFigures([judged]);
  assert.deepEqual(
    [figures.citationPrecision, figures.citationRelevance, figures.answersRelevant],
    [0.5, 0.5, 1],
  );
  assert.deepEqual([figures.citationRecall, figures.wroteCited, figures.wroteSupported], [2 / 3, 0.5, 0.25]);
});

test('refusals count as right where nothing answers and as wrong elsewhere, and score no keywords by the titles that they name', () => {
  const refusal: JudgedEvent[] = [
    SOURCES,
    { type: 'text', text: 'The documents do not answer this. What came nearest: “840 rent deposit”.' },
    finish('refused'),
  ];
  const own = judgeAnswer(QUESTION, refusal, 1);
  assert.equal(own.keywords!.hits, 0);
  const other = { ...QUESTION, id: 'q2', answerable: false, judgements: null, expected: null };
  const right = judgeAnswer(other, refusal, 1);
  const wrong = judgeAnswer(
    { ...other, id: 'q3' },
    [SOURCES, citation(1, 'lease.md'), sentence('Pets are not allowed.'), finish('extracted')],
    3,
  );
  const figures = answerFigures([own, right, wrong]);
  assert.deepEqual(
    [figures.questions, figures.falseRefusals, figures.outOfScope, figures.refusals],
    [1, 1, 2, 1],
  );
  // Answers to what should have been refused are no measure of citations.
  assert.equal(figures.citationPrecision, null);
  assert.deepEqual([figures.keywords, figures.msP50, figures.msP95], [0, 1, 3]);
});

test('a file of questions has keywords, synonyms and numbers, and says what is wrong with it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kith-questions-'));
  const write = async (value: unknown): Promise<string> => {
    const path = join(folder, 'questions.json');
    await writeFile(path, typeof value === 'string' ? value : JSON.stringify(value));
    return path;
  };
  try {
    const path = await write([
      { id: 'a', type: 'fact', question: 'When?', expected_keywords: ['bridge', ['opened', 'open']] },
      { question: 'Which year?', numeric: { value: 1884, tolerance: 5 }, expected_answer: 'In 1884.' },
      { question: 'And the moon?', answerable: false },
    ]);
    assert.deepEqual(await readQuestionFile(path), [
      { id: 'a', text: 'When?', answerable: true, expected: { groups: [['bridge'], ['opened', 'open']] } },
      {
        ...{ id: '2', text: 'Which year?', answerable: true },
        expected: { groups: [], number: { value: 1884, tolerance: 5 } },
      },
      { id: '3', text: 'And the moon?', answerable: false, expected: null },
    ]);
    const says = (value: unknown, why: RegExp) =>
      write(value).then((at) => assert.rejects(readQuestionFile(at), why));
    await says('[', /no JSON/);
    await says([{ question: 'x' }, { text: 'y' }], /1\.question/);
    await says(
      [
        { id: 'a', question: 'x' },
        { id: 'a', question: 'y' },
      ],
      /"a" is there twice/,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});
