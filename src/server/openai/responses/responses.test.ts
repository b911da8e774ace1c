import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InputError } from '../../../base/index.ts';
import type { ChatEvent, Receipt } from '../../../gateway/index.ts';
import { parseResponse } from './body.ts';
import { responseEvents, type StreamEvent } from './events.ts';
import { inResponseNames } from './faults.ts';
import { responseEncoding } from './index.ts';

const signal = new AbortController().signal;
const parse = (body: unknown) => parseResponse(body, signal, () => 7);
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
    ['unsupported_parameter', 'input[1]', { input: ['a', { type: 'item_reference', id: 'i' }].map(easy) }],
    ['unsupported_parameter', 'input[0]', { input: [{ id: 'msg_1' }] }],
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

function easy(item: unknown): unknown {
  return typeof item === 'string' ? { role: 'user', content: item } : item;
}

test('a wrong value is told with its place', () => {
  const f = { type: 'function', name: 'f' };
  const cases: [string, string, object][] = [
    ['invalid_type', 'input', { input: undefined }],
    ['invalid_type', 'input', { input: [] }],
    ['invalid_value', 'input', { input: [{ type: 'reasoning' }] }],
    ['invalid_value', 'input[0].role', { input: [{ role: 'tool', content: 'x' }] }],
    ['invalid_type', 'input[0].content', { input: [{ role: 'user' }] }],
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
      type: fc.constantFrom('message', 'function_call', 'function_call_output', 'reasoning', 'x', null),
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
        assert.ok(error instanceof InputError && error.status === 400, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

const receipt: Receipt = {
  backend: 'local',
  model: 'm',
  queueMs: 1,
  prefillMs: 2,
  decodeMs: null,
  notes: [],
};
const start: ChatEvent = { type: 'start', backend: 'local', model: 'm' };
const text = (value: string): ChatEvent => ({ type: 'text', choice: 0, text: value, logprobs: null });
const call = (index: number, name: string): ChatEvent => ({
  type: 'tool_call',
  choice: 0,
  index,
  id: `call_${index}`,
  name,
});
const args = (index: number, value: string): ChatEvent => ({
  type: 'tool_arguments',
  choice: 0,
  index,
  text: value,
});
const finish = (reason: 'stop' | 'length' | 'tool_calls', slidTokens = 0): ChatEvent => ({
  type: 'finish',
  choice: 0,
  reason,
  stop: null,
  slidTokens,
});
const usage: ChatEvent = { type: 'usage', promptTokens: 5, cachedTokens: 2, completionTokens: 3, receipt };

const encoder = (withReceipt = false) =>
  responseEvents(
    { id: '1', createdAt: 10, model: 'default', echo: parse({ input: 'x' }).echo },
    () => 11,
    withReceipt,
  );
const play = (...events: ChatEvent[]): StreamEvent[] => {
  const made = encoder();
  return events.flatMap((event) => made.of(event));
};

test('a text is streamed as one message, from its creation to its completion', () => {
  const events = play(start, text('Hi'), text(' you'), finish('stop'), usage);
  assert.deepEqual(
    events.map(({ type }) => type),
    [
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ],
  );
  assert.deepEqual(
    events.map((event) => event.sequence_number),
    [...events.keys()],
  );
  const { response } = events.at(-1)!;
  const message = {
    id: 'msg_1_0',
    type: 'message',
    status: 'completed',
    role: 'assistant',
    content: [{ type: 'output_text', text: 'Hi you', annotations: [], logprobs: [] }],
  };
  assert.deepEqual(events.at(-2)!.item, message);
  assert.deepEqual(
    [response?.status, response?.completed_at, response?.incomplete_details, response?.output],
    ['completed', 11, null, [message]],
  );
  assert.deepEqual(response?.usage, {
    input_tokens: 5,
    input_tokens_details: { cached_tokens: 2, cache_write_tokens: 0 },
    output_tokens: 3,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 8,
  });
  // What was sent before must not have known what came after.
  assert.deepEqual(events[0]!.response?.output, []);
  assert.deepEqual(events[3]!.part, { type: 'output_text', text: '', annotations: [], logprobs: [] });
});

test('text and calls are items in the order in which they came', () => {
  const events = play(
    start,
    text('See: '),
    call(0, 'f'),
    args(0, '{"a"'),
    args(0, ':1}'),
    call(1, 'g'),
    args(1, '{}'),
    finish('tool_calls'),
    usage,
  );
  const { response } = events.at(-1)!;
  assert.equal(response?.status, 'completed');
  assert.deepEqual(
    response?.output.map((item) => [item.id, item.type, item.status]),
    [
      ['msg_1_0', 'message', 'completed'],
      ['fc_1_1', 'function_call', 'completed'],
      ['fc_1_2', 'function_call', 'completed'],
    ],
  );
  const added = events.filter(({ type }) => type === 'response.output_item.added');
  assert.deepEqual(added[1]!.item, {
    id: 'fc_1_1',
    type: 'function_call',
    status: 'in_progress',
    call_id: 'call_0',
    name: 'f',
    arguments: '',
  });
  const done = events.filter(({ type }) => type === 'response.function_call_arguments.done');
  assert.deepEqual(
    done.map((event) => [event.item_id, event.output_index, event.arguments]),
    [
      ['fc_1_1', 1, '{"a":1}'],
      ['fc_1_2', 2, '{}'],
    ],
  );
});

test('an answer that a limit cut is incomplete, and so is its last item', () => {
  const cut = play(start, text('Hi'), finish('length', 4), usage).at(-1)!;
  assert.equal(cut.type, 'response.incomplete');
  assert.deepEqual(
    [cut.response?.incomplete_details, cut.response?.completed_at, cut.response?.output[0]?.status],
    [{ reason: 'max_output_tokens' }, null, 'incomplete'],
  );
  assert.equal(cut.response?.truncation, 'auto', 'some of the context slid away');
  const inCall = play(start, call(0, 'f'), args(0, '{"a'), finish('length'), usage).at(-1)!;
  assert.deepEqual(
    inCall.response?.output.map((item) => [item.status, item.type === 'function_call' && item.arguments]),
    [['incomplete', '{"a']],
  );
  assert.equal(inCall.response?.truncation, 'disabled');
  const afterCall = play(start, call(0, 'f'), args(0, '{"a":1}'), finish('length'), usage).at(-1)!;
  assert.deepEqual(
    [afterCall.type, afterCall.response?.output[0]?.status],
    ['response.incomplete', 'completed'],
  );
});

test('an answer without a word is one empty message', () => {
  const { response } = play(start, finish('stop'), usage).at(-1)!;
  assert.deepEqual(
    response?.output.map((item) => item.type === 'message' && item.content[0]?.text),
    [''],
  );
});

test('a fault amid an answer is an error event, then the response as far as it came', () => {
  const encoding = responseEncoding(encoder());
  encoding.encode(start);
  encoding.encode(text('Hi'));
  const fault = {
    status: 400,
    code: 'context_length_exceeded',
    message: 'messages: too long',
    param: 'messages',
  };
  const events = encoding.error(fault, 'req-1').trim().split('\n\n');
  const [error, failed] = events.map((event) => {
    const [name, data] = event.split('\n') as [string, string];
    const value = JSON.parse(data.slice('data: '.length)) as StreamEvent;
    assert.equal(name, `event: ${value.type}`);
    return value;
  });
  assert.deepEqual(error, {
    type: 'error',
    sequence_number: 5,
    code: 'context_length_exceeded',
    message: 'input: too long',
    param: 'input',
    error: {
      message: 'input: too long',
      type: 'invalid_request_error',
      param: 'input',
      code: 'context_length_exceeded',
    },
  });
  assert.equal(failed!.type, 'response.failed');
  assert.deepEqual(failed!.response?.error, { code: 'invalid_prompt', message: 'input: too long' });
  assert.deepEqual(
    failed!.response?.output.map((item) => item.status),
    ['incomplete'],
  );
  assert.equal(encoding.end(), '');
});

test('log probabilities stand in the deltas and, together, in the part', () => {
  const bytes = new TextEncoder().encode('a');
  const token = { token: 1, bytes, logprob: -0.5, top: [{ token: 1, bytes, logprob: -0.5 }] };
  const events = play(
    start,
    { type: 'text', choice: 0, text: 'a', logprobs: [token] },
    { type: 'text', choice: 0, text: 'a', logprobs: [token] },
    finish('stop'),
    usage,
  );
  const one = {
    token: 'a',
    logprob: -0.5,
    bytes: [97],
    top_logprobs: [{ token: 'a', logprob: -0.5, bytes: [97] }],
  };
  assert.deepEqual(events.find(({ type }) => type.endsWith('text.delta'))!.logprobs, [one]);
  const item = events.at(-1)!.response?.output[0];
  assert.deepEqual(item?.type === 'message' && item.content[0]?.logprobs, [one, one]);
});

test('the receipt is in the last response when it was asked for', () => {
  const made = encoder(true);
  made.of(start);
  const [last] = made.of(usage);
  assert.deepEqual((last!.response as { kith?: object }).kith, {
    backend: 'local',
    model: 'm',
    queue_ms: 1,
    prefill_ms: 2,
    decode_ms: null,
    notes: [],
  });
  assert.ok(!('kith' in play(start, usage).at(-1)!.response!));
});

test('faults that blame no field of this API stay as they are', () => {
  const fault = { status: 404, code: 'model_not_found', message: 'No model max_tokens.', param: 'model' };
  assert.equal(inResponseNames(fault), fault);
  assert.deepEqual(
    inResponseNames({ ...fault, message: 'max_tokens: too many (engine.max_tokens)', param: 'max_tokens' }),
    { ...fault, message: 'max_output_tokens: too many (engine.max_tokens)', param: 'max_output_tokens' },
  );
});
