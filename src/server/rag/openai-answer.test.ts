import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SourceView } from './answer-types.ts';
import { type AnyAnswerEvent, passageUrl, readAnswer } from './openai-answer.ts';

const source = (n: number, path: string): SourceView => ({
  ...{ n, path, title: `Title ${n}`, where: '', place: { line: n }, text: 'Text.' },
  ...{ chunks: ['0'.repeat(32)], score: 1 },
});
const sources = (...all: SourceView[]): AnyAnswerEvent => ({
  ...{ type: 'sources', question: 'Why?', rewrittenBy: null, sources: all, by: ['words'], route: null },
  ...{ steps: [], support: { enough: true, coverage: 1, cosine: null, margin: null, missing: [] } },
});
const citation = (n: number): AnyAnswerEvent => ({
  ...{ type: 'citation', n, chunk: '0'.repeat(32), path: 'a', title: 't', place: {} },
  ...{ sentence: 'Text.', verified: true },
});
const sentence = (text: string): AnyAnswerEvent => ({
  ...{ type: 'sentence', text, status: 'verified', missing: [], given: true },
});
const figures = {
  ...{ sentences: 0, cited: 0, verified: 0, unsupported: 0, leftOut: 0, removedCitations: 0 },
};
const finish = (outcome: 'written' | 'refused'): AnyAnswerEvent => ({
  ...{ type: 'finish', outcome, reason: null, figures },
});

function read(events: readonly AnyAnswerEvent[]) {
  const reading = readAnswer('notes');
  const text = events.map((event) => reading.add(event)).join('');
  return { text, ...reading.message() };
}

test('sources have the numbers of their first citation, and what nothing cites comes behind', () => {
  const { text, content, annotations, citations, kith } = read([
    sources(source(1, 'a.md'), source(2, 'b c.md'), source(3, 'd.md')),
    { type: 'text', text: '😀 One [3]. ' },
    citation(3),
    sentence('One.'),
    { type: 'text', text: 'Two [2][3].' },
    citation(2),
    citation(3),
    sentence('Two.'),
    finish('written'),
  ]);
  assert.equal(content, '😀 One [1]. Two [2][1].');
  assert.equal(text, content, 'what is streamed is what is given whole');
  assert.deepEqual(citations, [
    'kith://notes/d.md#line=3',
    'kith://notes/b%20c.md#line=2',
    'kith://notes/a.md#line=1',
  ]);
  const points = [...content];
  assert.deepEqual(
    annotations.map(({ url_citation: { start_index, end_index, url } }) => [
      points.slice(start_index, end_index).join(''),
      url,
    ]),
    [
      ['[1]', citations[0]],
      ['[2]', citations[1]],
      ['[1]', citations[0]],
    ],
  );
  const told = kith as { sources: { n: number; path: string }[]; citations: { n: number }[] };
  assert.deepEqual(
    told.sources.map(({ n, path }) => [n, path]),
    [
      [1, 'd.md'],
      [2, 'b c.md'],
      [3, 'a.md'],
    ],
  );
  assert.deepEqual(
    told.citations.map(({ n }) => n),
    [1, 2, 1],
  );
});

test('a number in brackets that nothing cites is text, also in a refusal', () => {
  const refused = read([
    sources(source(1, 'a.md'), source(2, 'b.md')),
    { type: 'text', text: 'The documents do not answer this. Nearest: “List [2]”.' },
    finish('refused'),
  ]);
  assert.equal(refused.content, 'The documents do not answer this. Nearest: “List [2]”.');
  assert.deepEqual(refused.annotations, []);
  assert.equal(refused.finish_reason, 'stop');
  assert.equal((refused.kith as { outcome: string }).outcome, 'refused');
});

test('an answer that was cut ends by its length', () => {
  const cut = read([
    sources(source(1, 'a.md')),
    { type: 'text', text: 'One [1].' },
    citation(1),
    sentence('One.'),
    { type: 'warning', code: 'answer_cut', message: 'Cut.' },
    finish('written'),
  ]);
  assert.equal(cut.finish_reason, 'length');
});

test('a passage has a URL with its path and where in the file', () => {
  assert.equal(
    passageUrl('notes', { path: 'a/ü?.pdf', place: { page: 3 } }),
    'kith://notes/a/%C3%BC%3F.pdf#page=3',
  );
  assert.equal(passageUrl('notes', { path: 'x.txt', place: {} }), 'kith://notes/x.txt');
});
