import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom } from '../../base/index.ts';
import { type KnowledgeStore, openKnowledgeStore } from '../store/index.ts';
import type { Embedder } from '../types.ts';
import { createRetriever, type Found, type SearchOptions } from './retriever.ts';

const DIMENSION = 64;
const SYNONYMS: Readonly<Record<string, string>> = {
  automobile: 'car',
  vehicle: 'car',
  feline: 'cat',
  kitten: 'cat',
};

/** Words that mean the same share a direction of their own: enough meaning to tell it from words. */
const embedder: Embedder = {
  ...{ id: 'directions', hash: 'directions-1', dimension: DIMENSION, window: 1000 },
  async embed(texts, { signal }) {
    signal?.throwIfAborted();
    const rows = new Float32Array(texts.length * DIMENSION);
    texts.forEach((text, i) => {
      const row = rows.subarray(i * DIMENSION, (i + 1) * DIMENSION);
      for (const word of text.toLowerCase().match(/\w+/g) ?? []) {
        const random = createSeededRandom(
          createHash('md5')
            .update(SYNONYMS[word] ?? word)
            .digest()
            .readUInt32LE(),
        );
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
  options: { type?: string; vectors?: boolean } = {},
): Promise<void> {
  const hash = createHash('sha256').update(path).update(texts.join('\0')).digest();
  store.put(
    {
      ...{
        path,
        title: path,
        titled: false,
        type: options.type ?? 'txt',
        hash,
        recipe: 'test',
        bytes: 1,
        modified: 0,
      },
      ...{ pages: null, properties: {}, tags: [], aliases: [], links: [], notes: [] },
    },
    texts.map((text, position) => ({
      id: createHash('sha256').update(`${path}\0${position}\0${text}`).digest('hex').slice(0, 32),
      ...{ position, text, title: '', tokens: 1, place: {} },
    })),
    options.vectors === false ? null : await embedder.embed(texts, { kind: 'passage' }),
    [],
  );
}

const paths = ({ hits }: Found): string[] => hits.map(({ chunk }) => chunk.path);

async function animals(): Promise<KnowledgeStore> {
  const store = open();
  await put(store, 'car.txt', ['the car stood in the yard']);
  await put(store, 'cat.txt', ['a cat slept on the warm roof']);
  await put(store, 'notes/tax.md', ['forms for the tax office', 'the yard was sold in spring'], {
    type: 'md',
  });
  return store;
}

test('words find what meaning does not, meaning finds what words do not, and hits say by which', async () => {
  using store = await animals();
  await using retriever = createRetriever({ store, embedder });
  const byWords = await retriever.search('automobile', { by: 'words' });
  assert.deepEqual(byWords.hits, []);
  const found = await retriever.search('Where is the automobile?');
  assert.equal(paths(found)[0], 'car.txt');
  assert.deepEqual([found.by, found.degraded, found.words], [['words', 'vectors'], null, ['automobile']]);
  assert.equal(found.hits[0]?.words, null);
  assert.equal(found.hits[0]?.vector?.rank, 1);
  const office = await retriever.search('office');
  assert.equal(office.hits[0]?.words?.rank, 1);
  assert.ok((office.hits[0]?.vector?.score ?? 0) > 0);
});

test('vectors are followed: what was put, replaced and removed after the first search counts in the next', async () => {
  using store = await animals();
  await using retriever = createRetriever({ store, embedder });
  const first = async (question: string) => paths(await retriever.search(question, { by: 'vectors' }))[0];
  assert.equal(await first('kitten'), 'cat.txt');
  await put(store, 'kitten.txt', ['kitten']);
  assert.equal(await first('feline'), 'kitten.txt');
  await put(store, 'kitten.txt', ['granite']);
  assert.equal(await first('feline'), 'cat.txt');
  store.remove('cat.txt');
  assert.notEqual(await first('feline'), 'cat.txt');
});

test('an index that followed any changes gives the answers of one made anew', async () => {
  const vocabulary = [
    'car',
    'cat',
    'roof',
    'yard',
    'tax',
    'office',
    'spring',
    'stone',
    'river',
    'kitten',
    'vehicle',
  ];
  const text = fc
    .array(fc.constantFrom(...vocabulary), { minLength: 1, maxLength: 6 })
    .map((words) => words.join(' '));
  const change = fc.record({
    file: fc.nat(6),
    texts: fc.array(text, { maxLength: 4 }),
    vectors: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), text, async (changes, question) => {
      using store = open();
      await using following = createRetriever({ store, embedder });
      for (const { file, texts, vectors } of changes) {
        if (texts.length === 0) store.remove(`${file}.txt`);
        else await put(store, `${file}.txt`, texts, { vectors });
        await following.search(question);
      }
      await using fresh = createRetriever({ store, embedder });
      for (const by of ['words', 'vectors', 'both'] as const)
        assert.deepEqual(await following.search(question, { by }), await fresh.search(question, { by }));
    }),
    { numRuns: 25 },
  );
});

test('the order of hits does not depend on the order in which documents came', async () => {
  const texts = [
    'the car in the yard',
    'the car in the yard',
    'a car on the roof',
    'yard and car',
    'the cat',
  ];
  const order = [0, 1, 2, 3, 4];
  const expected: string[][] = [];
  for (let turn = 0; turn < 3; turn++) {
    using store = open();
    for (const i of order) await put(store, `${i}.txt`, [texts[i]!]);
    await using retriever = createRetriever({ store, embedder });
    expected.push(paths(await retriever.search('car yard', { dropDuplicates: false })));
    order.push(order.shift()!, order.shift()!);
    order.reverse();
  }
  assert.equal(expected[0]?.length, 5);
  assert.deepEqual(expected[1], expected[0]);
  assert.deepEqual(expected[2], expected[0]);
});

test('filters hold for words and for meaning', async () => {
  using store = await animals();
  await using retriever = createRetriever({ store, embedder });
  for (const by of ['words', 'vectors', 'both'] as const) {
    const found = await retriever.search('car cat yard office', { by, filter: { types: ['md'] } });
    assert.ok(found.hits.length > 0, by);
    assert.ok(
      paths(found).every((path) => path === 'notes/tax.md'),
      by,
    );
    const none = await retriever.search('car', { by, filter: { paths: ['nowhere/'] } });
    assert.deepEqual(none.hits, [], by);
  }
});

test('copies are named at the best of them, and other numbers make another text', async () => {
  using store = open();
  const said = 'the old house by the river was built by the miller and his two sons in';
  await put(store, 'a.txt', [`${said} 1884`]);
  await put(store, 'b.txt', [`${said.toUpperCase()} 1884!`]);
  await put(store, 'c.txt', [`${said} 1914`]);
  await using retriever = createRetriever({ store, embedder });
  const found = await retriever.search('when was the house built');
  assert.equal(found.hits.length, 2);
  const copies = found.hits.flatMap(({ duplicates }) => duplicates);
  assert.equal(copies.length, 1);
  assert.ok(!found.hits.some(({ chunk }) => chunk.id === copies[0]));
  assert.equal(
    (await retriever.search('when was the house built', { dropDuplicates: false })).hits.length,
    3,
  );
});

test('diversity brings up what says something else', async () => {
  using store = open();
  await put(store, 'a.txt', ['car car car']);
  await put(store, 'b.txt', ['car vehicle car automobile']);
  await put(store, 'c.txt', ['car in the cold river']);
  await using retriever = createRetriever({ store, embedder });
  const order = async (options: SearchOptions) =>
    paths(await retriever.search('car', { by: 'vectors', limit: 2, ...options }));
  assert.ok(!(await order({})).includes('c.txt'));
  assert.ok((await order({ diversity: 0.9 })).includes('c.txt'));
});

test('neighbours come with a hit, in the order of the document', async () => {
  using store = open();
  await put(store, 'a.txt', ['stone', 'roof', 'the office', 'spring', 'river']);
  await using retriever = createRetriever({ store, embedder });
  const [hit] = (await retriever.search('office', { neighbours: 1, limit: 1 })).hits;
  assert.deepEqual(
    hit?.neighbours.map(({ text }) => text),
    ['roof', 'the office', 'spring'],
  );
});

test('without vectors, and when the embedder fails, search goes by words and says why', async () => {
  using store = await animals();
  await using without = createRetriever({ store, embedder: null });
  const found = await without.search('office');
  assert.deepEqual(
    [paths(found), found.by, found.degraded?.code],
    [['notes/tax.md'], ['words'], 'no_embedder'],
  );
  const failing: Embedder = {
    ...embedder,
    embed: async () => {
      throw new Error('the model is gone');
    },
  };
  await using broken = createRetriever({ store, embedder: failing });
  const degraded = await broken.search('office', { by: 'vectors' });
  assert.deepEqual(
    [paths(degraded), degraded.degraded],
    [['notes/tax.md'], { code: 'embedder_failed', message: 'the model is gone' }],
  );
  using empty = open();
  await put(empty, 'a.txt', ['an office'], { vectors: false });
  await using early = createRetriever({ store: empty, embedder });
  const unready = await early.search('office');
  assert.deepEqual([paths(unready), unready.degraded?.code], [['a.txt'], 'no_vectors']);
});

test('another model for questions is refused, an abort ends the search, and bad options are named', async () => {
  using store = await animals();
  await using other = createRetriever({ store, embedder: { ...embedder, id: 'other', hash: 'other' } });
  await assert.rejects(other.search('car'), { code: 'embedder_mismatch', message: /directions.*other/ });
  await using retriever = createRetriever({ store, embedder });
  await assert.rejects(retriever.search('car', { signal: AbortSignal.abort(new Error('gone')) }), /gone/);
  for (const [name, value] of [
    ['limit', 0],
    ['alpha', 2],
    ['diversity', -1],
    ['neighbours', 99],
  ] as const) {
    await assert.rejects(retriever.search('car', { [name]: value }), {
      code: 'search_invalid',
      message: new RegExp(name),
    });
  }
  assert.deepEqual((await retriever.search('', { by: 'words' })).hits, []);
  assert.deepEqual((await retriever.search('"NEAR( OR * ) ^:', { by: 'words' })).hits, []);
});
