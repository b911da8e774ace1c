/**
 * How kinds of servers differ, in what they are asked and in what they answer.
 *
 * @module test/upstreams/dialects.test
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { totalOf } from '../../src/base/index.ts';
import type { RemoteReceipt } from '../../src/gateway/backends/index.ts';
import { SERVER_KINDS, type ServerKindName } from '../../src/gateway/backends/index.ts';
import type { ChatEvent, ChatRequest } from '../../src/gateway/types.ts';
import { UpstreamError } from '../../src/gateway/upstream/index.ts';
import { vectorOf } from './answers.ts';
import { createMockUpstream, type MockUpstream } from './index.ts';
import { anthropic, chatRequest, completionRequest, embeddingRequest, openAi, outcomeOf } from './support.ts';

let mock: MockUpstream;
before(async () => {
  mock = await createMockUpstream();
});
after(() => mock[Symbol.asyncDispose]());

const chunk = (inner: object): string => `data: ${JSON.stringify(inner)}\n\n`;
const choice = (delta: object, finish: string | null = null, more: object = {}) =>
  chunk({ model: 'm', choices: [{ index: 0, delta, finish_reason: finish, ...more }] });
const DONE = 'data: [DONE]\n\n';

/** What a stream of these bytes becomes. */
async function read(stream: string, request: Partial<ChatRequest> = {}, kind: ServerKindName = 'generic') {
  mock.custom(({ response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(stream);
  });
  await using backend = openAi(`${mock.url}/custom/v1`, { kind });
  return await outcomeOf(backend.chat(chatRequest(request)));
}

async function readMessages(stream: string) {
  mock.custom(({ response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(stream);
  });
  await using backend = anthropic(`${mock.url}/custom/v1`);
  return await outcomeOf(backend.chat(chatRequest()));
}

async function failing(stream: string, failure: string, code: string): Promise<void> {
  const { error } = await read(stream);
  assert.ok(error instanceof UpstreamError, String(error));
  assert.deepEqual([error.failure, error.code], [failure, code]);
}

const callsIn = (events: readonly ChatEvent[]) => {
  const calls: { id: string; name: string; args: string }[] = [];
  for (const event of events) {
    if (event.type === 'tool_call') calls.push({ id: event.id, name: event.name, args: '' });
    if (event.type === 'tool_arguments') calls[event.index]!.args += event.text;
  }
  return calls;
};
const finishIn = (events: readonly ChatEvent[]) => events.find((event) => event.type === 'finish')!;
const receiptOf = (usage: { receipt: unknown } | null) => usage!.receipt as RemoteReceipt;

const TOOL = {
  name: 'add',
  description: 'Adds.',
  parameters: { type: 'object', properties: {} },
  strict: false,
};

test('Ollama: whole calls without index, with arguments as an object, and `stop` at the end', async () => {
  const call = (id: string, x: number) => ({ id, function: { name: 'add', arguments: { x } } });
  const { events, error } = await read(
    `${choice({ role: 'assistant', content: '', tool_calls: [call('call_1', 1), call('call_2', 2)] })}${choice({ content: '' }, 'stop')}${DONE}`,
    { tools: [TOOL] },
    'ollama',
  );
  assert.equal(error, null);
  assert.deepEqual(callsIn(events), [
    { id: 'call_1', name: 'add', args: '{"x":1}' },
    { id: 'call_2', name: 'add', args: '{"x":2}' },
  ]);
  assert.equal(finishIn(events).reason, 'tool_calls');
});

test('vLLM: counts with every chunk, and the stop string in stop_reason', async () => {
  const usage = (completion_tokens: number) => ({ usage: { prompt_tokens: 4, completion_tokens } });
  const part = (content: string, count: number) =>
    chunk({ model: 'm', choices: [{ index: 0, delta: { content } }], ...usage(count) });
  const {
    text,
    events,
    usage: counts,
  } = await read(
    `${part('a', 1)}${part('b', 2)}${choice({}, 'stop', { stop_reason: 'END' })}${chunk({ choices: [], ...usage(3) })}${DONE}`,
  );
  assert.equal(text, 'ab');
  assert.deepEqual([counts!.promptTokens, counts!.completionTokens], [4, 3]);
  assert.equal(finishIn(events).stop, 'END');
});

test('Mistral: usage in the chunk of the last choice, `model_length`, and parts of thinking', async () => {
  const parts = [
    { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
    { type: 'text', text: 'yes' },
  ];
  const last = chunk({
    choices: [{ index: 0, delta: { content: '' }, finish_reason: 'model_length' }],
    usage: { prompt_tokens: 5, completion_tokens: 6, prompt_tokens_details: { cached_tokens: 2 } },
  });
  const { text, events, usage } = await read(`${choice({ content: parts })}${last}${DONE}`, {}, 'mistral');
  assert.deepEqual([text, finishIn(events).reason], ['yes', 'length']);
  assert.deepEqual([usage!.promptTokens, usage!.cachedTokens, usage!.completionTokens], [5, 2, 6]);
});

test('OpenRouter: pings as comments, and errors inside the stream with a status as their code', async () => {
  const ping = ': OPENROUTER PROCESSING\n\n';
  const { text } = await read(`${ping}${ping}${choice({ content: 'a' })}${choice({}, 'stop')}${DONE}`);
  assert.equal(text, 'a');
  const failed = chunk({
    error: { code: 502, message: 'Provider disconnected' },
    choices: [{ index: 0, delta: {}, finish_reason: 'error' }],
  });
  await failing(`${choice({ content: 'a' })}${failed}`, 'server_error', 'upstream_server_error');
  const limited = chunk({
    error: { code: 429, message: 'slow', metadata: { raw: 'retry after 3 seconds' } },
  });
  const { error } = await read(limited);
  assert.ok(
    error instanceof UpstreamError && error.failure === 'rate_limited' && error.retryAfterMs === 3000,
  );
});

test('thinking is passed over and keeps no one waiting', async () => {
  const stream = `${choice({ reasoning_content: 'let me see' })}${choice({ reasoning: 'so' })}${choice({ content: '4' })}${choice({}, 'stop')}${DONE}`;
  const { text, events } = await read(stream);
  assert.equal(text, '4');
  assert.deepEqual(
    events.map(({ type }) => type),
    ['start', 'text', 'finish', 'usage'],
  );
});

test('ends that are no ends: filtered, failed, aborted, without a reason', async () => {
  await failing(choice({ content: 'a' }, 'content_filter') + DONE, 'content_filter', 'content_filter');
  await failing(choice({ content: 'a' }, 'SAFETY') + DONE, 'content_filter', 'content_filter');
  await failing(choice({ content: 'a' }, 'error') + DONE, 'server_error', 'upstream_server_error');
  await failing(choice({ content: 'a' }, 'abort') + DONE, 'cut', 'upstream_cut');
  await failing(
    choice({ content: 'a' }, 'MALFORMED_FUNCTION_CALL') + DONE,
    'bad_response',
    'upstream_bad_tool_call',
  );
  await failing(choice({ content: 'a' }) + DONE, 'cut', 'upstream_cut');
  await failing(DONE, 'cut', 'upstream_cut');
});

test('other words for an end, and one that nobody knows, are taken for what they say', async () => {
  for (const [word, reason] of [
    ['eos_token', 'stop'],
    ['STOP', 'stop'],
    ['max_tokens', 'length'],
    ['function_call', 'stop'],
  ]) {
    const { events, error } = await read(choice({ content: 'a' }, word) + DONE);
    assert.deepEqual([error, finishIn(events).reason], [null, reason], word);
  }
  const { usage } = await read(choice({ content: 'a' }, 'tired') + DONE);
  assert.ok(usage!.receipt.notes.some((note) => note.includes("'tired'")));
});

test('counts that a server does not report are not made up, and the receipt says so', async () => {
  const { usage } = await read(choice({ content: 'a' }, 'stop') + DONE);
  const { promptTokens, cachedTokens, completionTokens } = usage!;
  assert.deepEqual([promptTokens, cachedTokens, completionTokens], [null, null, null]);
  assert.ok(usage!.receipt.notes.some((note) => note.includes('did not report token counts')));
  const reported = await read(
    choice({ content: 'a' }, 'stop') +
      chunk({ choices: [], usage: { prompt_tokens: 0, completion_tokens: 1 } }) +
      DONE,
  );
  assert.equal(reported.usage!.completionTokens, 1);
  assert.deepEqual(reported.usage!.receipt.notes, []);
});

test('the receipt names the backend, the model that answered, and when', async () => {
  const stream = chunk({
    model: 'other-model-2',
    choices: [{ index: 0, delta: { content: 'a' }, finish_reason: 'stop' }],
  });
  const { events, usage } = await read(stream + DONE);
  const receipt = receiptOf(usage);
  assert.deepEqual(
    [receipt.backend, receipt.model, receipt.upstream.server],
    ['mock', 'other-model-2', mock.url],
  );
  const { sentMs, headersMs, firstTokenMs, lastTokenMs } = receipt.upstream.timings;
  assert.ok(sentMs! <= headersMs! && headersMs! <= firstTokenMs! && firstTokenMs! <= lastTokenMs!);
  assert.equal(receipt.prefillMs, firstTokenMs! - sentMs!);
  assert.deepEqual(events[0], { type: 'start', backend: 'mock', model: 'other-model-2' });
});

test('several choices are kept apart, and one that is missing makes the answer a cut one', async () => {
  const part = (index: number, content: string, finish_reason: string | null = null) =>
    chunk({ choices: [{ index, delta: { content }, finish_reason }] });
  const both = `${part(0, 'a')}${part(1, 'b')}${part(0, '', 'stop')}`;
  const { events, error } = await read(`${both}${part(1, '', 'length')}${DONE}`, { n: 2 });
  assert.equal(error, null);
  assert.deepEqual(
    events.filter((event) => event.type === 'finish').map(({ choice, reason }) => [choice, reason]),
    [
      [0, 'stop'],
      [1, 'length'],
    ],
  );
  assert.equal(((await read(both + DONE, { n: 2 })).error as UpstreamError).failure, 'cut');
  assert.equal(((await read(part(7, 'x') + DONE)).error as UpstreamError).failure, 'bad_response');
  await failing(
    choice({ content: 'a' }, 'stop') + choice({ content: 'more' }),
    'bad_response',
    'upstream_after_end',
  );
});

test('log probabilities are read with their bytes', async () => {
  const entry = { token: 'é', logprob: -0.5, bytes: [195, 169] };
  const logprobs = { content: [{ ...entry, top_logprobs: [entry, { token: 'x', logprob: -2 }] }] };
  const { events } = await read(choice({ content: 'é' }, 'stop', { logprobs }) + DONE, {
    sampler: { topLogprobs: 2 },
  });
  const text = events.find((event) => event.type === 'text')!;
  assert.deepEqual([...text.logprobs![0]!.bytes], [195, 169]);
  assert.deepEqual(
    text.logprobs![0]!.top.map(({ logprob }) => logprob),
    [-0.5, -2],
  );
  assert.deepEqual(mock.seen.at(-1)!.body!.top_logprobs, 2);
});

const FULL: Partial<ChatRequest> = {
  sampler: { temperature: 0.5, topP: 0.9, topK: 20, minP: 0.1, repeatPenalty: 1.1, seed: 0xffffffff },
  maxTokens: 7,
  stop: ['END'],
  tools: [TOOL],
  toolChoice: 'required',
  grammar: { kind: 'json_schema', schema: { type: 'object', properties: { a: {} } } },
  variables: { enable_thinking: false },
};

test('each kind of server is asked in its own words, and what it does not know is named', async () => {
  for (const kind of Object.keys(SERVER_KINDS) as ServerKindName[]) {
    await using backend = openAi(mock.base('ok'), { kind });
    const { error, usage } = await outcomeOf(backend.chat(chatRequest(FULL)));
    assert.equal(error, null, `${kind}: ${error}`);
    const body = mock.seen.at(-1)!.body!;
    const own: (typeof SERVER_KINDS)[ServerKindName] = SERVER_KINDS[kind];
    assert.deepEqual([body.stream, body.temperature, body.top_p, body.stop], [true, 0.5, 0.9, ['END']]);
    assert.equal(body[own.maxTokens], 7);
    assert.equal(Object.keys(body).filter((key) => key.startsWith('max_')).length, 1);
    assert.deepEqual(body.stream_options, kind === 'mistral' ? undefined : { include_usage: true });
    assert.equal(body.tool_choice, kind === 'mistral' ? 'any' : 'required');
    assert.equal(body[kind === 'mistral' ? 'random_seed' : 'seed'], 0x7fffffff);
    const format = body.response_format as { type: string; json_schema: { strict: boolean } };
    assert.equal(format.type, 'json_schema');
    assert.equal(format.json_schema.strict, !['openai', 'litellm', 'openrouter'].includes(kind));
    const left = usage!.receipt.notes.join(' ');
    assert.equal(left.includes('topK'), own.topK === null, `${kind}: ${left}`);
    assert.equal(left.includes('Template variables'), !own.templateVariables, kind);
  }
});

test('what would change an answer and cannot be asked for is refused before anything is sent', async () => {
  const before = mock.seen.length;
  const refused: [ServerKindName, Partial<ChatRequest>, string | undefined][] = [
    ['generic', { grammar: { kind: 'regex', pattern: 'a+' } }, 'response_format'],
    ['ollama', { n: 2 }, 'n'],
    ['ollama', { sampler: { topLogprobs: 0 } }, 'logprobs'],
    ['openai', { prefill: 'Once' }, 'messages'],
  ];
  for (const [kind, request, param] of refused) {
    await using backend = openAi(mock.base('ok'), { kind });
    const { error } = await outcomeOf(backend.chat(chatRequest(request)));
    assert.ok(error instanceof UpstreamError && error.failure === 'not_supported', `${kind}: ${error}`);
    assert.deepEqual([error.code, error.status, error.param], ['not_supported', 400, param]);
  }
  await using mistral = openAi(mock.base('ok'), { kind: 'mistral' });
  await using claude = anthropic(mock.base('ok'));
  const failures = [
    (await outcomeOf(mistral.complete(completionRequest()))).error,
    (await outcomeOf(claude.complete(completionRequest()))).error,
    await claude.embed(embeddingRequest()).catch((error: unknown) => error),
    await mistral.countTokens(chatRequest()).catch((error: unknown) => error),
    (await outcomeOf(claude.chat(chatRequest({ grammar: { kind: 'json_object' } })))).error,
  ];
  for (const error of failures) assert.ok(error instanceof UpstreamError && error.code === 'not_supported');
  assert.equal(mock.seen.length, before);
});

test('the beginning of an answer is sent as each kind of server takes it', async () => {
  for (const kind of ['vllm', 'mistral', 'ollama'] as const) {
    await using backend = openAi(mock.base('ok'), { kind });
    await outcomeOf(backend.chat(chatRequest({ prefill: 'Once' })));
    const body = mock.seen.at(-1)!.body! as { messages: object[]; continue_final_message?: boolean };
    const prefix = kind === 'mistral' ? { prefix: true } : {};
    assert.deepEqual(body.messages.at(-1), { role: 'assistant', content: 'Once', ...prefix });
    assert.equal(body.continue_final_message, kind === 'vllm' ? true : undefined);
  }
});

test('embeddings come in the order of their inputs, as unit rows, over several requests', async () => {
  const inputs = Array.from({ length: 300 }, (_, index) => `text ${index}${'!'.repeat(index % 7)}`);
  for (const kind of ['generic', 'vllm'] as const) {
    await using backend = openAi(mock.base('ok'), { kind, abilities: { maxInputs: 128 } });
    const before = mock.count('ok');
    const { vectors, dimension, tokens, receipt } = await backend.embed(embeddingRequest({ inputs }));
    assert.equal(mock.count('ok') - before, 3);
    assert.equal(mock.seen.at(-1)!.body!.encoding_format, kind === 'vllm' ? 'base64' : 'float');
    assert.deepEqual([dimension, vectors.length, totalOf(tokens)], [4, 1200, 300]);
    assert.ok(receipt.notes.some((note) => note.includes('whole batches')));
    for (const [index, input] of inputs.entries()) {
      const raw = vectorOf(input);
      const norm = Math.hypot(...raw);
      for (let at = 0; at < 4; at++) assert.ok(Math.abs(vectors[4 * index + at]! - raw[at]! / norm) < 1e-6);
    }
  }
});

test('embeddings that are none are bad answers', async () => {
  const bad: unknown[] = [
    { data: [] },
    { data: [{ index: 0, embedding: [1] }] },
    {
      data: [
        { index: 0, embedding: [1] },
        { index: 0, embedding: [1] },
      ],
    },
    {
      data: [
        { index: 0, embedding: [1] },
        { index: 5, embedding: [1] },
      ],
    },
    {
      data: [
        { index: 0, embedding: [1] },
        { index: 1, embedding: [1, 2] },
      ],
    },
    {
      data: [
        { index: 0, embedding: [1] },
        { index: 1, embedding: [0] },
      ],
    },
    {
      data: [
        { index: 0, embedding: [1] },
        { index: 1, embedding: ['1'] },
      ],
    },
    {
      data: [
        { index: 0, embedding: 'AAAA' },
        { index: 1, embedding: [1] },
      ],
    },
    [],
    null,
  ];
  await using backend = openAi(`${mock.url}/custom/v1`);
  for (const body of bad) {
    mock.custom(({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    });
    await assert.rejects(
      backend.embed(embeddingRequest()),
      (error) => error instanceof UpstreamError && error.failure === 'bad_response',
      JSON.stringify(body),
    );
  }
});

test('Anthropic: the conversation, tools and choice are written as its API wants them', async () => {
  await using backend = anthropic(mock.base('ok'));
  const call = { id: 'call:1', type: 'function', function: { name: 'add', arguments: '{"x":1}' } };
  await outcomeOf(
    backend.chat(
      chatRequest({
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Add.' },
          { role: 'assistant', content: 'Now.', tool_calls: [call] },
          { role: 'tool', content: '2', tool_call_id: 'call:1' },
          { role: 'user', content: 'And?' },
        ],
        tools: [TOOL],
        toolChoice: { name: 'add' },
        parallelToolCalls: false,
        prefill: 'It is',
        sampler: { temperature: 1.5, topP: 0.5, topK: 5 },
        grammar: { kind: 'json_schema', schema: { type: 'object' } },
      }),
    ),
  );
  const { messages, ...body } = mock.seen.at(-1)!.body!;
  assert.deepEqual(messages, [
    { role: 'user', content: [{ type: 'text', text: 'Add.' }] },
    {
      role: 'assistant',
      content: [
        { type: 'text', text: 'Now.' },
        { type: 'tool_use', id: 'call_1', name: 'add', input: { x: 1 } },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'call_1', content: '2' },
        { type: 'text', text: 'And?' },
      ],
    },
    { role: 'assistant', content: [{ type: 'text', text: 'It is' }] },
  ]);
  assert.deepEqual(body, {
    model: 'mock-model',
    system: 'Be brief.',
    tools: [{ name: 'add', description: 'Adds.', input_schema: { type: 'object', properties: {} } }],
    tool_choice: { type: 'tool', name: 'add', disable_parallel_tool_use: true },
    output_config: { format: { type: 'json_schema', schema: { type: 'object' } } },
    max_tokens: 4096,
    stream: true,
    temperature: 1,
    top_k: 5,
  });
});

test('Anthropic: text, calls, thinking and unknown events of a stream', async () => {
  const event = (type: string, more: object) => `event: ${type}\n${chunk({ type, ...more })}`;
  const start = event('message_start', {
    message: { model: 'claude', usage: { input_tokens: 3, cache_read_input_tokens: 4 } },
  });
  const block = (index: number, content_block: object) =>
    event('content_block_start', { index, content_block });
  const delta = (index: number, type: string, more: object) =>
    event('content_block_delta', { index, delta: { type, ...more } });
  const stop = (index: number) => event('content_block_stop', { index });
  const end = (stop_reason: string, stop_sequence: string | null = null) =>
    `${event('message_delta', { delta: { stop_reason, stop_sequence }, usage: { output_tokens: 9 } })}${event('message_stop', {})}`;
  const { text, events, usage, error } = await readMessages(
    [
      start,
      block(0, { type: 'thinking', thinking: '' }),
      delta(0, 'thinking_delta', { thinking: 'hm' }),
      delta(0, 'signature_delta', { signature: 'xyz' }),
      stop(0),
      event('ping', {}),
      event('a_later_invention', { anything: 1 }),
      block(1, { type: 'text', text: '' }),
      delta(1, 'text_delta', { text: 'I add.' }),
      stop(1),
      block(2, { type: 'tool_use', id: 'toolu_1', name: 'add', input: {} }),
      delta(2, 'input_json_delta', { partial_json: '' }),
      delta(2, 'input_json_delta', { partial_json: '{"x"' }),
      delta(2, 'input_json_delta', { partial_json: ':1}' }),
      stop(2),
      block(3, { type: 'tool_use', id: 'toolu_2', name: 'now', input: {} }),
      stop(3),
      block(4, { type: 'tool_use', id: 'toolu_3', name: 'add', input: { x: 2 } }),
      stop(4),
      end('tool_use'),
    ].join(''),
  );
  assert.equal(error, null);
  assert.equal(text, 'I add.');
  assert.deepEqual(callsIn(events), [
    { id: 'toolu_1', name: 'add', args: '{"x":1}' },
    { id: 'toolu_2', name: 'now', args: '{}' },
    { id: 'toolu_3', name: 'add', args: '{"x":2}' },
  ]);
  assert.equal(finishIn(events).reason, 'tool_calls');
  assert.deepEqual([usage!.promptTokens, usage!.cachedTokens, usage!.completionTokens], [7, 4, 9]);

  const stopped = await readMessages(
    `${start}${block(0, { type: 'text', text: 'a' })}${end('stop_sequence', 'END')}`,
  );
  assert.equal(finishIn(stopped.events).stop, 'END');
  const declined = await readMessages(`${start}${end('refusal')}`);
  assert.equal((declined.error as UpstreamError).failure, 'content_filter');
  const orphan = await readMessages(delta(0, 'text_delta', { text: 'a' }));
  assert.equal((orphan.error as UpstreamError).failure, 'bad_response');
});

test('Anthropic: tokens are counted where the API counts them', async () => {
  mock.custom(({ response, entry }) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ input_tokens: entry.path.endsWith('/count_tokens') ? 17 : 0 }));
  });
  await using backend = anthropic(`${mock.url}/custom/v1`);
  assert.equal(await backend.countTokens(chatRequest()), 17);
  assert.equal(mock.seen.at(-1)!.body!.max_tokens, undefined);
});
