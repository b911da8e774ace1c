/** Ollama's API on real sockets, with a backend that says what each test needs. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createIds, createSeededRandom, KithError, silentLogger, systemClock } from '../../base/index.ts';
import type { TokenLogprobs } from '../../engine/index.ts';
import type {
  Backend,
  ChatEvent,
  ChatRequest,
  CompletionRequest,
  EmbeddingRequest,
  Receipt,
} from '../../gateway/index.ts';
import '../../../test/openapi/watch.ts';
import { gatewayOver } from '../../gateway/testing/over.ts';
import { errorAnswer } from '../http/errors.ts';
import { defaultServerLimits } from '../http/limits.ts';
import { createServer } from '../server.ts';
import { loopbackAccess } from '../testing/loopback-access.ts';
import type { NodeStatus, Server } from '../types.ts';
import { parameterSize } from './models.ts';
import { modelId, modelName, ollamaError } from './names.ts';

const receipt: Receipt = { backend: 'local', model: 'm', queueMs: 1, prefillMs: 2, decodeMs: 3, notes: [] };
const start: ChatEvent = { type: 'start', backend: 'local', model: 'm' };
const text = (value: string, logprobs: TokenLogprobs[] | null = null): ChatEvent => ({
  type: 'text',
  choice: 0,
  text: value,
  logprobs,
});
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
const finish = (reason: 'stop' | 'length' | 'tool_calls' | 'aborted'): ChatEvent => ({
  type: 'finish',
  choice: 0,
  reason,
  stop: null,
  slidTokens: 0,
});
const usage = (completionTokens = 2, facts: Partial<Receipt> = {}): ChatEvent => ({
  type: 'usage',
  promptTokens: 9,
  cachedTokens: 4,
  completionTokens,
  receipt: { ...receipt, ...facts },
});

/** What the backend says, and what it was asked last. */
let script: readonly (ChatEvent | Error)[] = [];
let asked: ChatRequest | CompletionRequest | EmbeddingRequest | null = null;
let active = 0;
const moves: string[] = [];

async function* play(): AsyncGenerator<ChatEvent> {
  for (const each of script) {
    if (each instanceof Error) throw each;
    yield each;
  }
}

const row = { id: 'm', task: 'chat', state: 'loaded', ownedBy: 'kith', context: 100, since: 0 } as const;
const backend: Backend = {
  name: 'local',
  has: async (model) => model === 'm',
  defaultModel: () => 'm',
  models: async () => [row, { ...row, id: 'far', state: 'available', installed: false }],
  chat(request) {
    asked = request;
    return play();
  },
  complete(request) {
    asked = request;
    return play();
  },
  countTokens: async () => 1,
  async embed(request) {
    asked = request;
    return {
      vectors: new Float32Array(request.inputs.length * 2).fill(0.5),
      dimension: 2,
      tokens: request.inputs.map(() => 3),
      receipt,
    };
  },
  health: async () => ({
    status: 'ok',
    latencyMs: null,
    modelsAvailable: 1,
    modelsLoaded: 1,
    breaker: { state: 'closed', failures: 0 },
    message: null,
  }),
};

let server: Server;
before(async () => {
  server = await createServer({
    gateway: gatewayOver([backend]),
    control: {
      status: async () =>
        ({
          loaded: [
            {
              id: 'm',
              device: 'CPU (a processor)',
              context: 64,
              weightBytes: 10,
              kvBytes: 5,
              work: { active, waiting: 0, usedCells: 0, cachedCells: 0, tokensPerSecond: null },
            },
          ],
        }) as unknown as NodeStatus,
      shutdown: () => {},
      unload: async (model) => moves.push(`unload ${model}`) > 0,
      load: async (model) => void moves.push(`load ${model}`),
    },
    host: '127.0.0.1',
    port: 0,
    log: silentLogger,
    clock: systemClock,
    ids: createIds(systemClock, createSeededRandom(1)),
    randomSeed: () => 77,
    limits: defaultServerLimits,
    version: '0.0.0',
    token: 'a-token-that-is-long-enough',
    access: loopbackAccess(),
    observers: [],
  });
});
after(() => server.close(0));
beforeEach(() => {
  script = [start, text('Hi'), finish('stop'), usage()];
  asked = null;
  active = 0;
  moves.length = 0;
});

type Json = Record<string, unknown>;
interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly lines: Json[];
}

async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(server.url + path, { method: 'POST', body: JSON.stringify(body), headers });
  const lines = (await response.text()).split('\n').filter((line) => line !== '');
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    lines: lines.map((line) => JSON.parse(line) as Json),
  };
}
const hi = [{ role: 'user', content: 'Hi' }];
const chat = (extra: object = {}) => post('/api/chat', { model: 'm', messages: hi, ...extra });
const generate = (extra: object = {}) => post('/api/generate', { model: 'm', prompt: 'Hi', ...extra });
const whole = async (answer: Promise<Answer>) => {
  const { status, lines } = await answer;
  assert.deepEqual([status, lines.length], [200, 1], JSON.stringify(lines));
  return lines[0]!;
};
const request = () => asked as ChatRequest;

test('streams unless told otherwise: a line per text, then one that is done with the figures', async () => {
  script = [start, text('He'), text('llo'), finish('stop'), usage()];
  const { type, lines } = await chat();
  assert.equal(type, 'application/x-ndjson');
  assert.deepEqual(
    lines.map(({ message, done }) => [(message as Json).content, done]),
    [
      ['He', false],
      ['llo', false],
      ['', true],
    ],
  );
  const { created_at: created, total_duration: total, load_duration: load, ...last } = lines[2]!;
  assert.ok(Number.isFinite(Date.parse(created as string)));
  assert.ok((total as number) > 0 && (load as number) >= 0);
  assert.deepEqual(last, {
    model: 'm',
    message: { role: 'assistant', content: '' },
    done: true,
    done_reason: 'stop',
    prompt_eval_count: 9,
    prompt_eval_duration: 2_000_000,
    eval_count: 2,
    eval_duration: 3_000_000,
  });
});

test('whole, chat and generate say the same in one object', async () => {
  script = [start, text('He'), text('llo'), finish('length'), usage()];
  const one = await whole(chat({ stream: false }));
  assert.deepEqual([one.message, one.done_reason], [{ role: 'assistant', content: 'Hello' }, 'length']);
  const other = await whole(generate({ stream: false }));
  assert.deepEqual([other.response, other.done, other.done_reason], ['Hello', true, 'length']);
});

test('figures that are unknown, or measure nothing, are left out', async () => {
  script = [start, text('a'), finish('stop'), usage(1, { prefillMs: null, decodeMs: 0 })];
  const answer = await whole(chat({ stream: false }));
  for (const name of ['prompt_eval_duration', 'eval_duration']) assert.ok(!Object.hasOwn(answer, name), name);
  assert.equal(answer.eval_count, 1);
});

test('a tool call is told once it is whole, its arguments an object', async () => {
  script = [
    start,
    text('Let me see.'),
    call(0, 'weather'),
    args(0, '{"city":'),
    args(0, '"Paris"}'),
    call(1, 'now'),
    finish('tool_calls'),
    usage(),
  ];
  const calls = [
    { id: 'call_0', function: { index: 0, name: 'weather', arguments: { city: 'Paris' } } },
    { id: 'call_1', function: { index: 1, name: 'now', arguments: {} } },
  ];
  const { lines } = await chat();
  assert.deepEqual(
    lines.map(({ message }) => message),
    [
      { role: 'assistant', content: 'Let me see.' },
      { role: 'assistant', content: '', tool_calls: [calls[0]] },
      { role: 'assistant', content: '', tool_calls: [calls[1]] },
      { role: 'assistant', content: '' },
    ],
  );
  assert.equal(lines[3]?.done_reason, 'stop');
  const answer = await whole(chat({ stream: false }));
  assert.deepEqual(answer.message, { role: 'assistant', content: 'Let me see.', tool_calls: calls });
});

test('a call that was cut short is not told, and the reason is', async () => {
  script = [
    start,
    call(0, 'a'),
    args(0, '{"x":1}'),
    call(1, 'b'),
    args(1, '{"x":'),
    finish('length'),
    usage(),
  ];
  const { message, done_reason } = await whole(chat({ stream: false }));
  assert.equal(done_reason, 'length');
  assert.deepEqual((message as { tool_calls: unknown[] }).tool_calls.length, 1);
});

test('an error has its status before the first line, and is the last line after it', async () => {
  const error = new KithError('engine_lost', 'The engine process ended.', { status: 503 });
  script = [error];
  assert.deepEqual(await chat().then(({ status, lines }) => [status, lines]), [
    503,
    [{ error: 'The engine process ended.' }],
  ]);
  script = [start, text('He'), error];
  const { status, lines } = await chat();
  assert.equal(status, 200);
  assert.deepEqual(lines.at(-1), { error: 'The engine process ended.' });
  assert.ok(lines.every(({ done }) => done !== true));
});

test('texts of any kind come through the lines as they were', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'grapheme', minLength: 1 }), { maxLength: 8 }),
      async (texts) => {
        script = [start, ...texts.map((each) => text(each)), finish('stop'), usage()];
        const { lines } = await generate();
        assert.equal(lines.length, texts.length + 1);
        assert.equal(lines.map(({ response }) => response).join(''), texts.join(''));
        assert.equal((await whole(generate({ stream: false }))).response, texts.join(''));
      },
    ),
    { numRuns: 40 },
  );
});

test('options become the sampler; settings of a loader are ignored', async () => {
  await chat({
    stream: false,
    options: {
      num_predict: 5,
      temperature: 0.5,
      top_k: 3,
      top_p: 0.9,
      min_p: 0.1,
      seed: -2,
      stop: 'END',
      repeat_penalty: 1.1,
      repeat_last_n: -1,
      presence_penalty: 1,
      frequency_penalty: -1,
      num_ctx: 100,
      num_gpu: 99,
      num_thread: 4,
      use_mmap: true,
      mirostat: 0,
      tfs_z: 1,
    },
    keep_alive: '5m',
    think: false,
    format: '',
  });
  const { signal, terms, ...rest } = request();
  assert.ok(signal && terms);
  assert.deepEqual(rest, {
    whole: true,
    drawnSeed: false,
    model: 'm',
    n: 1,
    messages: hi,
    maxTokens: 5,
    stop: ['END'],
    overflow: null,
    keepTokens: 0,
    timeoutMs: null,
    variables: { enable_thinking: false },
    sampler: {
      seed: 2 ** 32 - 2,
      topLogprobs: null,
      temperature: 0.5,
      topK: 3,
      topP: 0.9,
      minP: 0.1,
      repeatPenalty: 1.1,
      repeatLastN: -1,
      presencePenalty: 1,
      frequencyPenalty: -1,
    },
  });
  for (const [options, maxTokens, seed] of [
    [{ num_predict: -1, seed: -1 }, null, 77],
    [{ num_predict: -2 }, null, 77],
    [{ num_predict: 0, seed: 0 }, null, 0],
  ] as const) {
    await chat({ stream: false, options });
    assert.deepEqual([request().maxTokens, request().sampler.seed], [maxTokens, seed]);
  }
});

test('shift and truncate say what happens when the context is full', async () => {
  for (const [fields, overflow, keepTokens] of [
    [{}, null, 0],
    [{ shift: true, options: { num_keep: 4 } }, 'slide', 4],
    [{ shift: false, options: { num_keep: 4 } }, 'error', 0],
    [{ truncate: true }, 'slide', 0],
  ] as const) {
    await chat({ stream: false, ...fields });
    assert.deepEqual([request().overflow, request().keepTokens], [overflow, keepTokens]);
  }
});

test('format holds the answer to JSON or a schema', async () => {
  await chat({ stream: false, format: 'json' });
  assert.deepEqual(request().grammar, { kind: 'json_object' });
  const schema = { type: 'object', properties: {} };
  await generate({ stream: false, format: schema });
  assert.deepEqual(request().grammar, { kind: 'json_schema', schema });
});

test('log probabilities stand beside the text they are of', async () => {
  const bytes = new Uint8Array([72]);
  const top = { token: 5, bytes, logprob: -0.5 };
  script = [start, text('H', [{ ...top, top: [top] }]), finish('stop'), usage()];
  const entry = { token: 'H', logprob: -0.5, bytes: [72] };
  const { lines } = await generate({ logprobs: true, top_logprobs: 1 });
  assert.deepEqual(lines[0]?.logprobs, [{ ...entry, top_logprobs: [entry] }]);
  assert.equal(request().sampler.topLogprobs, 1);
  assert.ok(!Object.hasOwn(lines[1]!, 'logprobs'));
});

test('generate sends its prompt through the template, with a system text, or raw', async () => {
  await generate({ stream: false, system: 'Be brief.' });
  assert.deepEqual(request().messages, [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Hi' },
  ]);
  await generate({ stream: false, raw: true });
  assert.deepEqual((asked as CompletionRequest | null)?.prompts, ['Hi']);
});

test('tools and a conversation with calls reach the gateway in its words', async () => {
  const parameters = { type: 'object', properties: { city: { type: 'string' } } };
  await chat({
    stream: false,
    messages: [
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        content: '',
        thinking: 'hm',
        tool_calls: [
          { function: { name: 'weather', arguments: { city: 'Paris' } } },
          { function: { name: 'now', arguments: {} } },
          { id: 'own', function: { name: 'weather', arguments: { city: 'Rome' } } },
        ],
      },
      { role: 'tool', content: '12:00', tool_name: 'now' },
      { role: 'tool', content: 'cold' },
      { role: 'tool', content: 'warm', tool_call_id: 'own' },
    ],
    tools: [{ type: 'function', function: { name: 'weather', parameters } }],
  });
  const made = (id: string, name: string, given: object) => ({
    id,
    type: 'function',
    function: { name, arguments: JSON.stringify(given) },
  });
  assert.deepEqual(request().messages.slice(1), [
    {
      role: 'assistant',
      content: null,
      tool_calls: [
        made('call_1', 'weather', { city: 'Paris' }),
        made('call_2', 'now', {}),
        made('own', 'weather', { city: 'Rome' }),
      ],
    },
    { role: 'tool', content: '12:00', tool_call_id: 'call_2', name: 'now' },
    { role: 'tool', content: 'cold', tool_call_id: 'call_1', name: 'weather' },
    { role: 'tool', content: 'warm', tool_call_id: 'own', name: 'weather' },
  ]);
  assert.deepEqual(request().tools, [{ name: 'weather', description: null, parameters, strict: false }]);
});

test('what is not done here is refused by name', async () => {
  const tool = { type: 'function', function: { name: 'a' } };
  const cases: [() => Promise<Answer>, RegExp][] = [
    [() => chat({ messages: [{ role: 'user', content: 'x', images: ['aGk='] }] }), /messages\[0\]\.images/],
    [() => chat({ messages: [{ role: 'wizard', content: 'x' }] }), /messages\[0\]\.role.*system, user/],
    [() => chat({ think: true }), /`think` is not supported/],
    [() => chat({ think: 'high' }), /`think` is not supported/],
    [() => chat({ format: 'yaml' }), /format: must be "json" or a JSON Schema/],
    [() => chat({ options: { num_ctx: 101 } }), /options\.num_ctx: 'm' has a context of 100 tokens/],
    [() => chat({ options: { mirostat: 1 } }), /`options\.mirostat` is not supported/],
    [() => chat({ options: { typical_p: 0.5 } }), /`options\.typical_p` is not supported/],
    [() => chat({ options: { temperature: 'hot' } }), /options\.temperature/],
    [() => chat({ tools: [tool, tool] }), /tools\[1\]\.function\.name: there is another/],
    [() => chat({ tools: [{ type: 'function', function: { name: 'a b' } }] }), /tools\[0\]\.function\.name/],
    [() => chat({ top_logprobs: 2 }), /top_logprobs: needs/],
    [() => chat({ keep_alive: 'soon' }), /keep_alive: must be a duration/],
    [() => post('/api/chat', { messages: hi }), /model: /],
    [() => generate({ suffix: 'end' }), /`suffix` is not supported/],
    [() => generate({ template: '{{ .Prompt }}' }), /`template` is not supported/],
    [() => generate({ context: [1, 2] }), /`context` is not supported.*\/api\/chat/],
    [() => generate({ images: ['aGk='] }), /`images` is not supported/],
    [() => generate({ raw: true, format: 'json' }), /`format` is not supported together with `raw`/],
    [() => post('/api/embed', { model: 'm', input: [[1, 2]] }), /input/],
    [() => post('/api/show', {}), /model: name the model/],
  ];
  for (const [ask, message] of cases) {
    const { status, lines } = await ask();
    assert.equal(status, 400, String(message));
    assert.deepEqual(Object.keys(lines[0]!), ['error']);
    assert.match(lines[0]!.error as string, message);
  }
});

test('whatever a body holds, the answer is one, or an error with its text', async () => {
  const fields = ['messages', 'prompt', 'tools', 'options', 'format', 'keep_alive', 'input', 'system', 'raw'];
  const bodies = fc.dictionary(fc.constantFrom(...fields), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('/api/chat', '/api/generate', '/api/embed', '/api/embeddings', '/api/show'),
      bodies,
      async (path, body) => {
        const { status, lines } = await post(path, { ...body, model: 'm' });
        assert.ok(status === 200 || status === 400, `${status} ${JSON.stringify(lines)}`);
        if (status === 400) assert.equal(typeof lines[0]!.error, 'string');
      },
    ),
    { numRuns: 150 },
  );
});

test('what asks for nothing is taken', async () => {
  const nothing = { images: [], think: null, format: null, options: null, tools: [], tool_choice: 'x' };
  await whole(chat({ stream: false, ...nothing, messages: [{ ...hi[0], images: [] }] }));
  await whole(generate({ stream: false, ...nothing, suffix: '', template: '', context: [], system: '' }));
});

test('an unknown model is told of in the same words, with something to answer and without', async () => {
  const message =
    "The model 'nobody' does not exist here. GET /api/tags or `kith models list` names those that do.";
  for (const path of ['/api/chat', '/api/generate'])
    for (const body of [{ messages: hi, prompt: 'x' }, { messages: [] }, { keep_alive: 0 }]) {
      const answer = await post(path, { model: 'nobody', ...body });
      assert.deepEqual([answer.status, answer.lines], [404, [{ error: message }]]);
    }
});

test('a request without a prompt brings the model in, or out when it is idle', async () => {
  for (const [path, extra] of [
    ['/api/generate', { response: '' }],
    ['/api/chat', { message: { role: 'assistant', content: '' } }],
  ] as const) {
    const { created_at: _, ...answer } = await whole(post(path, { model: 'm:latest' }));
    assert.deepEqual(answer, { model: 'm:latest', ...extra, done: true, done_reason: 'load' });
    for (const keep_alive of [0, '0', '0s', '0m0s']) {
      assert.equal((await whole(post(path, { model: 'm', keep_alive }))).done_reason, 'unload');
    }
    assert.equal((await whole(post(path, { model: 'm', keep_alive: '-1m' }))).done_reason, 'load');
  }
  const once = ['load m', ...Array(4).fill('unload m'), 'load m'];
  assert.deepEqual(moves, [...once, ...once]);
  assert.deepEqual(await post('/api/embed', { model: 'm', input: '' }).then(({ lines }) => lines), [
    { model: 'm', embeddings: [] },
  ]);
  active = 2;
  const busy = await post('/api/generate', { model: 'm', keep_alive: 0 });
  assert.deepEqual([busy.status, moves.length], [409, 13]);
  assert.match(busy.lines[0]!.error as string, /'m' is needed for 2 requests now/);
  assert.equal((await post('/api/generate', { model: 'none', keep_alive: 0 })).status, 404);
});

test('embeddings of texts, and of one in the older form', async () => {
  const {
    total_duration: total,
    load_duration: load,
    ...answer
  } = await whole(post('/api/embed', { model: 'm', input: ['a', 'b'] }));
  assert.ok((total as number) >= 0 && (load as number) >= 0);
  const vector = [0.5, 0.5];
  assert.deepEqual(answer, { model: 'm', embeddings: [vector, vector], prompt_eval_count: 6 });
  assert.equal((asked as EmbeddingRequest | null)?.truncate, true);
  await post('/api/embed', { model: 'm', input: 'a', truncate: false, dimensions: 2 });
  const { truncate, dimensions } = asked as unknown as EmbeddingRequest;
  assert.deepEqual([truncate, dimensions], [false, 2]);
  assert.deepEqual(await whole(post('/api/embeddings', { model: 'm', prompt: 'a' })), { embedding: vector });
});

test('what is here: models without a download, those in memory, one of them', async () => {
  const get = async (path: string) => (await (await fetch(server.url + path)).json()) as Json;
  const { models: tags } = (await get('/api/tags')) as { models: Json[] };
  assert.deepEqual(
    tags.map(({ name, model }) => [name, model]),
    [['m:latest', 'm:latest']],
  );
  const { models: loaded } = (await get('/api/ps')) as { models: Json[] };
  const { size, size_vram, context_length, expires_at } = loaded[0]!;
  assert.deepEqual([size, size_vram, context_length], [15, 0, 64]);
  assert.ok(Date.parse(expires_at as string) > Date.now());
  const shown = await whole(post('/api/show', { name: 'm' }));
  assert.deepEqual(shown.capabilities, ['completion', 'tools']);
  assert.deepEqual(await get('/api/version'), { version: '0.12.11', kith: '0.0.0' });
});

test('routes of the command line name the command', async () => {
  for (const [method, path, command] of [
    ['POST', '/api/pull', /kith models pull/],
    ['POST', '/api/create', /kith models import/],
    ['DELETE', '/api/delete', /kith models rm/],
    ['POST', '/api/copy', /kith models add/],
    ['POST', '/api/push', /publishes no models/],
    ['POST', '/api/blobs/sha256:00', /kith models add/],
  ] as const) {
    const response = await fetch(server.url + path, { method, body: '{}' });
    assert.equal(response.status, 501);
    assert.match(((await response.json()) as { error: string }).error, command);
  }
  const wrong = await fetch(`${server.url}/api/chat`);
  assert.equal(wrong.status, 405);
  assert.equal(typeof ((await wrong.json()) as { error: unknown }).error, 'string');
});

test('programs need not say that they send JSON; pages must', async () => {
  const body = JSON.stringify({ model: 'm', prompt: 'Hi', stream: false });
  const send = (headers: Record<string, string>) =>
    fetch(`${server.url}/api/generate`, { method: 'POST', body, headers });
  assert.equal((await send({ 'content-type': 'application/x-www-form-urlencoded' })).status, 200);
  assert.equal((await send({ 'content-type': 'text/plain', origin: server.url })).status, 415);
  assert.equal(
    (await send({ 'content-type': 'text/plain', origin: 'https://elsewhere.example' })).status,
    403,
  );
});

test('names and errors in the words of the API', () => {
  assert.deepEqual(['m:latest', 'm', 'm:7b'].map(modelId), ['m', 'm', 'm:7b']);
  assert.equal(modelName('m'), 'm:latest');
  const spoken = (param: string, message: string) =>
    ollamaError(errorAnswer(new KithError('x', message, { status: 400, param }), 'req-1').fault).error;
  assert.equal(spoken('maxTokens', 'maxTokens is 0.'), 'options.num_predict is 0.');
  assert.equal(spoken('grammar', '`grammar` is wrong.'), '`format` is wrong.');
  assert.equal(spoken('model', 'Use /v1/embeddings.'), 'Use /api/embed.');
  assert.deepEqual([29_100_000, 1_100_048_384, 137_000_000_000, 999].map(parameterSize), [
    '29.1M',
    '1.1B',
    '137B',
    '999',
  ]);
});
