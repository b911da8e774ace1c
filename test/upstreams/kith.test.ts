/**
 * The backends against a real node: it speaks both APIs.
 *
 * @module test/upstreams/kith.test
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createSeededRandom, systemClock } from '../../src/base/index.ts';
import { createAnthropicBackend, createOpenAiBackend } from '../../src/gateway/backends/index.ts';
import type { Backend, ChatEvent } from '../../src/gateway/types.ts';
import { UpstreamError } from '../../src/gateway/upstream/index.ts';
import type { Node } from '../../src/node/index.ts';
import { createHome, startNode, type TestHome } from '../node-support.ts';
import { chatRequest, completionRequest, embeddingRequest, outcomeOf } from './support.ts';

let home: TestHome;
let node: Node;
let openAi: Backend & AsyncDisposable;
let anthropic: Backend & AsyncDisposable;

before(async () => {
  home = await createHome();
  node = await startNode(home);
  const options = {
    name: 'other node',
    baseUrl: `${node.url}/v1`,
    clock: systemClock,
    random: createSeededRandom(1),
  };
  openAi = createOpenAiBackend({
    ...options,
    abilities: { topK: 'top_k', minP: 'min_p', repeatPenalty: 'repeat_penalty' },
  });
  anthropic = createAnthropicBackend(options);
});
after(async () => {
  await openAi[Symbol.asyncDispose]();
  await anthropic[Symbol.asyncDispose]();
  await node[Symbol.asyncDispose]();
  await home.remove();
});

const greedy = { temperature: 0, seed: 1 };
const messages = [{ role: 'user', content: 'Say hello.' }];
const argumentsIn = (events: readonly ChatEvent[]) =>
  events.map((event) => (event.type === 'tool_arguments' ? event.text : '')).join('');

test('models and health of a node are read, with what they are for', async () => {
  const models = await openAi.models();
  const tasks = Object.fromEntries(models.map(({ id, task }) => [id, task]));
  assert.deepEqual([tasks.tiny, tasks['tiny-embed']], ['chat', 'embedding']);
  assert.ok(models.find(({ id }) => id === 'tiny')!.context! > 0);
  assert.equal(await openAi.has('tiny'), true);
  const health = await openAi.health();
  assert.deepEqual([health.status, health.answers], ['ok', true]);
});

const post = async (path: string, body: object) => {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${node.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  // biome-ignore lint/suspicious/noExplicitAny: what is wrong with the answer shows in the test
  return (await response.json()) as any;
};

test('over both APIs the answer and its counts are those that the node gives when it is asked directly', async () => {
  const request = chatRequest({ model: 'tiny', messages, maxTokens: 12, sampler: greedy });
  const body = { model: 'tiny', messages, max_tokens: 12, temperature: 0 };
  const direct = await post('/v1/chat/completions', body);
  const one = await outcomeOf(openAi.chat(request));
  assert.deepEqual([one.error, one.text], [null, direct.choices[0].message.content]);
  const counts = [one.usage!.promptTokens, one.usage!.completionTokens];
  assert.deepEqual(counts, [direct.usage.prompt_tokens, direct.usage.completion_tokens]);
  assert.equal(one.usage!.receipt.model, 'tiny');

  const message = await post('/v1/messages', body);
  const other = await outcomeOf(anthropic.chat(request));
  assert.deepEqual([other.error, other.text], [null, message.content[0].text]);
  const { input_tokens, cache_read_input_tokens, output_tokens } = message.usage;
  assert.equal(other.usage!.promptTokens, input_tokens + cache_read_input_tokens);
  assert.equal(other.usage!.completionTokens, output_tokens);
  assert.equal(await anthropic.countTokens(request), other.usage!.promptTokens);
});

test('an answer that has to fit a schema fits it', async () => {
  const schema = {
    type: 'object',
    properties: { colour: { enum: ['red', 'green'] } },
    required: ['colour'],
    additionalProperties: false,
  };
  const { text, error } = await outcomeOf(
    openAi.chat(
      chatRequest({
        model: 'tiny',
        messages,
        sampler: greedy,
        maxTokens: 40,
        grammar: { kind: 'json_schema', schema },
      }),
    ),
  );
  assert.equal(error, null);
  assert.ok(['red', 'green'].includes(JSON.parse(text).colour));
});

test('a tool that has to be called is called, over both APIs', async () => {
  const parameters = {
    type: 'object',
    properties: { city: { enum: ['Oslo', 'Rome'] } },
    required: ['city'],
    additionalProperties: false,
  };
  const tools = [{ name: 'weather', description: 'Weather of a city.', parameters, strict: true }];
  for (const backend of [openAi, anthropic]) {
    const { events, error } = await outcomeOf(
      backend.chat(
        chatRequest({
          model: 'tiny',
          messages,
          sampler: greedy,
          maxTokens: 60,
          tools,
          toolChoice: { name: 'weather' },
        }),
      ),
    );
    assert.equal(error, null);
    assert.ok(events.some((event) => event.type === 'tool_call' && event.name === 'weather'));
    assert.ok(['Oslo', 'Rome'].includes(JSON.parse(argumentsIn(events)).city));
    assert.ok(events.some((event) => event.type === 'finish' && event.reason === 'tool_calls'));
  }
});

test('completions and embeddings come through', async () => {
  const completion = await outcomeOf(
    openAi.complete(
      completionRequest({ model: 'tiny', prompts: ['Once', 'Then'], maxTokens: 4, sampler: greedy }),
    ),
  );
  assert.equal(completion.error, null);
  assert.equal(completion.events.filter((event) => event.type === 'finish').length, 2);
  const { vectors, dimension } = await openAi.embed(
    embeddingRequest({ model: 'tiny-embed', inputs: ['a dog', 'a puppy', 'stock market'] }),
  );
  assert.deepEqual([dimension, vectors.length], [384, 3 * 384]);
  const dot = (a: number, b: number) =>
    vectors
      .subarray(a * 384, (a + 1) * 384)
      .reduce((sum, each, at) => sum + each * vectors[b * 384 + at]!, 0);
  assert.ok(Math.abs(dot(0, 0) - 1) < 1e-5);
  assert.ok(dot(0, 1) > dot(0, 2));
});

test("a node's refusals are told apart", async () => {
  const missing = await outcomeOf(openAi.chat(chatRequest({ model: 'no-such-model' })));
  assert.ok(missing.error instanceof UpstreamError);
  assert.deepEqual([missing.error.code, missing.error.status], ['model_not_found', 404]);
  const long = await outcomeOf(
    openAi.chat(
      chatRequest({ model: 'tiny', messages: [{ role: 'user', content: 'word '.repeat(50_000) }] }),
    ),
  );
  assert.ok(
    long.error instanceof UpstreamError && long.error.failure === 'context_length',
    String(long.error),
  );
});
