import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { asksForAll, followGraph, mentionsOf, routeOf } from '../graph/index.ts';
import { type KnowledgeStore, openKnowledgeStore } from '../store/index.ts';
import { createRetriever, type Found } from './retriever.ts';

const NONE = { links: [], aliases: [], tags: [], properties: {}, pages: null, notes: [] } as const;

function put(store: KnowledgeStore, path: string, text: string): void {
  const id = createHash('sha256').update(path).update(text).digest('hex').slice(0, 32);
  const title = path.replace(/\.md$/u, '');
  const chunks = [{ id, position: 0, title, text, tokens: 1, place: {} }];
  store.put(
    {
      ...{ path, title, titled: false, type: 'md', hash: new Uint8Array(32) },
      ...{ recipe: 'test', bytes: 1, modified: 0, ...NONE },
    },
    chunks,
    null,
    mentionsOf({ title, document: { title: null, sections: [], ...NONE }, chunks }),
  );
}

/** Six notes about films, four about a house, two about a boat, and one that is worded like the question. */
function notes(): KnowledgeStore {
  const store = openKnowledgeStore({ path: ':memory:', create: { name: 'test', clock: { now: () => 0 } } });
  const people = ['Ann Lee', 'Ben Low', 'Carla Diaz', 'Dan Moss', 'Eve Hart', 'Finn Roy'];
  for (const [i, name] of people.entries())
    put(
      store,
      `film-${i}.md`,
      `In the studio ${name} met ${people[(i + 1) % 6]} and Gus Stone at Red Arrow.`,
    );
  for (const [i, name] of ['Hilda Kern', 'Ivo Lang', 'Jan Mohr', 'Kay Nord'].entries())
    put(store, `house-${i}.md`, `The roof was mended when ${name} came with Oskar Pohl to Mill Lane.`);
  for (const [i, name] of ['Lena Quist', 'Max Rehn'].entries())
    put(store, `boat-${i}.md`, `At the quay ${name} painted the hull with Nora Sand of Blue Heron.`);
  put(
    store,
    'plan.md',
    'Main themes and topics of my notes, an overview of all documents to be written later.',
  );
  return store;
}

const kinds = ({ hits }: Found) => hits.map(({ chunk }) => chunk.path.replace(/[-.].*$/u, ''));

test('a question about everything has passages of each of the largest groups of names, and says of which', async () => {
  using store = notes();
  await using retriever = createRetriever({ store, embedder: null, graph: followGraph(store) });
  const found = await retriever.search('What are the main themes of my notes?', { limit: 5 });
  assert.equal(found.route?.taken, 'global');
  assert.match(found.route?.why ?? '', /passages of 3 groups of names/u);
  assert.deepEqual(kinds(found), ['film', 'house', 'boat', 'film', 'house']);
  assert.equal(found.hits[0]?.graph?.rank, 1);
  assert.ok((found.hits[0]?.graph?.through.length ?? 0) > 0);
  const scores = found.hits.map(({ score }) => score);
  assert.deepEqual(
    scores,
    scores.toSorted((a, b) => b - a),
  );
  const all = await retriever.search('Give me an overview of all my notes', { limit: 20 });
  // What no group has comes behind them.
  assert.deepEqual([all.hits.length, kinds(all).at(-1)], [13, 'plan']);
  assert.deepEqual(await retriever.search('What are the main themes of my notes?', { limit: 5 }), found);
});

test('what a filter leaves out counts in no group', async () => {
  using store = notes();
  await using retriever = createRetriever({ store, embedder: null, graph: followGraph(store) });
  const paths = ['boat-0.md', 'boat-1.md', 'house-0.md'];
  const found = await retriever.search('What are the main themes?', { limit: 3, filter: { paths } });
  assert.deepEqual(kinds(found), ['boat', 'house', 'boat']);
  const one = await retriever.search('Summarize everything', { filter: { paths: ['boat-0.md'] } });
  assert.match(one.route?.why ?? '', /passages of 1 group of names/u);
  assert.deepEqual(kinds(one), ['boat']);
});

test('an overview of something that is named is not about everything', async () => {
  for (const question of [
    'What are the main themes?',
    'Summarize all my documents in one paragraph, please.',
    'Fasse alle meine Notizen zusammen',
    'Zusammenfassung aller Dokumente',
    'what are these files about?',
    'Gib mir einen Überblick',
    'Was sind die Hauptthemen meiner Notizen?',
    'Worum geht es in diesen Dateien?',
  ])
    assert.ok(asksForAll(question) && routeOf(question, [], null).taken === 'global', question);
  for (const question of ['Summarize the lease', 'main topics of the meeting with Ann', 'overview of tea'])
    assert.ok(!asksForAll(question), question);
  using store = notes();
  await using retriever = createRetriever({ store, embedder: null, graph: followGraph(store) });
  const found = await retriever.search('Summarize what the roof needed', { limit: 3 });
  assert.equal(found.route?.why, 'it asks for an overview');
  assert.deepEqual(new Set(kinds(found)), new Set(['house']));
});
