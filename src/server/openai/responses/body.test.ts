import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../../test/property.ts';
import { InputError, KithError } from '../../../base/index.ts';
import { parseResponse } from './body.ts';
import type { AnswerItem } from './items.ts';

const signal = new AbortController().signal;
const message: AnswerItem = { type: 'message', role: 'assistant', content: 'Let me see.' };
const call: AnswerItem = { type: 'function_call', call_id: 'a', name: 'f', arguments: '{"x":1}' };
const items = new Map<string, AnswerItem>([
  ['msg_1', message],
  ['fc_1', call],
]);
const remembered = { recall: (id: string) => items.get(id) ?? null, maxLength: 30 };
const parse = (body: unknown) => parseResponse(body, signal, () => 7, remembered);
const messages = (input: unknown, more: object = {}) => parse({ input, ...more }).request.messages;
const refusedFor = (code: string, param: string) => (error: unknown) => {
  assert.ok(error instanceof InputError, String(error));
  assert.deepEqual([error.code, error.param], [code, param]);
  return true;
};

test('a text, easy messages and full messages say the same', () => {
  const said = [{ role: 'user', content: 'Hi' }];
  assert.deepEqual(messages('Hi'), said);
  assert.deepEqual(messages([{ role: 'user', content: 'Hi' }]), said);
  const content = [
    { type: 'input_text', text: 'H' },
    { type: 'input_text', text: 'i' },
  ];
  assert.deepEqual(messages([{ type: 'message', role: 'user', status: 'completed', content }]), said);
});

test('a conversation with tools becomes the messages that templates expect', () => {
  const items = [
    { role: 'developer', content: 'Use tools.' },
    { role: 'user', content: 'Weather?' },
    { type: 'reasoning', id: 'rs_1', summary: [] },
    {
      type: 'message',
      id: 'msg_1',
      status: 'completed',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'Let me see.', annotations: [] }],
    },
    { type: 'function_call', id: 'fc_1', call_id: 'a', name: 'f', arguments: '{"x":1}' },
    { type: 'function_call', call_id: 'b', name: 'g', arguments: '{}' },
    { type: 'function_call_output', call_id: 'b', output: 'cold' },
    { type: 'function_call_output', call_id: 'a', output: [{ type: 'input_text', text: 'wet' }] },
    { role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] },
  ];
  const call = (id: string, name: string, args: string) => ({
    id,
    type: 'function',
    function: { name, arguments: args },
  });
  assert.deepEqual(messages(items, { instructions: 'Be brief.' }), [
    { role: 'system', content: 'Be brief.\n\nUse tools.' },
    { role: 'user', content: 'Weather?' },
    {
      role: 'assistant',
      content: 'Let me see.',
      tool_calls: [call('a', 'f', '{"x":1}'), call('b', 'g', '{}')],
    },
    { role: 'tool', content: 'cold', tool_call_id: 'b' },
    { role: 'tool', content: 'wet', tool_call_id: 'a' },
    { role: 'assistant', content: 'No.' },
  ]);
  assert.deepEqual(messages(items.slice(4, 5)), [
    { role: 'assistant', content: null, tool_calls: [call('a', 'f', '{"x":1}')] },
  ]);
});

test('a reference says what its item says, with or without its type', () => {
  const user = { role: 'user', content: 'Weather?' };
  const output = { type: 'function_call_output', call_id: 'a', output: 'wet' };
  const whole = messages([user, message, call, output]);
  assert.equal(whole.length, 3);
  const reference = { type: 'item_reference', id: 'msg_1' };
  assert.deepEqual(messages([user, reference, { id: 'fc_1' }, output]), whole);
  assert.deepEqual(messages([user, { ...reference, type: null }, call, output]), whole);
});

test('a reference to nothing is told with its place and what to do instead', () => {
  const user = { role: 'user', content: 'Hi' };
  const wrong = { type: 'item_reference', id: 'msg_2' };
  assert.throws(() => parse({ input: [user, wrong] }), refusedFor('item_not_found', 'input[1].id'));
  assert.throws(() => parse({ input: [wrong] }), /no item 'msg_2'.*Send the item itself.*`store` is false/);
});

test('references bring in no more than a body may hold, however often they come', () => {
  const said = { type: 'item_reference', id: 'msg_1' };
  assert.equal(messages([said, said]).length, 2);
  assert.throws(
    () => parse({ input: [said, said, said] }),
    (error) =>
      error instanceof KithError &&
      error.status === 413 &&
      error.code === 'body_too_large' &&
      error.param === 'input[2].id',
  );
});

test('answers are for later references unless `store` is false', () => {
  const store = (value: unknown) => parse({ input: 'x', store: value }).store;
  assert.deepEqual([undefined, null, true, false].map(store), [true, true, true, false]);
  assert.throws(() => store('false'), refusedFor('invalid_type', 'store'));
});

test('instructions take in only the system messages that follow them at once', () => {
  const system = { role: 'system', content: 's' };
  const user = { role: 'user', content: 'u' };
  assert.deepEqual(messages([user, system], { instructions: 'i' }), [
    { role: 'system', content: 'i' },
    user,
    system,
  ]);
  assert.deepEqual(messages([system, system, user]), [system, system, user]);
});

test('every field arrives where the gateway looks for it', () => {
  const { request, stream, receipt } = parse({
    model: 'm',
    input: 'x',
    max_output_tokens: 9,
    temperature: 0.5,
    top_p: 0.9,
    top_logprobs: 2,
    include: ['message.output_text.logprobs', 'reasoning.encrypted_content'],
    truncation: 'auto',
    parallel_tool_calls: false,
    text: { format: { type: 'json_object' }, verbosity: 'low' },
    tools: [{ type: 'function', name: 'f', parameters: { type: 'object' }, strict: true }],
    tool_choice: { type: 'function', name: 'f' },
    stream: true,
    stream_options: { include_obfuscation: false },
    store: true,
    metadata: { a: 'b' },
    reasoning: { effort: 'low' },
    service_tier: 'auto',
    kith: { timeout_ms: 1000, receipt: true },
  });
  assert.deepEqual(request.sampler, { seed: 7, topLogprobs: 2, temperature: 0.5, topP: 0.9 });
  assert.deepEqual(
    [request.model, request.n, request.maxTokens, request.overflow, request.timeoutMs, request.grammar],
    ['m', 1, 9, 'slide', 1000, { kind: 'json_object' }],
  );
  assert.deepEqual(request.tools, [
    { name: 'f', description: null, parameters: { type: 'object' }, strict: true },
  ]);
  assert.deepEqual(
    [request.toolChoice, request.parallelToolCalls, stream, receipt],
    [{ name: 'f' }, false, true, true],
  );
  assert.deepEqual(request.variables, { enable_thinking: true, reasoning_effort: 'low' });
});

test('what is left out is left to the gateway and told as it will be', () => {
  const { request, echo } = parse({ input: 'x', tools: null, include: null, text: null });
  assert.deepEqual(
    [request.maxTokens, request.overflow, request.tools, request.grammar, request.sampler.topLogprobs],
    [null, null, undefined, undefined, null],
  );
  assert.deepEqual(
    [echo.temperature, echo.top_p, echo.tool_choice, echo.text, echo.truncation],
    [0.7, 0.95, 'auto', { format: { type: 'text' } }, null],
  );
});

test('of allowed tools only those are offered', () => {
  const tools = ['f', 'g'].map((name) => ({ type: 'function', name }));
  const { request } = parse({
    input: 'x',
    tools,
    tool_choice: { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'g' }] },
  });
  assert.deepEqual(
    request.tools?.map(({ name }) => name),
    ['g'],
  );
  assert.equal(request.toolChoice, 'required');
});

test('what this node does not do is refused by name', () => {
  const f = { type: 'function', name: 'f' };
  const cases: [string, string, object][] = [
    ['unsupported_parameter', 'previous_response_id', { previous_response_id: 'resp_1' }],
    ['unsupported_parameter', 'conversation', { conversation: 'conv_1' }],
    ['unsupported_parameter', 'background', { background: true }],
    ['unsupported_parameter', 'prompt', { prompt: { id: 'p' } }],
    ['unsupported_parameter', 'n', { n: 2 }],
    ['unsupported_parameter', 'input[0]', { input: [{ type: 'computer_call_output' }] }],
    [
      'unsupported_parameter',
      'input[0].content[0]',
      { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'x' }] }] },
    ],
    [
      'unsupported_parameter',
      'input[0].content[0]',
      { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'x' }] }] },
    ],
    ...['web_search', 'file_search', 'code_interpreter', 'computer', 'mcp', 'image_generation', 'custom'].map(
      (type): [string, string, object] => ['unsupported_parameter', 'tools[1]', { tools: [f, { type }] }],
    ),
    ['unsupported_parameter', 'tool_choice', { tools: [f], tool_choice: { type: 'mcp' } }],
  ];
  for (const [code, param, extra] of cases)
    assert.throws(() => parse({ input: 'x', ...extra }), refusedFor(code, param), JSON.stringify(extra));
  assert.throws(() => parse({ previous_response_id: 'r' }), /send the earlier items again in `input`/);
});

test('a wrong value is told with its place', () => {
  const f = { type: 'function', name: 'f' };
  const cases: [string, string, object][] = [
    ['invalid_type', 'input', { input: undefined }],
    ['invalid_type', 'input', { input: [] }],
    ['invalid_value', 'input', { input: [{ type: 'reasoning' }] }],
    ['invalid_value', 'input[0].role', { input: [{ role: 'tool', content: 'x' }] }],
    ['invalid_type', 'input[0].content', { input: [{ role: 'user' }] }],
    ['invalid_type', 'input[0].id', { input: [{ type: 'item_reference' }] }],
    ['too_big', 'input[0].id', { input: [{ type: 'item_reference', id: 'x'.repeat(201) }] }],
    [
      'invalid_value',
      'input[0].content[0]',
      { input: [{ role: 'user', content: [{ type: 'input_text' }] }] },
    ],
    [
      'invalid_value',
      'input[0].call_id',
      { input: [{ type: 'function_call_output', call_id: 'c', output: '' }] },
    ],
    ['invalid_type', 'input[0].arguments', { input: [{ type: 'function_call', call_id: 'c', name: 'f' }] }],
    ['invalid_value', 'tool_choice', { tool_choice: 'maybe' }],
    ['invalid_value', 'tool_choice', { tool_choice: 'required' }],
    ['invalid_value', 'tool_choice', { tools: [f], tool_choice: { type: 'function', name: 'g' } }],
    ['invalid_value', 'tools[1].name', { tools: [f, f] }],
    ['invalid_format', 'tools[0].name', { tools: [{ type: 'function', name: 'a b' }] }],
    ['invalid_value', 'truncation', { truncation: 'middle' }],
    [
      'invalid_value',
      'metadata',
      { metadata: Object.fromEntries([...Array(17).keys()].map((i) => [i, 'x'])) },
    ],
    ['invalid_type', 'metadata.a', { metadata: { a: 1 } }],
    ['invalid_value', 'stream_options', { stream_options: {} }],
    ['invalid_type', 'text.format.schema', { text: { format: { type: 'json_schema', name: 'x' } } }],
    ['too_big', 'top_logprobs', { top_logprobs: 21 }],
  ];
  for (const [code, param, extra] of cases)
    assert.throws(() => parse({ input: 'x', ...extra }), refusedFor(code, param), JSON.stringify(extra));
  assert.throws(() => parse({ input: [] }), /^InputError: input: must not be empty$/);
  assert.throws(() => parse({ input: Array(2049).fill('x') }), /input: at most 2048 entries/);
  assert.throws(() => parse({ input: 5 }), /input: must be a text or an array of items/);
});

test('no JSON body makes the parser throw anything but a typed 4xx', () => {
  const item = fc.record(
    {
      type: fc.constantFrom(
        ...['message', 'function_call', 'function_call_output', 'reasoning', 'item_reference', 'x', null],
      ),
      id: fc.constantFrom('msg_1', 'fc_1', 'msg_2', '', 5),
      role: fc.constantFrom('user', 'assistant', 'system', 'x'),
      content: fc.jsonValue(),
      call_id: fc.constantFrom('a', 'b'),
      name: fc.jsonValue(),
      arguments: fc.constantFrom('{}', 5),
      output: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const body = fc.record(
    {
      input: fc.oneof(fc.jsonValue(), fc.array(item)),
      tools: fc.oneof(fc.jsonValue(), fc.constant([{ type: 'function', name: 'f' }])),
      tool_choice: fc.oneof(fc.jsonValue(), fc.constantFrom('auto', 'required')),
      text: fc.jsonValue(),
      metadata: fc.jsonValue(),
      include: fc.jsonValue(),
      stream: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(body, fc.jsonValue()), (value) => {
      try {
        parse(value);
      } catch (error) {
        const status = error instanceof KithError && error.code === 'body_too_large' ? 413 : 400;
        assert.ok(error instanceof KithError && error.status === status, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});
