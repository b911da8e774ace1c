import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { InputError } from '../../base/index.ts';
import type { ChatEvent } from '../../gateway/index.ts';
import { encodeEvent } from '../http/sse.ts';
import { chatEncoder, parseChat } from './chat.ts';
import { completionEncoder, parseCompletion } from './completions.ts';
import { base64Floats, parseEmbeddings } from './embeddings.ts';

const signal = new AbortController().signal;
const seed = () => 7;
const chat = (body: unknown) => parseChat(body, signal, seed);
const completion = (body: unknown) => parseCompletion(body, signal, seed);
const hello = [{ role: 'user', content: 'Hello' }];
const refusedFor = (param: string) => (error: unknown) =>
  error instanceof InputError && error.param === param;

test('every chat field arrives where the engine looks for it', () => {
  const { request, stream, includeUsage } = chat({
    model: 'm',
    messages: [
      { role: 'developer', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
        name: 'Ann',
      },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: '1', type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
      { role: 'tool', content: 'result', tool_call_id: '1' },
    ],
    temperature: 0.5,
    top_p: 0.9,
    top_k: 10,
    min_p: 0.1,
    max_tokens: 5,
    max_completion_tokens: 6,
    stop: 'end',
    seed: -1,
    presence_penalty: 1,
    frequency_penalty: -1,
    repeat_penalty: 1.1,
    logit_bias: { 12: -100 },
    logprobs: true,
    top_logprobs: 3,
    n: 2,
    stream: true,
    stream_options: { include_usage: true, include_obfuscation: false },
    user: 'u',
    metadata: { a: 'b' },
    store: false,
    kith: { overflow: 'slide', keep_tokens: 4, timeout_ms: 1000 },
  });
  assert.deepEqual(request.messages, [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'ab', name: 'Ann' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: '1', type: 'function', function: { name: 'f', arguments: '{}' } }],
    },
    { role: 'tool', content: 'result', tool_call_id: '1' },
  ]);
  assert.deepEqual(request.sampler, {
    seed: 0xffffffff,
    topLogprobs: 3,
    temperature: 0.5,
    topP: 0.9,
    topK: 10,
    minP: 0.1,
    presencePenalty: 1,
    frequencyPenalty: -1,
    repeatPenalty: 1.1,
    logitBias: [[12, -100]],
  });
  assert.deepEqual(
    [request.maxTokens, request.stop, request.n, request.overflow, request.keepTokens, request.timeoutMs],
    [6, ['end'], 2, 'slide', 4, 1000],
  );
  assert.deepEqual([stream, includeUsage], [true, true]);
});

test('null means the same as absent, and unknown fields are ignored', () => {
  const { request, stream } = chat({
    messages: hello,
    temperature: null,
    stop: null,
    n: null,
    stream: null,
    foo: { bar: 1 },
  });
  assert.deepEqual(
    [request.model, request.sampler, request.n, stream],
    [null, { seed: 7, topLogprobs: null }, 1, false],
  );
});

test('a refused field is named', () => {
  const cases: [string, object][] = [
    ['tools[0]', { tools: [{}] }],
    ['response_format.type', { response_format: { type: 'xml' } }],
    ['response_format.json_schema', { response_format: { type: 'json_schema' } }],
    [
      'response_format.json_schema.name',
      { response_format: { type: 'json_schema', json_schema: { schema: {} } } },
    ],
    ['n', { n: 0 }],
    ['n', { n: 1.5 }],
    ['temperature', { temperature: 'hot' }],
    ['top_logprobs', { top_logprobs: 2 }],
    ['stop[1]', { stop: ['a', ''] }],
    ['stop', { stop: Array(17).fill('a') }],
    ['logit_bias.12', { logit_bias: { 12: 101 } }],
    ['stream_options', { stream_options: {} }],
    ['messages', { messages: [] }],
    ['messages', { messages: 'hi' }],
    ['messages[0].role', { messages: [{ role: 'robot', content: 'x' }] }],
    ['messages[0].content', { messages: [{ role: 'user' }] }],
    [
      'messages[0].content[0]',
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] },
    ],
    ['kith.overflow', { kith: { overflow: 'drop' } }],
    ['kith.min_tier', { kith: { min_tier: 'best' } }],
    ['kith.max_latency_ms', { kith: { max_latency_ms: -1 } }],
    ['kith.pledge', { kith: { pledge: 'yes' } }],
  ];
  for (const [param, extra] of cases)
    assert.throws(() => chat({ messages: hello, ...extra }), refusedFor(param), param);
  assert.throws(() => completion({ prompt: 'x', suffix: 'y' }), refusedFor('suffix'));
  assert.throws(() => completion({ prompt: 'x', best_of: 2 }), refusedFor('best_of'));
  assert.throws(() => completion({ prompt: [1, 'a'] }), refusedFor('prompt[1]'));
  assert.throws(() => completion({ prompt: [[1], [2.5]] }), refusedFor('prompt[1][0]'));
  assert.throws(() => parseEmbeddings({ input: ['a', ''] }), refusedFor('input[1]'));
  assert.throws(() => parseEmbeddings({ input: 'a', encoding_format: 'hex' }), refusedFor('encoding_format'));
});

test('a refused value has a code that says why', () => {
  const user = (content: unknown) => ({ messages: [{ role: 'user', content }] });
  const cases: [string, string, object][] = [
    [
      'unsupported_parameter',
      'messages[0].content[1]',
      user([{ type: 'text', text: 'a' }, { type: 'image_url' }]),
    ],
    ['invalid_value', 'messages[0].content[0]', user([{ type: 'text' }])],
    ['invalid_type', 'messages[0].content[0]', user([5])],
    ['invalid_type', 'messages[0].content', user(5)],
    ['invalid_value', 'messages[0].role', { messages: [{ role: 'robot', content: 'x' }] }],
    ['unknown_parameter', 'kith.overflw', { messages: hello, kith: { overflw: 'slide' } }],
    ['invalid_value', 'logit_bias.cat', { messages: hello, logit_bias: { cat: 1 } }],
    ['invalid_value', 'logit_bias', { messages: hello, logit_bias: [1] }],
  ];
  for (const [code, param, body] of cases) {
    assert.throws(
      () => chat(body),
      (error: unknown) => {
        assert.ok(error instanceof InputError);
        assert.deepEqual([error.code, error.param], [code, param]);
        return true;
      },
    );
  }
  assert.throws(() => parseEmbeddings({ input: 'a', kith: { trunc: true } }), refusedFor('kith.trunc'));
});

test('a stream that asked for the receipt gets it, with or without the usage', () => {
  const receipt = { backend: 'local', model: 'm', queueMs: 1, prefillMs: 2, decodeMs: null, notes: [] };
  const event: ChatEvent = { type: 'usage', promptTokens: 1, cachedTokens: 0, completionTokens: 2, receipt };
  const head = { id: 'x', created: 1, system_fingerprint: 'f' };
  for (const includeUsage of [true, false]) {
    for (const encode of [
      chatEncoder(head, 1, includeUsage, true),
      completionEncoder(head, includeUsage, true),
    ]) {
      const [last, ...more] = encode(event) as { kith: { model: string }; choices: []; usage?: object }[];
      assert.deepEqual([last!.kith.model, last!.choices, more], ['m', [], []]);
      assert.equal(last!.usage !== undefined, includeUsage);
    }
  }
  assert.deepEqual(chatEncoder(head, 1, false, false)(event), []);
});

test('a body that says nothing of the context leaves the choice to the configuration', () => {
  assert.equal(chat({ messages: hello }).request.overflow, null);
  assert.equal(chat({ messages: hello, kith: { overflow: 'error' } }).request.overflow, 'error');
});

test('a response format becomes the form that the answer is held to', () => {
  const form = (response_format: unknown) => chat({ messages: hello, response_format }).request.grammar;
  assert.equal(form({ type: 'text' }), undefined);
  assert.equal(form(null), undefined);
  assert.deepEqual(form({ type: 'json_object' }), { kind: 'json_object' });
  const schema = { type: 'object', properties: { a: { type: 'integer' } } };
  assert.deepEqual(form({ type: 'json_schema', json_schema: { name: 'x', strict: true, schema } }), {
    kind: 'json_schema',
    schema,
  });
});

test('values that ask for nothing are not refused', () => {
  chat({
    messages: hello,
    tools: [],
    tool_choice: 'none',
    response_format: { type: 'text' },
    modalities: ['text'],
  });
  completion({ prompt: 'x', suffix: null, best_of: 1 });
});

test('prompts may be text, texts, tokens or lists of tokens', () => {
  assert.deepEqual(completion({ prompt: 'a' }).request.prompts, ['a']);
  assert.deepEqual(completion({ prompt: ['a', 'b'] }).request.prompts, ['a', 'b']);
  assert.deepEqual(completion({ prompt: [1, 2] }).request.prompts, [Int32Array.of(1, 2)]);
  assert.deepEqual(completion({ prompt: [[1], [2, 3]] }).request.prompts, [
    Int32Array.of(1),
    Int32Array.of(2, 3),
  ]);
});

test('lone surrogates become replacement characters', () => {
  assert.equal(
    chat({ messages: [{ role: 'user', content: 'a\ud800b' }] }).request.messages[0]!.content,
    'a\ufffdb',
  );
});

test('a huge array of wrong elements is refused by its first fault or its length', () => {
  const many = Array(200_000).fill({});
  assert.throws(() => completion({ prompt: many }), refusedFor('prompt'));
  assert.throws(() => parseEmbeddings({ input: Array(200_000).fill(0.5) }), refusedFor('input[0]'));
  assert.throws(() => chat({ messages: many }), refusedFor('messages'));
});

const fields = [
  'model',
  'messages',
  'prompt',
  'input',
  'stop',
  'n',
  'seed',
  'logit_bias',
  'stream',
  'stream_options',
  'logprobs',
  'top_logprobs',
  'tools',
  'tool_choice',
  'kith',
  'max_tokens',
  'temperature',
  'echo',
  'encoding_format',
  'dimensions',
  '__proto__',
];
const message = fc.record(
  {
    role: fc.oneof(fc.constantFrom('user', 'system', 'assistant', 'tool'), fc.jsonValue()),
    content: fc.jsonValue(),
  },
  { requiredKeys: [] },
);
const body = fc.oneof(
  fc.jsonValue(),
  fc.dictionary(
    fc.constantFrom(...fields),
    fc.oneof(fc.jsonValue(), fc.array(message), fc.constantFrom('a', 1, true)),
  ),
);

test('no JSON body makes a parser throw anything but a typed 4xx', () => {
  fc.assert(
    fc.property(body, (value) => {
      for (const parse of [chat, completion, parseEmbeddings]) {
        try {
          parse(value);
        } catch (error) {
          assert.ok(error instanceof InputError && error.status === 400, String(error));
        }
      }
    }),
    { numRuns: 1000 },
  );
});

const events: ChatEvent[] = [
  { type: 'start', backend: 'local', model: 'm' },
  { type: 'text', choice: 0, text: 'Hé', logprobs: null },
  { type: 'finish', choice: 0, reason: 'aborted', stop: null, slidTokens: 0 },
  {
    type: 'usage',
    promptTokens: 3,
    cachedTokens: 2,
    completionTokens: 1,
    receipt: { backend: 'local', model: 'm', queueMs: 0, prefillMs: 1, decodeMs: null, notes: [] },
  },
];
const head = { id: 'chatcmpl-1', created: 1, system_fingerprint: 'kith-0' };

test('a chat stream has exactly these bytes', () => {
  const text = events
    .flatMap(chatEncoder(head, 1, true))
    .map(encodeEvent)
    .join('');
  const start =
    'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":"kith-0","choices":';
  assert.equal(
    text,
    `${start}[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null}\n\n` +
      `${start}[{"index":0,"delta":{"content":"Hé"},"logprobs":null,"finish_reason":null}],"usage":null}\n\n` +
      `${start}[{"index":0,"delta":{},"logprobs":null,"finish_reason":"length"}],"usage":null}\n\n` +
      `${start}[],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4,"prompt_tokens_details":{"cached_tokens":2},"completion_tokens_details":{"reasoning_tokens":0}}}\n\n`,
  );
});

test('without include_usage no chunk mentions usage', () => {
  const text = events
    .flatMap(chatEncoder(head, 1, false))
    .map(encodeEvent)
    .join('');
  assert.doesNotMatch(text, /usage/);
});

test('completion chunks carry the legacy logprobs with running offsets', () => {
  const bytes = new TextEncoder().encode('ab');
  const logprobs = [{ token: 1, bytes, logprob: -0.5, top: [{ token: 1, bytes, logprob: -0.5 }] }];
  const encode = completionEncoder(head, false);
  encode(events[0]!);
  encode({ type: 'text', choice: 0, text: 'ab', logprobs });
  const [chunk] = encode({ type: 'text', choice: 0, text: 'ab', logprobs }) as [
    { choices: [{ logprobs: unknown }] },
  ];
  assert.deepEqual(chunk.choices[0].logprobs, {
    tokens: ['ab'],
    token_logprobs: [-0.5],
    top_logprobs: [Object.assign(Object.create(null), { ab: -0.5 })],
    text_offset: [2],
  });
});

test('base64 vectors are little-endian float32', () => {
  assert.equal(
    base64Floats(Float32Array.of(1, -2)),
    Buffer.from([0, 0, 128, 63, 0, 0, 0, 192]).toString('base64'),
  );
});

test('what a body asks of peers goes with its request', () => {
  const kith = { min_tier: 'verified', max_latency_ms: 250, regions: ['eu'], pledge: true };
  const asks = { minTier: 'verified', maxLatencyMs: 250, regions: ['eu'], pledge: true };
  assert.deepEqual(chat({ messages: hello, kith }).request.peers, asks);
  assert.equal(chat({ messages: hello, kith: { receipt: true } }).request.peers, undefined);
  assert.deepEqual(parseEmbeddings({ input: 'a', kith: { min_tier: 'known' } }).kith, { min_tier: 'known' });
});
