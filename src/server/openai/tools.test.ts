import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../../base/index.ts';
import type { ChatEvent } from '../../gateway/index.ts';
import { chatEncoder, parseChat } from './chat.ts';

const chat = (body: object) =>
  parseChat(
    { messages: [{ role: 'user', content: 'Hello' }], ...body },
    new AbortController().signal,
    () => 7,
  );
const functionOf = (name: string, extra: object = {}) => ({ type: 'function', function: { name, ...extra } });
const call = (id: string, extra: object = {}) => ({ ...functionOf('f', { arguments: '{}' }), id, ...extra });

test('tools and how to choose among them arrive at the gateway', () => {
  const parameters = { type: 'object', properties: { x: { type: 'integer' } } };
  const { request } = chat({
    tools: [functionOf('f', { description: 'd', parameters, strict: true }), functionOf('g')],
    tool_choice: { type: 'function', function: { name: 'g' } },
    parallel_tool_calls: false,
    reasoning_effort: 'none',
  });
  assert.deepEqual(request.tools, [
    { name: 'f', description: 'd', parameters, strict: true },
    { name: 'g', description: null, parameters: null, strict: false },
  ]);
  assert.deepEqual([request.toolChoice, request.parallelToolCalls], [{ name: 'g' }, false]);
  assert.deepEqual(request.variables, { enable_thinking: false, reasoning_effort: 'none' });
});

test('of allowed tools only those are offered, and without tools there is no choice', () => {
  const allowed_tools = { mode: 'required', tools: [functionOf('g')] };
  const { request } = chat({
    tools: [functionOf('f'), functionOf('g')],
    tool_choice: { type: 'allowed_tools', allowed_tools },
  });
  assert.deepEqual([request.tools?.map(({ name }) => name), request.toolChoice], [['g'], 'required']);
  const none = chat({ tools: [], tool_choice: 'auto', parallel_tool_calls: true }).request;
  assert.deepEqual([none.tools, none.toolChoice], [undefined, undefined]);
});

test('what cannot be done with tools is refused by the field it stands in', () => {
  const f = functionOf('f');
  const deep = { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [functionOf('h')] } };
  const cases: [code: string, param: string, body: object][] = [
    ['unsupported_parameter', 'tools[1]', { tools: [f, { type: 'custom', custom: { name: 'x' } }] }],
    ['invalid_value', 'tools[0]', { tools: [{}] }],
    ['invalid_format', 'tools[0].function.name', { tools: [functionOf('a b')] }],
    ['invalid_value', 'tools[1].name', { tools: [f, f] }],
    ['too_big', 'tools', { tools: Array(129).fill(f) }],
    ['invalid_type', 'tools[0].function.parameters', { tools: [functionOf('f', { parameters: 'x' })] }],
    ['invalid_value', 'tool_choice', { tools: [f], tool_choice: 'maybe' }],
    ['invalid_value', 'tool_choice', { tool_choice: 'required' }],
    ['invalid_value', 'tool_choice', { tools: [f], tool_choice: functionOf('g') }],
    ['invalid_value', 'tool_choice', { tools: [f], tool_choice: deep }],
    ['unsupported_parameter', 'tool_choice', { tools: [f], tool_choice: { type: 'custom' } }],
    ['unsupported_parameter', 'functions', { functions: [{ name: 'f' }] }],
    ['unsupported_parameter', 'function_call', { function_call: { name: 'f' } }],
    ['invalid_value', 'reasoning_effort', { reasoning_effort: 'huge' }],
    ['invalid_type', 'metadata.a', { metadata: { a: 1 } }],
    ['invalid_value', 'metadata', { metadata: [] }],
  ];
  for (const [code, param, body] of cases) {
    assert.throws(
      () => chat(body),
      (error) => {
        assert.ok(error instanceof InputError, String(error));
        assert.deepEqual([error.code, error.param], [code, param], error.message);
        return true;
      },
    );
  }
});

test('a tool message answers an earlier call', () => {
  const answered = { role: 'tool', content: 'result', tool_call_id: 'a' };
  const asked = { role: 'assistant', content: null, tool_calls: [call('a'), call('b')] };
  const { request } = chat({ messages: [{ role: 'user', content: 'x' }, asked, answered] });
  assert.deepEqual(request.messages[2], answered);
  const refused = (messages: object[], param: string) =>
    assert.throws(
      () => chat({ messages }),
      (error) => error instanceof InputError && error.param === param,
      param,
    );
  refused([answered], 'messages[0].tool_call_id');
  refused([asked, { ...answered, tool_call_id: 'c' }], 'messages[1].tool_call_id');
  refused([answered, asked], 'messages[0].tool_call_id');
  refused([{ ...asked, tool_calls: [call('a', { type: 'custom' })] }], 'messages[0].tool_calls[0].type');
  refused(
    [{ role: 'assistant', tool_calls: [functionOf('f', { arguments: '' })] }],
    'messages[0].tool_calls[0].id',
  );
});

test('a call without arguments has an empty object, and an empty list of calls is none', () => {
  const { request } = chat({
    messages: [
      { role: 'assistant', tool_calls: [{ ...functionOf('f', { arguments: '' }), id: 'a' }] },
      { role: 'assistant', content: 'x', tool_calls: [] },
    ],
  });
  assert.deepEqual(request.messages, [
    { role: 'assistant', content: null, tool_calls: [call('a')] },
    { role: 'assistant', content: 'x' },
  ]);
});

test('a streamed call begins with its id and name, and its arguments follow by index', () => {
  const encode = chatEncoder({ id: 'chatcmpl-1', created: 1, system_fingerprint: 'kith-0' }, 1, false);
  const events: ChatEvent[] = [
    { type: 'tool_call', choice: 0, index: 1, id: 'call_x', name: 'f' },
    { type: 'tool_arguments', choice: 0, index: 1, text: '{"a"' },
    { type: 'finish', choice: 0, reason: 'tool_calls', stop: null, slidTokens: 0 },
  ];
  const choices = events
    .flatMap((event) => encode(event) as { choices: unknown[] }[])
    .map((each) => each.choices[0]);
  const nothing = { index: 0, logprobs: null, finish_reason: null };
  assert.deepEqual(choices, [
    {
      ...nothing,
      delta: {
        tool_calls: [{ index: 1, id: 'call_x', type: 'function', function: { name: 'f', arguments: '' } }],
      },
    },
    { ...nothing, delta: { tool_calls: [{ index: 1, function: { arguments: '{"a"' } }] } },
    { ...nothing, delta: {}, finish_reason: 'tool_calls' },
  ]);
});
