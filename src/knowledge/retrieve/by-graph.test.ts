import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { followGraph, mentionsOf } from '../graph/index.ts';
import { type KnowledgeStore, openKnowledgeStore } from '../store/index.ts';
import { createRetriever, type Found } from './retriever.ts';

const NONE = { links: [], aliases: [], tags: [], properties: {}, pages: null, notes: [] } as const;

function put(store: KnowledgeStore, title: string, text: string): void {
  const id = createHash('sha256').update(title).update(text).digest('hex').slice(0, 32);
  const chunks = [{ id, position: 0, title, text, tokens: 1, place: {} }];
  store.put(
    {
      ...{ path: `${title}.md`, title, titled: true, type: 'md', hash: new Uint8Array(32) },
      ...{ recipe: 'test', bytes: 1, modified: 0, ...NONE },
    },
    chunks,
    null,
    mentionsOf({ title, document: { title, sections: [], ...NONE }, chunks }),
  );
}

function films(): KnowledgeStore {
  const store = openKnowledgeStore({ path: ':memory:', create: { name: 'test', clock: { now: () => 0 } } });
  put(store, 'Red Dust', 'A film of 1999. Ann Lee directed it.');
  put(store, 'Ann Lee', 'She grew up in Port of Spain.');
  put(store, 'Birth', 'The mother of a child, where it was born, who was there.');
  put(store, 'Blue Rain', 'A film by Ben Low about the mother of a sailor.');
  return store;
}

const titles = ({ hits }: Found): string[] => hits.map(({ chunk }) => chunk.title);
const QUESTION = 'Where was the mother of the person who directed Red Dust born?';

test('a question by way of a title finds what has none of its words, and says by which names', async () => {
  using store = films();
  await using retriever = createRetriever({ store, embedder: null, graph: followGraph(store) });
  const found = await retriever.search(QUESTION, { limit: 3 });
  assert.equal(found.route?.taken, 'graph');
  assert.match(found.route?.why ?? '', /'red dust'/);
  assert.deepEqual(found.by, ['words', 'graph']);
  const ann = found.hits.find(({ chunk }) => chunk.title === 'Ann Lee');
  assert.equal(ann?.words, null);
  assert.equal(ann?.graph?.through[0], 'ann lee');
  assert.ok((ann?.graph?.score ?? 0) > 0 && (ann?.graph?.score ?? 2) <= 1);
  const without = await retriever.search(QUESTION, { limit: 3, by: 'both' });
  assert.ok(!titles(without).includes('Ann Lee'));
  assert.equal(without.route, null);
  assert.deepEqual(
    without.hits.map(({ graph }) => graph),
    without.hits.map(() => null),
  );
  assert.deepEqual(titles(await retriever.search(QUESTION, { limit: 3 })), titles(found));
});

test('what a filter leaves out is not found over the graph', async () => {
  using store = films();
  await using retriever = createRetriever({ store, embedder: null, graph: followGraph(store) });
  const found = await retriever.search(QUESTION, {
    by: 'graph',
    filter: { paths: ['Ann Lee.md', 'Birth.md'] },
  });
  assert.equal(found.route?.taken, 'graph');
  assert.ok(found.hits.length > 0);
  for (const title of titles(found)) assert.ok(['Ann Lee', 'Birth'].includes(title));
});

test('a question for an overview takes hits from everywhere, one that names nothing goes by words', async () => {
  using store = films();
  await using retriever = createRetriever({ store, embedder: null, graph: followGraph(store) });
  const wide = await retriever.search('Summarize the films');
  assert.equal(wide.route?.taken, 'global');
  assert.deepEqual(titles(wide).toSorted().slice(0, 1), ['Ann Lee']);
  assert.ok(titles(wide).includes('Blue Rain') && titles(wide).includes('Red Dust'));
  const plain = await retriever.search('mother of a sailor');
  assert.equal(plain.route?.taken, 'hybrid');
  assert.deepEqual(titles(plain)[0], 'Blue Rain');
  assert.deepEqual(plain.by, ['words']);
});

test('without a graph nobody can ask for it', async () => {
  using store = films();
  await using retriever = createRetriever({ store, embedder: null });
  await assert.rejects(retriever.search('x', { by: 'graph' }), { code: 'search_invalid' });
  assert.equal((await retriever.search('films')).route, null);
});
