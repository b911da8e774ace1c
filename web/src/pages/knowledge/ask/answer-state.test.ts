import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnswerEventView, SourceView } from '../../../../../src/server/rag/answer-types.ts';
import {
  type Answer,
  emptyAnswer,
  historyOf,
  linesOf,
  sortedSources,
  takeEvent,
  textOf,
} from './answer-state.ts';

const source = (n: number): SourceView => ({
  ...{ n, path: `${n}.md`, title: `Note ${n}`, where: '', place: {}, text: 'Text.', score: 1 },
  chunks: [String(n).repeat(32)],
});
const citation = (n: number, verified = true): AnswerEventView => ({
  ...{ type: 'citation', n, chunk: String(n).repeat(32), path: `${n}.md`, title: `Note ${n}`, place: {} },
  ...{ sentence: 'Text.', verified },
});
const looked = (...numbers: number[]): AnswerEventView => ({
  ...{ type: 'sources', question: 'q', rewrittenBy: null, steps: [], by: ['words'], route: null },
  support: { enough: true, coverage: 1, cosine: 1, margin: null, missing: [] },
  sources: numbers.map(source),
});
const figures = { sentences: 2, cited: 1, verified: 1, unsupported: 1, leftOut: 1, removedCitations: 0 };
const finish = (outcome: 'written' | 'refused'): AnswerEventView => ({
  ...{ type: 'finish', outcome, reason: null, figures },
});
const answerOf = (events: readonly AnswerEventView[]): Answer => events.reduce(takeEvent, emptyAnswer);
const sentence = (text: string, status: 'verified' | 'unsupported', given = true): AnswerEventView => ({
  ...{ type: 'sentence', text, status, given, missing: [] },
});

test('each sentence keeps what it cites and whether that supports it', () => {
  const answer = answerOf([
    looked(1, 2),
    { type: 'text', text: 'The lease ends in May [1]. ' },
    citation(1),
    sentence('The lease ends in May.', 'verified'),
    sentence('It was signed by Bob.', 'unsupported', false),
    { type: 'text', text: 'It is cheap. ' },
    sentence('It is cheap.', 'unsupported'),
    { type: 'warning', code: 'sentence_unsupported', message: 'Left out.' },
    finish('written'),
  ]);
  assert.equal(answer.state, 'done');
  assert.equal(textOf(answer), 'The lease ends in May [1]. It is cheap.');
  assert.deepEqual(
    answer.units.map(({ status, citations }) => [status, citations.map(({ n }) => n)]),
    [
      ['verified', [1]],
      ['unsupported', []],
    ],
  );
  assert.deepEqual(
    answer.leftOut.map(({ text }) => text),
    ['It was signed by Bob.'],
  );
  const { cited, others } = sortedSources(answer);
  assert.deepEqual(
    [cited, others].map((list) => list.map(({ n }) => n)),
    [[1], [2]],
  );
});

test('marks become citations where there is such a source, and stay text elsewhere', () => {
  const answer = answerOf([
    looked(1),
    { type: 'text', text: 'It ends in May [1], says §[7] <b>bold</b>.' },
    citation(1),
    sentence('It ends in May.', 'verified'),
  ]);
  const [line] = linesOf(answer);
  assert.deepEqual(
    line!.inline.map((piece) =>
      piece.kind === 'cite' ? `(${piece.n} ${piece.citation?.path})` : piece.text,
    ),
    ['It ends in May', '(1 1.md)', ', says §[7] <b>bold</b>.'],
  );
});

test('lists, headings and strong words are seen, also over pieces', () => {
  const answer = answerOf([
    looked(1),
    { type: 'text', text: '## Dates\n\n- **May**: it ends [1].\n' },
    { type: 'text', text: '- June: it begins.\n\n1. First' },
    { type: 'text', text: ' and more.' },
  ]);
  assert.deepEqual(
    linesOf(answer).map(({ kind, inline }) => [
      kind,
      inline
        .map((piece) =>
          piece.kind === 'cite' ? `[${piece.n}]` : piece.strong ? `*${piece.text}*` : piece.text,
        )
        .join(''),
    ]),
    [
      ['head', 'Dates'],
      ['item', '*May*: it ends[1].'],
      ['item', 'June: it begins.'],
      ['numbered', 'First and more.'],
    ],
  );
});

test('a follow-up brings along what was answered and cited, and no refusals', () => {
  const good = answerOf([looked(1), { type: 'text', text: 'May [1].' }, citation(1), finish('written')]);
  const refused = answerOf([looked(), { type: 'text', text: 'Nothing.' }, finish('refused')]);
  assert.deepEqual(
    historyOf([
      { question: 'When?', answer: good },
      { question: 'Who?', answer: refused },
      { question: 'Why?', answer: emptyAnswer },
    ]),
    [{ question: 'When?', answer: 'May [1].', cited: ['1'.repeat(32)] }],
  );
});

test('an event that this page does not know changes nothing', () => {
  const event = { type: 'news' } as unknown as AnswerEventView;
  assert.deepEqual(takeEvent(emptyAnswer, event), emptyAnswer);
});
