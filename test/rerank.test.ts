/** A reranker in a node's models folder: listed as one, asked over HTTP, and the order of searches. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createModelStore } from '../src/models/index.ts';
import type { Node } from '../src/node/index.ts';
import type { JobView, SearchView } from '../src/server/index.ts';
import { type Rag, ragOf, writeNotes } from './knowledge/rag-support.ts';
import { makeRandomModel } from './models/random-model.ts';
import { makeReranker } from './models/reranker.ts';
import { createHome, startNode, type TestHome } from './node-support.ts';

let home: TestHome;
let folder: string;
let node: Node;
let rag: Rag;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kith-rerank-'));
  home = await createHome();
  const encoder = join(folder, 'encoder.gguf');
  const shape = { blocks: 2, embedding: 64, heads: 4, kvHeads: 4, ffn: 128, vocab: 320 } as const;
  await makeRandomModel({ arch: 'bert', ...shape, type: 'F32', seed: 5, context: 256 }, encoder);
  {
    await using store = createModelStore({ home: home.path });
    await store.add(await makeReranker(encoder, join(folder, 'ranker.gguf')), { id: 'ranker' });
  }
  node = await startNode(home, { 'knowledge.reranker': 'ranker', 'knowledge.stepMs': 60_000 });
  rag = await ragOf(node, home.path);
});
after(async () => {
  await node?.close();
  await home?.remove();
  await rm(folder, { recursive: true, force: true });
});

interface Ranking {
  readonly model: string;
  readonly results: readonly {
    index: number;
    relevance_score: number;
    logit: number;
    document?: { text: string };
  }[];
  readonly usage: { readonly prompt_tokens: number };
}

const post = (path: string, body: unknown) =>
  fetch(node.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
async function rank(body: unknown): Promise<Ranking> {
  const response = await post('/v1/rerank', body);
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as Ranking;
}
async function errorOf(path: string, body: unknown): Promise<string> {
  const response = await post(path, body);
  const { error } = (await response.json()) as { error: { code: string; param: string | null } };
  return `${response.status} ${error.code} ${error.param}`;
}

const documents = ['the girl has a baby', { text: 'a man eats bread' }, '', 'a man eats bread'];

test('documents come back in their order, the first of equals first, with scores between 0 and 1', async () => {
  const { model, results, usage } = await rank({ query: 'who ate bread', documents });
  assert.equal(model, 'ranker');
  assert.deepEqual(results.map(({ index }) => index).sort(), [0, 1, 2, 3]);
  for (const [at, { logit, relevance_score }] of results.entries()) {
    assert.ok(at === 0 || results[at - 1]!.logit >= logit);
    assert.ok(Math.abs(relevance_score - 1 / (1 + Math.exp(-logit))) < 1e-9);
  }
  const place = (index: number) => results.findIndex((one) => one.index === index);
  assert.equal(place(3), place(1) + 1);
  assert.ok(usage.prompt_tokens > 0);
  const best = await rank({
    model: 'ranker',
    query: 'who ate bread',
    documents,
    top_n: 2,
    return_documents: true,
  });
  assert.deepEqual(
    best.results.map(({ index }) => index),
    results.slice(0, 2).map(({ index }) => index),
  );
  const texts = ['the girl has a baby', 'a man eats bread', '', 'a man eats bread'];
  for (const { index, document } of best.results) assert.deepEqual(document, { text: texts[index] });
});

test('a reranker is listed as one, and neither writes nor makes vectors; other models do not rank', async () => {
  const { kith } = (await (await fetch(`${node.url}/v1/models/ranker`)).json()) as { kith: { task: string } };
  assert.equal(kith.task, 'rerank');
  const asked = { query: 'a', documents: ['b'] };
  const messages = [{ role: 'user', content: 'Hi' }];
  assert.deepEqual(
    [
      await errorOf('/v1/chat/completions', { model: 'ranker', messages }),
      await errorOf('/v1/embeddings', { model: 'ranker', input: 'a' }),
      await errorOf('/v1/rerank', { ...asked, model: 'tiny-embed' }),
      await errorOf('/v1/rerank', { ...asked, model: 'nobody' }),
      await errorOf('/v1/rerank', { ...asked, query: 'a b c d '.repeat(100) }),
      await errorOf('/v1/rerank', { ...asked, documents: [] }),
      await errorOf('/v1/rerank', { ...asked, query: '' }),
    ],
    [
      '400 wrong_model_task model',
      '400 wrong_model_task model',
      '400 wrong_model_task model',
      '404 model_not_found model',
      '400 input_too_long query',
      '400 too_small documents',
      '400 too_small query',
    ],
  );
});

test('searches are put in the order that the configured reranker gives', async () => {
  const notes = join(folder, 'notes');
  await writeNotes(notes);
  await rag('POST', '', { name: 'notes' });
  await rag.ended(await rag<JobView>('POST', '/notes/ingest', { paths: [notes] }));
  const query = 'how long does tea steep';
  const search = (more: object = {}) =>
    rag<SearchView>('POST', '/notes/search', { query, mode: 'both', ...more });
  const { hits, steps } = await search();
  assert.deepEqual(
    steps.map(({ name, status }) => [name, status]),
    [['cross-encoder', 'used']],
  );
  const plain = await search({ rerank: 'none' });
  assert.deepEqual(plain.steps, []);
  const texts = plain.hits.map(({ title, text }) => `${title}\n${text}`);
  const { results } = await rank({ query, documents: texts });
  assert.deepEqual(
    hits.map(({ path }) => path),
    results.map(({ index }) => plain.hits[index]!.path),
  );
});
