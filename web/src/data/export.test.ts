import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Conversation, Thread } from './archive.ts';
import { asJson, asMarkdown, fileName } from './export.ts';
import { noTerms } from './terms.ts';

const conversation: Conversation = {
  id: 'c1',
  title: 'A name\nin two lines',
  created: Date.UTC(2026, 0, 2),
  updated: Date.UTC(2026, 0, 2),
  settings: {
    model: null,
    temperature: null,
    top_p: null,
    max_tokens: null,
    seed: null,
    ...noTerms,
    system: '',
  },
};
const answer: Thread['turns'][number]['answer'] = {
  state: 'done',
  text: 'It *is*.\n',
  model: 'm',
  backend: 'local',
  finish: 'stop',
  usage: { prompt_tokens: 4, completion_tokens: 3, cached_tokens: 0 },
  receipt: { backend: 'local', model: 'm', queue_ms: 1, prefill_ms: 2, decode_ms: 3, notes: [] },
  requestId: 'req-1',
  fault: null,
};
const thread: Thread = {
  id: 'c1',
  turns: [
    { id: 't1', question: '# Is it?\n```\ncode', asked: 0, answer },
    {
      id: 't2',
      question: 'And?',
      asked: 1,
      answer: { ...answer, state: 'stopped', text: '', receipt: null },
    },
  ],
};

test('Markdown quotes the questions, so that nothing in them reaches outside', () => {
  assert.equal(
    asMarkdown(conversation, thread),
    '# A name in two lines\n\n*2026-01-02T00:00:00.000Z*\n\n> # Is it?\n> ```\n> code\n\nIt *is*.\n\n*m (local), 3 tokens*\n\n> And?\n\n*(stopped)*\n',
  );
});

test('JSON holds all that the archive holds', () => {
  const read = JSON.parse(asJson([{ conversation, thread }]));
  assert.equal(read.kith, 'conversations');
  assert.equal(read.version, 1);
  assert.deepEqual(read.conversations, [{ ...conversation, turns: thread.turns }]);
});

test('file names are safe on every system', () => {
  assert.equal(fileName('../../etc: "x"?', 'md'), 'etc-x.md');
  assert.equal(fileName('شرح بسيط', 'json'), 'شرح-بسيط.json');
  assert.equal(fileName('???', 'md'), 'conversation.md');
  assert.ok(fileName('x'.repeat(500), 'md').length < 70);
});
