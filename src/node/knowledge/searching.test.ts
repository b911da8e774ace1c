import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock, createSeededRandom, silentLogger, systemClock } from '../../base/index.ts';
import {
  type Backend,
  type ChatEvent,
  type ChatRequest,
  createGateway,
  type GatewayProvider,
} from '../../gateway/index.ts';
import type { CrossEncoder, Found, Hit, SearchOptions } from '../../knowledge/index.ts';
import type { StepWishes } from '../../server/index.ts';
import { lateWriter, searchWith } from './searching.ts';

const texts = ['Oak is hard.', 'Elm is tall.', 'Ash is white.'];
const hits = texts.map(
  (text, row): Hit => ({
    chunk: {
      ...{ row, document: row, position: 0, text, title: `T${row}`, tokens: 3, path: `${row}.md`, place: {} },
      id: String(row).padStart(32, '0'),
    },
    ...{ score: 3 - row, words: null, vector: null, graph: null, duplicates: [], neighbours: [] },
  }),
);
const retriever = {
  search: async (_question: string, { limit = 10 }: SearchOptions = {}): Promise<Found> => ({
    ...{ by: ['words'], route: null, degraded: null, words: [], hits: hits.slice(0, limit) },
  }),
};

/** A provider somewhere else that says `text`, under an owner's level of privacy. */
function openWith(
  privacy: 'minimum' | 'maximum',
  text: string,
  knowledge: {
    expand?: readonly string[];
    rerank?: 'none' | 'listwise' | 'cross-encoder';
    writer?: string;
  } = {},
  crossEncoder: CrossEncoder | null = null,
) {
  const asked: ChatRequest[] = [];
  const backend: Backend = {
    name: 'vendor',
    has: async (model) => model === 'big',
    defaultModel: () => 'big',
    models: async () => [
      { id: 'big', task: 'chat', state: 'ready', ownedBy: 'vendor', context: 4000, since: null },
    ],
    async *chat(request): AsyncGenerator<ChatEvent> {
      asked.push(request);
      yield { type: 'start', backend: 'vendor', model: 'big' };
      yield { type: 'text', choice: 0, text, logprobs: null };
      yield { type: 'finish', choice: 0, reason: 'stop', stop: null, slidTokens: 0 };
      yield {
        ...{ type: 'usage', promptTokens: 5, cachedTokens: 0, completionTokens: 4 },
        receipt: {
          ...{ backend: 'vendor', model: 'big', queueMs: null, prefillMs: null, decodeMs: null, notes: [] },
        },
      };
    },
    complete: () => assert.fail(),
    countTokens: () => assert.fail(),
    embed: () => assert.fail(),
    health: async () => assert.fail(),
  };
  const provider: GatewayProvider = {
    backend,
    destination: { kind: 'provider', link: 'encrypted' },
    step: 'remote',
  };
  const gateway = createGateway({
    ...{ providers: [provider], clock: systemClock, random: createSeededRandom(1), log: silentLogger },
    ...{ probeMs: 0, retries: 0, policy: { degrade: 'explain', cache: 'keep' } },
  });
  const parts = {
    ...{ gateway, crossEncoder, clock: createManualClock() },
    config: {
      gateway: { privacy },
      knowledge: {
        ...{ expand: [], rerank: 'none', stepMs: 3000, rerankPassages: 30, writer: 'none', ...knowledge },
      },
    },
  } as unknown as Parameters<typeof searchWith>[0];
  return {
    asked,
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
    search: (wishes: StepWishes, writer?: string | null) =>
      searchWith(parts, retriever, wishes, lateWriter(parts, writer)).search('which wood is hard?'),
  };
}

const order = ({ hits: found }: Found) => found.map(({ chunk }) => chunk.row);

test('nothing is asked of a model unless a search or the configuration asks for it', async () => {
  await using plain = openWith('minimum', '3, 1', { writer: 'big' });
  assert.deepEqual((await plain.search({})).steps, []);
  assert.deepEqual(plain.asked, []);
  await using configured = openWith('minimum', '3, 1', { writer: 'big', rerank: 'listwise' });
  const found = await configured.search({});
  assert.deepEqual(order(found), [2, 0, 1]);
  assert.deepEqual(
    found.steps.map(({ name, status, model, writer }) => [name, status, model, writer?.where]),
    [['listwise', 'used', 'big', 'provider']],
  );
  assert.deepEqual((await configured.search({ rerank: 'none' })).steps, []);
  assert.equal(configured.asked.length, 1);
});

test('passages go to nobody whom the privacy level of the owner leaves out, and the search is as without', async () => {
  await using open = openWith('maximum', '3, 1');
  const found = await open.search({ expand: ['hyde', 'multi-query'], rerank: 'listwise' }, 'big');
  assert.deepEqual(open.asked, []);
  assert.deepEqual(order(found), [0, 1, 2]);
  assert.deepEqual(
    found.steps.map(({ name, code, writer }) => [name, code, writer]),
    [
      ['hyde', 'failed', null],
      ['multi-query', 'failed', null],
      ['listwise', 'failed', null],
    ],
  );
  assert.match(found.steps[2]?.reason ?? '', /privacy/iu);
});

test('where nobody does it the step says so and what would help', async () => {
  await using open = openWith('minimum', '1');
  const told = async (wishes: StepWishes) =>
    (await open.search(wishes)).steps.map(({ name, code, reason }) => `${name} ${code}: ${reason}`);
  assert.deepEqual(await told({ expand: ['hyde'], rerank: 'cross-encoder' }), [
    'hyde nobody: nobody writes here: name a model (writer), or set knowledge.writer',
    'cross-encoder nobody: no cross-encoder is set (knowledge.reranker)',
  ]);
  assert.match((await told({ rerank: 'listwise' }))[0] ?? '', /^listwise nobody/u);
  assert.deepEqual(open.asked, []);
});

test('a cross-encoder puts hits in order without any writer', async () => {
  const encoder: CrossEncoder = {
    model: 'pairs',
    score: async (_query, passages) => Float32Array.from(passages, (text) => (text.includes('Elm') ? 1 : 0)),
  };
  await using open = openWith('minimum', '', { rerank: 'cross-encoder' }, encoder);
  const found = await open.search({});
  assert.deepEqual(order(found), [1, 0, 2]);
  assert.equal(found.steps[0]?.model, 'pairs');
});
