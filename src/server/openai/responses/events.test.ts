import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChatEvent, Receipt } from '../../../gateway/index.ts';
import { parseResponse } from './body.ts';
import { responseEvents, type StreamEvent } from './events.ts';
import { inResponseNames } from './faults.ts';
import { responseEncoding } from './index.ts';

const { echo } = parseResponse({ input: 'x' }, new AbortController().signal, () => 7, {
  recall: () => null,
  maxLength: 0,
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
  responseEvents({ id: '1', createdAt: 10, model: 'default', echo }, () => 11, withReceipt);
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
