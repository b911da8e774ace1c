import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../../base/index.ts';
import { leansOn, rewriteByRules, rewriteFollowUp } from './follow-up.ts';
import { scripted } from './testing/chunks.ts';
import type { Turn, Writer } from './types.ts';

const turn = (question: string, answer = ''): Turn => ({ question, answer });
const CURIE = [turn('Where was Marie Curie born?', 'Marie Curie was born in Warsaw [1].')];

test('pronouns are replaced by what was asked about', () => {
  for (const [question, turns, expected] of [
    ['When was she born?', CURIE, 'When was Marie Curie born?'],
    ['What was her husband called?', CURIE, 'What was Marie Curie’s husband called?'],
    ['Who designed it?', [turn('How long is the Ardle Bridge?')], 'Who designed Ardle Bridge?'],
    [
      'How old was he?',
      [turn('Who invented the telephone?', 'Alexander Graham Bell did [1].')],
      'How old was Alexander Graham Bell?',
    ],
    ['Does it need water?', [turn('how does the reactor work?')], 'Does reactor work need water?'],
  ] as const)
    assert.equal(rewriteByRules(question, turns), expected);
});

test('questions that go on from the one before take its words', () => {
  for (const [question, before, expected] of [
    ['What about France?', 'What is the capital of Germany?', 'What is the capital of France?'],
    ['So what is the capital of France?', 'How large is Germany?', 'what is the capital of France?'],
    ['What about $& then?', 'Is Germany large?', 'Is Germany large: $& then?'],
    ['And in 1915?', 'How many ships sailed in 1914?', 'How many ships sailed in 1915?'],
    ['Why?', 'Did the Ardle Bridge fall?', 'Why: Did the Ardle Bridge fall?'],
    ['And when did it end?', 'When did the Great War begin?', 'when did Great War end?'],
  ] as const)
    assert.equal(rewriteByRules(question, [turn(before)]), expected);
});

test('questions that stand alone stay as they are', async () => {
  for (const question of [
    'When was Ada Lovelace born?',
    'Is it true that oak is hard?',
    'Did Ada Lovelace say what she wanted?',
    'How tall is the tower?',
    'How do I reset the router when it blinks?',
  ]) {
    assert.equal(leansOn(question), false, question);
    const clock = createManualClock();
    assert.deepEqual(await rewriteFollowUp(question, CURIE, { clock }), {
      question,
      by: null,
      skipped: null,
    });
  }
  assert.equal(rewriteByRules('When was she born?', []), null);
});

test('the writer’s question is taken when it names nothing new, and the rules’ otherwise', async () => {
  const clock = createManualClock();
  const by = async (text: string) =>
    rewriteFollowUp('When was she born?', CURIE, { writer: scripted([text]), clock });
  assert.deepEqual(await by('Question: "When was Marie Curie born?"\nIt is clear.'), {
    ...{ question: 'When was Marie Curie born?', by: 'writer', skipped: null },
  });
  for (const text of [
    'When was Pierre Dupont born?',
    'She was born in 1867.',
    '',
    'When was she born?',
    'Marie Curie, born 1867?',
  ]) {
    const rewritten = await by(text);
    assert.deepEqual([rewritten.question, rewritten.by], ['When was Marie Curie born?', 'rules'], text);
    assert.notEqual(rewritten.skipped, null);
  }
});

test('a writer that is too slow is not waited for', async () => {
  const clock = createManualClock();
  let stopped = false;
  const slow: Writer = {
    ...{ id: 'slow', context: 2048 },
    async *write(_messages, { signal }) {
      const clockUp = clock.advance(1500);
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      await clockUp;
      stopped = true;
      yield 'When was Marie Curie born?';
    },
  };
  const rewritten = await rewriteFollowUp('When was she born?', CURIE, {
    writer: slow,
    clock,
    budgetMs: 1500,
  });
  assert.deepEqual(rewritten, {
    ...{ question: 'When was Marie Curie born?', by: 'rules', skipped: 'it took longer than 1500 ms' },
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(stopped);
});
