import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseKbChat } from './openai-body.ts';

const user = (content: unknown) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });

test('the last message of the user is the question, and what was said before its history', () => {
  const { query, model, stream } = parseKbChat({
    model: 'notes',
    messages: [
      { role: 'system', content: 'Speak like a pirate.' },
      assistant('Ahoy'),
      user('When does the lease end?'),
      assistant('In May [1].'),
      assistant('Of 2030 [1].'),
      user([
        { type: 'text', text: ' And the ' },
        { type: 'text', text: 'insurance? ' },
      ]),
    ],
    temperature: 0.2,
    max_tokens: 5,
    unheard_of: true,
  });
  assert.deepEqual([model, stream], ['notes', false]);
  assert.deepEqual(query, {
    question: 'And the insurance?',
    history: [{ question: 'When does the lease end?', answer: 'In May [1].\nOf 2030 [1].' }],
    mode: 'auto',
    maxTokens: 16,
  });
});

test('options of the search and sentences without a model are asked for under kith', () => {
  const { query } = parseKbChat({
    messages: [user('Why?')],
    kith: {
      ...{ mode: 'words', k: 3, filter: { tags: ['a'] }, extract: true },
      ...{ expand: ['hyde'], rerank: 'none', budget_ms: 500 },
    },
  });
  assert.deepEqual(query, {
    ...{ question: 'Why?', history: [], mode: 'words', k: 3, writer: null },
    ...{ filter: { tags: ['a'] }, expand: ['hyde'], rerank: 'none', budgetMs: 500 },
  });
});

test('what would change the form of an answer is refused by name, what is out of bounds too', () => {
  const messages = [user('Why?')];
  const refused = (more: object, param: string, code = 'unsupported_parameter') =>
    assert.throws(() => parseKbChat({ messages, ...more }), { code, param });
  refused({ n: 2 }, 'n');
  refused({ stop: 'x' }, 'stop');
  refused({ response_format: { type: 'json_object' } }, 'response_format');
  refused({ tool_choice: 'required' }, 'tool_choice');
  refused({ logprobs: true }, 'logprobs');
  refused({ temperature: 3 }, 'temperature', 'too_big');
  refused({ kith: { k: 1000 } }, 'kith.k', 'too_big');
  refused({ stream_options: { include_usage: true } }, 'stream_options', 'invalid_value');
  refused({ messages: [assistant('Hi')] }, 'messages', 'invalid_value');
  refused({ messages: [user('  ')] }, 'messages', 'invalid_value');
  assert.ok(parseKbChat({ messages, n: 1, stop: null, tools: [], tool_choice: 'auto', logprobs: false }));
});

test('of a long conversation the last exchanges count, each within bounds', () => {
  const messages = Array.from({ length: 40 }, (_, i) =>
    i % 2 === 0 ? user(`Q${i}`) : assistant('a'.repeat(9000)),
  );
  const { query } = parseKbChat({ messages: [...messages, user('Last?')] });
  assert.equal(query.history.length, 8);
  assert.equal(query.history[0]!.question, 'Q24');
  assert.ok(query.history.every(({ answer }) => answer.length === 8000));
});
