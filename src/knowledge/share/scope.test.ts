import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom } from '../../base/index.ts';
import { followGraph } from '../graph/index.ts';
import { createRetriever, type SearchOptions } from '../retrieve/index.ts';
import { type KnowledgeStore, openKnowledgeStore } from '../store/index.ts';
import type { Embedder } from '../types.ts';
import { createScope } from './scope.ts';

const DIMENSION = 24;

/** The same vector for the same words, in any order. */
const embedder: Embedder = {
  ...{ id: 'words', hash: 'words-1', dimension: DIMENSION, window: 1000 },
  async embed(texts) {
    const rows = new Float32Array(texts.length * DIMENSION);
    texts.forEach((text, i) => {
      const row = rows.subarray(i * DIMENSION, (i + 1) * DIMENSION);
      for (const word of text.toLowerCase().match(/\w+/g) ?? []) {
        const random = createSeededRandom(createHash('md5').update(word).digest().readUInt32LE());
        for (let k = 0; k < DIMENSION; k++) row[k]! += random.float() - 0.5;
      }
      const length = Math.hypot(...row) || 1;
      for (let k = 0; k < DIMENSION; k++) row[k]! /= length;
    });
    return rows;
  },
  countTokens: async (texts) => texts.map((text) => text.split(' ').length),
};

const open = (): KnowledgeStore =>
  openKnowledgeStore({ path: ':memory:', create: { name: 'test', clock: { now: () => 0 } }, embedder });

async function put(
  store: KnowledgeStore,
  path: string,
  texts: readonly string[],
  tags: readonly string[] = [],
) {
  const idOf = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 32);
  store.put(
    {
      ...{ path, title: path, titled: false, type: 'txt', hash: createHash('sha256').update(path).digest() },
      ...{
        recipe: 'test',
        bytes: 1,
        modified: 0,
        pages: null,
        properties: {},
        tags,
        aliases: [],
        links: [],
        notes: [],
      },
    },
    texts.map((text, position) => ({ id: idOf(text), position, title: '', text, tokens: 1, place: {} })),
    await embedder.embed(texts, { kind: 'passage' }),
    texts.map((_, chunk) => ({
      ...{ chunk, surface: 'Anna Berg', span: null, extractor: 'title' as const, confidence: 1 },
    })),
  );
}

/** What somebody gets to see; rows are of the store and of no answer. */
async function seen(store: KnowledgeStore, question: string, options: SearchOptions = {}) {
  await using retriever = createRetriever({
    store,
    embedder,
    graph: followGraph(store),
    vectors: { threads: 0 },
  });
  const { hits, by, degraded, words } = await retriever.search(question, { neighbours: 2, ...options });
  const text = hits.map(({ chunk, neighbours, ...rest }) => ({
    ...rest,
    ...{ path: chunk.path, id: chunk.id, around: neighbours.map((each) => `${each.path} ${each.id}`) },
  }));
  return { text, by, degraded, words };
}

const OPEN = { paths: ['open/'] };
const word = fc.constantFrom(
  'lease',
  'boat',
  'harbour',
  'Anna',
  'ends',
  'june',
  'berg',
  'secret',
  'code',
  '4711',
);
const sentence = fc.array(word, { minLength: 3, maxLength: 12 }).map((words) => words.join(' '));
const documents = fc.array(
  fc.record({ open: fc.boolean(), texts: fc.array(sentence, { minLength: 1, maxLength: 4 }) }),
  { minLength: 2, maxLength: 14 },
);

test('through a grant a knowledge base is exactly the one that has nothing else: hits, scores, order, duplicates, neighbours', async () => {
  await fc.assert(
    fc.asyncProperty(
      documents,
      sentence,
      fc.constantFrom('both', 'words', 'vectors', 'auto', 'graph'),
      async (all, question, by) => {
        using whole = open();
        using part = open();
        for (const [i, { open: isOpen, texts }] of all.entries()) {
          const path = `${isOpen || i === 0 ? 'open' : 'shut'}/${i}.txt`;
          await put(whole, path, texts);
          if (path.startsWith('open/')) await put(part, path, texts);
        }
        using within = createScope(whole, OPEN);
        await within.follow();
        const byPart = by === 'auto' || by === 'graph' ? 'both' : by;
        assert.deepEqual(
          await seen(whole, question, { by, within }),
          await seen(part, question, { by: byPart }),
        );
      },
    ),
    { numRuns: 25 },
  );
});

test('a secret outside never comes: not by its words, its meaning, the graph, as a copy, as a neighbour, or by a filter of the caller', async () => {
  using store = open();
  const copied = 'The lease of the boat house ends on the last day of June, says the harbour master.';
  await put(store, 'open/lease.txt', [copied, 'Anna Berg signs for the owners.']);
  await put(store, 'shut/lease.txt', [copied, 'Anna Berg keeps the code 4711 in the red tin.'], ['open']);
  await put(store, 'open.txt', ['The code 4711 once more.']);
  using within = createScope(store, OPEN);
  await within.follow();
  for (const question of ['code 4711 red tin', 'Anna Berg', 'lease of the boat house'])
    for (const by of ['auto', 'graph', 'both', 'words', 'vectors'] as const)
      for (const filter of [
        undefined,
        { paths: ['shut/'] },
        { paths: ['shut/lease.txt', 'open/'] },
        { tags: ['open'] },
      ]) {
        const found = await seen(store, question, { by, within, filter, dropDuplicates: true });
        assert.doesNotMatch(JSON.stringify(found.text), /shut|4711|open\.txt/);
      }
  const inside = await seen(store, 'lease of the boat house', { by: 'auto', within });
  assert.equal(inside.text[0]!.path, 'open/lease.txt');
});

test('a scope follows what changes: new, changed, renamed and removed documents', async () => {
  using store = open();
  await put(store, 'open/a.txt', ['harbour']);
  await put(store, 'shut/b.txt', ['lease']);
  using within = createScope(store, OPEN);
  const has = async (word: string) => {
    await within.follow();
    return within.lexical([word], 10).length;
  };
  assert.deepEqual([await has('harbour'), await has('lease')], [1, 0]);
  store.rename('shut/b.txt', 'open/b.txt');
  assert.deepEqual([await has('harbour'), await has('lease')], [1, 1]);
  store.rename('open/a.txt', 'shut/a.txt');
  await put(store, 'open/b.txt', ['june']);
  assert.deepEqual([await has('harbour'), await has('lease'), await has('june')], [0, 0, 1]);
  store.remove('open/b.txt');
  assert.deepEqual([await has('june'), within.rowsOf(undefined).length], [0, 0]);
});

test('a scope takes only so many passages, and ends when nobody waits for it', async () => {
  using store = open();
  await put(store, 'open/a.txt', ['one', 'two', 'three']);
  using small = createScope(store, OPEN, 2);
  await assert.rejects(small.follow(), { code: 'limit_reached' });
  using within = createScope(store, OPEN);
  await assert.rejects(within.follow(AbortSignal.abort()), { code: 'aborted' });
  await within.follow();
  assert.equal(within.rowsOf(undefined).length, 3);
});
