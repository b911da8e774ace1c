/** Answers of a backend that does not count its tokens, in every API: nothing is made up, and nothing breaks. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createIds, createSeededRandom, silentLogger, systemClock } from '../src/base/index.ts';
import type { Backend, ChatEvent, EmbeddingAnswer, Receipt } from '../src/gateway/index.ts';
import { gatewayOver } from '../src/gateway/testing/over.ts';
import { tokenBudgets } from '../src/server/access/budgets.ts';
import type { Bucket } from '../src/server/access/rate.ts';
import { defaultServerLimits } from '../src/server/http/limits.ts';
import { createServer } from '../src/server/server.ts';
import { loopbackAccess } from '../src/server/testing/loopback-access.ts';
import type { NodeControl, Server } from '../src/server/types.ts';
import './openapi/watch.ts';

const notes = ['https://example.com did not report token counts.'];
const receipt: Receipt = { backend: 'far', model: 'm', queueMs: null, prefillMs: 2, decodeMs: 3, notes };
const unknown = { promptTokens: null, cachedTokens: null, completionTokens: null };
const events: readonly ChatEvent[] = [
  { type: 'start', backend: 'far', model: 'm' },
  { type: 'text', choice: 0, text: 'An answer of 27 characters.', logprobs: null },
  { type: 'finish', choice: 0, reason: 'stop', stop: null, slidTokens: 0 },
  { type: 'usage', ...unknown, receipt },
];
async function* play(): AsyncGenerator<ChatEvent> {
  yield* events;
}
const vectors: EmbeddingAnswer = {
  vectors: Float32Array.of(1, 0),
  dimension: 2,
  tokens: [null],
  receipt,
};
const row = { id: 'm', task: 'chat', state: 'loaded', ownedBy: 'far', context: null, since: null } as const;
const backend: Backend = {
  name: 'far',
  has: async (model) => model === 'm',
  defaultModel: () => 'm',
  models: async () => [row],
  chat: play,
  complete: play,
  countTokens: async () => 1,
  embed: async () => vectors,
  health: async () => ({
    status: 'ok',
    latencyMs: null,
    modelsAvailable: 1,
    modelsLoaded: 1,
    breaker: { state: 'closed', failures: 0 },
    message: null,
  }),
};

let taken = 0;
const bucket: Bucket = {
  limit: 1000,
  remaining: () => 1000,
  resetMs: () => 0,
  waitMs: () => 0,
  take: (units) => {
    taken += units;
  },
};

let server: Server;
before(async () => {
  server = await createServer({
    gateway: gatewayOver([backend]),
    control: { load: async () => {} } as unknown as NodeControl,
    host: '127.0.0.1',
    port: 0,
    log: silentLogger,
    clock: systemClock,
    ids: createIds(systemClock, createSeededRandom(1)),
    randomSeed: () => 1,
    limits: defaultServerLimits,
    version: '0.0.0',
    token: 'a-token-that-is-long-enough',
    access: loopbackAccess(),
    observers: [tokenBudgets(() => bucket)],
  });
});
after(() => server.close(0));

// biome-ignore lint/suspicious/noExplicitAny: bodies of six APIs, each looked into where it is asserted
type Body = any;

async function post(path: string, body: object): Promise<{ headers: Headers; text: string }> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return { headers: response.headers, text };
}
async function whole(path: string, body: object): Promise<{ headers: Headers; body: Body }> {
  const { headers, text } = await post(path, body);
  return { headers, body: JSON.parse(text) };
}
async function streamed(path: string, body: object): Promise<Body[]> {
  const { text } = await post(path, { ...body, stream: true });
  return [...text.matchAll(/^data: (\{.*)$/gm)].map(([, data]) => JSON.parse(data!));
}
const messages = [{ role: 'user', content: 'A question of 26 letters??' }];
const prompt = 'A question of 26 letters??';
const include = { stream_options: { include_usage: true } };

test("OpenAI's answers leave the usage out, and streams end without a chunk for it", async () => {
  for (const [path, asked] of [
    ['/v1/chat/completions', { messages }],
    ['/v1/completions', { prompt }],
  ] as const) {
    const { body } = await whole(path, asked);
    assert.ok(!('usage' in body), path);
    const chunks = await streamed(path, { ...asked, ...include });
    assert.ok(chunks.every((chunk) => chunk.choices.length === 1 && chunk.usage === null));
    const told = await streamed(path, { ...asked, ...include, kith: { receipt: true } });
    assert.equal(told.length, chunks.length + 1);
    assert.deepEqual([told.at(-1).usage, told.at(-1).kith.notes], [null, notes]);
  }
});

test('a response has no usage', async () => {
  const { body } = await whole('/v1/responses', { input: prompt });
  assert.deepEqual([body.status, body.usage], ['completed', null]);
  const last = (await streamed('/v1/responses', { input: prompt })).at(-1);
  assert.deepEqual([last.type, last.response.usage], ['response.completed', null]);
});

test('zeros stand only where an API has no answer without them, and a header says what they are', async () => {
  const embedded = await whole('/v1/embeddings', { input: 'hi' });
  assert.deepEqual(embedded.body.usage, { prompt_tokens: 0, total_tokens: 0 });
  assert.equal(embedded.headers.get('x-kith-usage'), 'unknown');

  const ask = { model: 'm', max_tokens: 9, messages };
  const { headers, body } = await whole('/v1/messages', ask);
  const { input_tokens, output_tokens, cache_read_input_tokens } = body.usage;
  assert.deepEqual([input_tokens, output_tokens, cache_read_input_tokens], [0, 0, null]);
  assert.equal(headers.get('x-kith-usage'), 'unknown');
  const delta = (await streamed('/v1/messages', ask)).find(({ type }) => type === 'message_delta');
  assert.deepEqual([delta.usage.input_tokens, delta.usage.output_tokens], [null, 0]);
});

test("Ollama's API leaves counts out, NS-LLM's says null", async () => {
  for (const [path, asked] of [
    ['/api/chat', { messages }],
    ['/api/generate', { prompt }],
  ] as const) {
    const { body } = await whole(path, { model: 'm', stream: false, ...asked });
    assert.equal(body.done, true);
    assert.ok(!('eval_count' in body) && !('prompt_eval_count' in body), path);
    assert.ok('eval_duration' in body, 'times are known');
  }
  const { body: ollama } = await whole('/api/embed', { model: 'm', input: 'hi' });
  assert.ok(!('prompt_eval_count' in ollama));

  const { body } = await whole('/generate', { prompt });
  assert.equal(body.tokens_generated, null);
  const done = (await streamed('/generate', { prompt })).at(-1);
  assert.deepEqual([done.done, done.token_count, done.tokens_generated], [true, null, null]);
  assert.equal((await whole('/embed', { text: 'hi' })).body.tokens, null);
});

test('budgets of tokens take four characters for a token', async () => {
  const cost = async (path: string, body: object) => {
    taken = 0;
    await post(path, body);
    return taken;
  };
  assert.equal(await cost('/v1/chat/completions', { messages }), Math.ceil(26 / 4) + Math.ceil(27 / 4));
  assert.equal(await cost('/v1/completions', { prompt: [1, 2, 3] }), 3 + Math.ceil(27 / 4));
  assert.equal(await cost('/v1/embeddings', { input: 'x'.repeat(41) }), 11);
});
