/** Ollama's API over a real node: the same models and answers as over the other APIs, in Ollama's words. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Node } from '../src/node/index.ts';
import { createHome, startNode, type TestHome } from './node-support.ts';

let home: TestHome;
let node: Node;

before(async () => {
  home = await createHome();
  node = await startNode(home);
});
after(async () => {
  await node.close();
  await home.remove();
});

type Json = Record<string, unknown>;
const send = (path: string, body: unknown, signal?: AbortSignal) =>
  fetch(node.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
async function post<T = Json>(path: string, body: unknown): Promise<T> {
  const response = await send(path, body);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text) as T;
}
const get = async (path: string) => (await (await fetch(node.url + path)).json()) as Json;

const messages = [{ role: 'user', content: 'Who are you?' }];
const greedy = { temperature: 0, num_predict: 12 };

interface ChatAnswer {
  readonly message: {
    readonly content: string;
    readonly tool_calls?: { function: { name: string; arguments: { city: string } } }[];
  };
  readonly done_reason: string;
  readonly prompt_eval_count: number;
  readonly eval_count: number;
}

test('chat says what the OpenAI API says, under both names of the model, whole and in lines', async () => {
  const same = await post<{ choices: { message: { content: string } }[]; usage: Json }>(
    '/v1/chat/completions',
    {
      model: 'tiny',
      messages,
      temperature: 0,
      max_tokens: 12,
    },
  );
  const text = same.choices[0]!.message.content;
  for (const model of ['tiny', 'tiny:latest']) {
    const answer = await post<ChatAnswer>('/api/chat', { model, messages, options: greedy, stream: false });
    assert.equal(answer.message.content, text);
    assert.deepEqual(
      [answer.done_reason, answer.prompt_eval_count, answer.eval_count],
      ['length', same.usage.prompt_tokens, same.usage.completion_tokens],
    );
  }
  const streamed = await (await send('/api/chat', { model: 'tiny', messages, options: greedy })).text();
  const lines = streamed
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ChatAnswer & { done: boolean });
  assert.equal(lines.map(({ message }) => message.content).join(''), text);
  assert.deepEqual(
    lines.map(({ done }) => done),
    lines.map((_, index) => index === lines.length - 1),
  );
});

test('generate goes through the template, and raw does not', async () => {
  const templated = await post('/api/generate', {
    model: 'tiny',
    prompt: 'Who are you?',
    options: greedy,
    stream: false,
  });
  const chat = await post<ChatAnswer>('/api/chat', {
    model: 'tiny',
    messages,
    options: greedy,
    stream: false,
  });
  assert.equal(templated.response, chat.message.content);
  const raw = await post('/api/generate', {
    model: 'tiny',
    prompt: 'Once upon a time',
    raw: true,
    options: greedy,
    stream: false,
  });
  const completed = await post<{ choices: { text: string }[] }>('/v1/completions', {
    model: 'tiny',
    prompt: 'Once upon a time',
    temperature: 0,
    max_tokens: 12,
  });
  assert.equal(raw.response, completed.choices[0]!.text);
});

test('format holds the answer to its schema at any temperature', async () => {
  const format = {
    type: 'object',
    properties: { name: { enum: ['Ann', 'Bob'] }, old: { type: 'boolean' } },
    required: ['name', 'old'],
    additionalProperties: false,
  };
  for (const seed of [1, 2, 3]) {
    const { message } = await post<ChatAnswer>('/api/chat', {
      model: 'tiny',
      messages,
      format,
      options: { temperature: 1.5, seed },
      stream: false,
    });
    const value = JSON.parse(message.content) as { name: string; old: boolean };
    assert.ok(['Ann', 'Bob'].includes(value.name) && typeof value.old === 'boolean', message.content);
  }
});

test('a model that is shown how calls its tool, with arguments of the schema', async () => {
  const call = (city: string) => ({
    role: 'assistant',
    content: '',
    tool_calls: [{ function: { name: 'get_weather', arguments: { city } } }],
  });
  const asked = (city: string) => ({ role: 'user', content: `Weather in ${city}?` });
  const body = {
    model: 'tiny',
    messages: [
      asked('Paris'),
      call('Paris'),
      asked('Rome'),
      call('Rome'),
      asked('Paris'),
      call('Paris'),
      asked('Rome'),
    ],
    tools: [
      {
        type: 'function',
        function: {
          name: 'get_weather',
          description: 'Get the current weather of a city',
          parameters: {
            type: 'object',
            properties: { city: { type: 'string', enum: ['Paris', 'Rome'] } },
            required: ['city'],
          },
        },
      },
    ],
    options: { temperature: 0, num_predict: 60 },
  };
  const whole = await post<ChatAnswer>('/api/chat', { ...body, stream: false });
  const [made] = whole.message.tool_calls ?? [];
  assert.equal(made?.function.name, 'get_weather', JSON.stringify(whole));
  assert.ok(['Paris', 'Rome'].includes(made.function.arguments.city));
  const lines = (await (await send('/api/chat', body)).text()).trimEnd().split('\n');
  const streamed = lines.flatMap((line) => (JSON.parse(line) as ChatAnswer).message.tool_calls ?? []);
  assert.deepEqual(streamed[0]?.function, made.function);
});

test('embeddings are those of the OpenAI API; texts that are too long are cut unless told otherwise', async () => {
  const input = ['hello world', 'x '.repeat(2000)];
  const { embeddings, prompt_eval_count: tokens } = await post<{
    embeddings: number[][];
    prompt_eval_count: number;
  }>('/api/embed', { model: 'tiny-embed', input });
  const openai = await post<{ data: { embedding: number[] }[]; usage: { total_tokens: number } }>(
    '/v1/embeddings',
    { model: 'tiny-embed', input, kith: { truncate: true } },
  );
  assert.deepEqual(
    embeddings,
    openai.data.map(({ embedding }) => embedding),
  );
  assert.equal(tokens, openai.usage.total_tokens);
  const { embedding } = await post('/api/embeddings', { model: 'tiny-embed', prompt: input[0] });
  assert.deepEqual(embedding, embeddings[0]);
  const refused = await send('/api/embed', { model: 'tiny-embed', input, truncate: false });
  assert.equal(refused.status, 400);
  assert.equal(typeof ((await refused.json()) as Json).error, 'string');
});

test('show tells what the file says', async () => {
  const shown = await post<{
    template: string;
    capabilities: string[];
    details: Json;
    model_info: Record<string, unknown>;
  }>('/api/show', { model: 'tiny:latest' });
  assert.deepEqual(shown.capabilities, ['completion', 'tools']);
  assert.match(shown.template, /<\|im_start\|>/);
  assert.equal(shown.model_info['general.architecture'], 'llama');
  assert.equal(shown.model_info['llama.context_length'], 32_768);
  assert.ok((shown.model_info['general.parameter_count'] as number) > 2e7);
  const { family, quantization_level, parameter_size } = shown.details;
  assert.deepEqual([family, quantization_level, parameter_size], ['llama', 'Q8_0', '29.1M']);
  assert.deepEqual((await post('/api/show', { model: 'tiny-embed' })).capabilities, ['embedding']);
  const { models } = (await get('/api/tags')) as { models: Json[] };
  const tag = models.find(({ name }) => name === 'tiny:latest');
  assert.deepEqual(tag?.details, shown.details);
  assert.match(tag?.digest as string, /^[0-9a-f]{64}$/);
});

test('a model leaves memory and comes back when it is asked to', async () => {
  const loaded = async () =>
    ((await get('/api/ps')) as { models: { name: string; size: number; size_vram: number }[] }).models;
  await post('/api/generate', { model: 'tiny' });
  const before = (await loaded()).find(({ name }) => name === 'tiny:latest');
  assert.ok(before!.size > 1e7 && before!.size_vram === 0);
  assert.equal((await post('/api/chat', { model: 'tiny', keep_alive: 0 })).done_reason, 'unload');
  assert.ok(!(await loaded()).some(({ name }) => name === 'tiny:latest'));
  assert.equal((await post('/api/chat', { model: 'tiny', messages: [] })).done_reason, 'load');
  assert.ok((await loaded()).some(({ name }) => name === 'tiny:latest'));
});

test('a model that answers somebody is not taken away, and a client that leaves stops its answer', async () => {
  const gone = new AbortController();
  const answer = await send(
    '/api/generate',
    { model: 'tiny', prompt: 'Tell a long story.', options: { temperature: 0, num_predict: 4000 } },
    gone.signal,
  );
  const reader = answer.body!.getReader();
  await reader.read();
  const busy = await send('/api/generate', { model: 'tiny', keep_alive: 0 });
  assert.equal(busy.status, 409, await busy.text());
  gone.abort();
  const working = async () => (await node.engineStatus()).models.find(({ id }) => id === 'tiny')!;
  for (let now = await working(); now.active > 0; now = await working());
  assert.equal((await working()).counters.aborted, 1);
});

test('errors are texts with the status of their kind', async () => {
  for (const [path, body, status, message] of [
    ['/api/chat', { model: 'nobody', messages }, 404, /'nobody' does not exist here/],
    ['/api/generate', { model: 'nobody' }, 404, /nobody/],
    ['/api/show', { model: 'nobody' }, 404, /nobody/],
    ['/api/embed', { model: 'nobody', input: 'x' }, 404, /nobody/],
    ['/api/chat', { model: 'tiny-embed', messages }, 400, /use it with \/api\/embed/],
    ['/api/embed', { model: 'tiny', input: 'x' }, 400, /use it with \/api\/chat/],
    ['/api/chat', { model: 'tiny', messages, options: { num_ctx: 100_000 } }, 400, /32768 tokens here/],
    ['/api/pull', { model: 'x' }, 501, /kith models pull/],
  ] as const) {
    const response = await send(path, body);
    assert.equal(response.status, status, path);
    const answer = (await response.json()) as { error: string };
    assert.deepEqual(Object.keys(answer), ['error']);
    assert.match(answer.error, message);
  }
});
