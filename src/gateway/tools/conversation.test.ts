import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChatMessage } from '../../engine/index.ts';
import { conversationOf } from './conversation.ts';

const call = (id: string, name: string, text: string) => ({
  id,
  type: 'function',
  function: { name, arguments: text },
});
const asked: ChatMessage = {
  role: 'assistant',
  content: null,
  tool_calls: [call('call_a', 'f', '{"x": 1}'), call('call_b', 'g', '{}')],
};
const results: ChatMessage[] = [
  { role: 'tool', content: 'B', tool_call_id: 'call_b' },
  { role: 'tool', content: 'A', tool_call_id: 'call_a' },
];
const user: ChatMessage = { role: 'user', content: 'Go' };
const tool = { name: 'f', description: 'does', parameters: null, strict: false };

test('a template that knows tools gets them, and no content is null', () => {
  const { messages, tools } = conversationOf([user, asked, ...results], [tool], 'hermes');
  assert.deepEqual(messages, [user, { ...asked, content: '' }, ...results]);
  assert.deepEqual(tools, [
    {
      type: 'function',
      function: { name: 'f', description: 'does', parameters: { type: 'object', properties: {} } },
    },
  ]);
  assert.equal(conversationOf([user], [], 'hermes').tools, undefined);
});

test('for Mistral every id has nine letters and digits, and answers keep naming their calls', () => {
  const { messages } = conversationOf([user, asked, ...results], [], 'mistral');
  const ids = (messages[1]!.tool_calls as { id: string }[]).map(({ id }) => id);
  for (const id of ids) assert.match(id, /^[A-Za-z0-9]{9}$/);
  assert.deepEqual([messages[2]!.tool_call_id, messages[3]!.tool_call_id], [ids[1], ids[0]]);
  const [kept] = conversationOf([{ ...results[0]!, tool_call_id: 'abcDEF123' }], [], 'mistral').messages;
  assert.equal(kept!.tool_call_id, 'abcDEF123');
});

test('for Llama 3 each call stands alone with its result after it', () => {
  const { messages } = conversationOf([user, { ...asked, content: 'I look.' }, ...results], [], 'llama3');
  const [a, b] = asked.tool_calls!;
  assert.deepEqual(messages, [
    user,
    { role: 'assistant', content: 'I look.' },
    { role: 'assistant', content: '', tool_calls: [a] },
    results[1],
    { role: 'assistant', content: '', tool_calls: [b] },
    results[0],
  ]);
});

test('for a template without tools everything is said in plain messages, and turns alternate', () => {
  const { messages, tools } = conversationOf(
    [user, asked, ...results, { role: 'assistant', content: 'ok' }],
    [tool],
    'plain',
  );
  assert.equal(tools, undefined);
  assert.deepEqual(
    messages.map(({ role }) => role),
    ['system', 'user', 'assistant', 'user', 'assistant'],
  );
  assert.match(messages[0]!.content!, /"name":"f".*<tool_call>/s);
  assert.equal(
    messages[2]!.content,
    '<tool_call>\n{"name": "f", "arguments": {"x": 1}}\n</tool_call>\n<tool_call>\n{"name": "g", "arguments": {}}\n</tool_call>',
  );
  assert.equal(
    messages[3]!.content,
    '<tool_response>\nB\n</tool_response>\n<tool_response>\nA\n</tool_response>',
  );
  const [system] = conversationOf([{ role: 'system', content: 'Be brief.' }, user], [tool], 'plain').messages;
  assert.match(system!.content!, /^Be brief\.\n\nYou can call/);
  assert.deepEqual(conversationOf([user], [], 'plain').messages, [user]);
});

test('where a template refuses a system message the first user says it', () => {
  const [first, ...others] = conversationOf(
    [{ role: 'system', content: 'Be brief.' }, user, asked],
    [tool],
    'folded',
  ).messages;
  assert.equal(first!.role, 'user');
  assert.match(first!.content!, /^Be brief\.\n\nYou can call.*\n\nGo$/s);
  assert.deepEqual(
    others.map(({ role }) => role),
    ['assistant'],
  );
  assert.deepEqual(conversationOf([user], [], 'folded').messages, [user]);
});
