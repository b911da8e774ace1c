import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { Clock } from '../../base/index.ts';
import { followGraph, type KnowledgeStore, mentionsOf, openKnowledgeStore } from '../../knowledge/index.ts';
import type { GraphDesk } from '../../server/index.ts';
import type { AreaParts } from './areas.ts';
import { graphDesk } from './graph.ts';
import type { OpenKb } from './kbs.ts';

type Note = Partial<Pick<Parameters<typeof mentionsOf>[0]['document'], 'aliases' | 'properties' | 'links'>>;

function put(store: KnowledgeStore, title: string, texts: readonly string[], note: Note = {}): void {
  const document = {
    ...{ title, sections: [], links: [], aliases: [], tags: [], properties: {}, pages: null, notes: [] },
    ...note,
  };
  const chunks = texts.map((text, position) => ({
    id: createHash('sha256').update(`${title}\0${position}\0${text}`).digest('hex').slice(0, 32),
    ...{ position, title, text, tokens: 1, place: { line: position + 1 } },
  }));
  const about = { titled: true, type: 'md', hash: new Uint8Array(32), recipe: 'test', bytes: 1, modified: 0 };
  store.put(
    { path: `${title}.md`, ...about, ...document },
    chunks,
    null,
    mentionsOf({ title, document, chunks }),
  );
}

function open(): { store: KnowledgeStore; desk: GraphDesk } & Disposable {
  const store = openKnowledgeStore({ path: ':memory:', create: { name: 'test', clock: { now: () => 0 } } });
  const kb = { store, graph: followGraph(store) } as OpenKb;
  const parts = {
    clock: { now: () => 1000 } as Clock,
    withKb: async (_: string, work: (kb: OpenKb, opened: never) => unknown) => work(kb, null as never),
  };
  return {
    ...{ store, desk: graphDesk(parts as unknown as AreaParts) },
    [Symbol.dispose]: () => store.close(),
  };
}

function family(store: KnowledgeStore): void {
  put(store, 'Red Dust (1932 film)', [
    'Red Dust is a 1932 American film. It was directed by Ann Lee in March 1932 for the Atlas Company.',
  ]);
  put(store, 'Ann Lee', ['Ann Lee (born 12 May 1890) was a British film director.', 'She lived in Lima.'], {
    aliases: ['Annie Lee'],
    properties: { died: '1970-03-01' },
  });
  put(store, 'Letters', ['A. Lee wrote to Bob Roe on 2 June 1950. The Atlas Company answered.']);
}

test('names come as they are mostly written, with their types, aliases and how often they stand', async () => {
  using kb = open();
  family(kb.store);
  const { entities, of } = await kb.desk.entities('kb', { limit: 100 });
  assert.equal(of, entities.length);
  const named = new Map(entities.map((entity) => [entity.key, entity]));
  const ann = named.get('ann lee')!;
  assert.deepEqual(
    { ...ann, community: 0 },
    {
      ...{
        key: 'ann lee',
        name: 'Ann Lee',
        type: 'Person',
        aliases: ['Annie Lee'],
        mentions: 3,
        documents: 2,
      },
      community: 0,
    },
  );
  assert.equal(named.get('red dust')?.type, 'CreativeWork');
  assert.equal(named.get('atlas company')?.type, 'Organization');
  assert.equal(named.get('bob roe')?.type, null);
  assert.ok(!named.has('march 1932'));
  assert.deepEqual(
    (await kb.desk.entities('kb', { prefix: 'Le', limit: 9 })).entities.map(({ key }) => key),
    ['ann lee', 'a lee', 'annie lee', 'letters'],
  );
  const people = await kb.desk.entities('kb', { type: 'Person', limit: 1 });
  assert.deepEqual([people.of, people.entities[0]?.key], [2, 'ann lee']);
  const next = await kb.desk.entities('kb', { type: 'Person', limit: 1, after: 'ann lee' });
  assert.deepEqual(next.entities[0]?.key, 'annie lee');
});

test('a name is shown with the sentences that have it, what it is tied to, and what its owner said', async () => {
  using kb = open();
  family(kb.store);
  const ann = await kb.desk.entity('kb', 'ANN LEE');
  assert.deepEqual(ann.said, { by: 'rule', why: 'its document begins by calling it a director' });
  assert.deepEqual(
    ann.places.map(({ path, mentions, chunks }) => [path, mentions, chunks.map(({ sentence }) => sentence)]),
    [
      ['Ann Lee.md', 2, ['Ann Lee (born 12 May 1890) was a British film director.', 'She lived in Lima.']],
      ['Red Dust (1932 film).md', 1, ['It was directed by Ann Lee in March 1932 for the Atlas Company.']],
    ],
  );
  assert.ok(ann.neighbours.some(({ key, shared }) => key === 'atlas company' && shared === 1));
  assert.deepEqual(
    ann.timeline.map(({ from, written }) => [from, written]),
    [
      ['1890-05-12', '12 May 1890'],
      ['1932-03-01', 'March 1932'],
      ['1970-03-01', '1970-03-01'],
    ],
  );
  const by = { by: 'owner' as const, made: 1 };
  kb.store.assert([
    { subject: 'ann lee', property: 'type', value: 'Organization', ...by },
    { subject: 'ann lee', property: 'summary', value: 'Directed one film.', ...by },
    {
      subject: 'ann lee',
      property: 'relation',
      relation: 'birthPlace',
      object: 'lima',
      value: 'Lima',
      ...by,
    },
    { subject: 'red dust', property: 'type', value: 'CreativeWork', denies: true, ...by },
  ]);
  const now = await kb.desk.entity('kb', 'ann lee');
  assert.deepEqual(
    [now.type, now.said?.by, now.summary?.text],
    ['Organization', 'owner', 'Directed one film.'],
  );
  assert.deepEqual(
    now.relations.map(({ property, object }) => [property, object]),
    [['birthPlace', { key: 'lima', name: 'Lima' }]],
  );
  assert.equal((await kb.desk.entity('kb', 'red dust')).type, null);
  await assert.rejects(kb.desk.entity('kb', 'Nobody'), { code: 'entity_unknown', status: 404 });
});

test('two names are made one and two again, and what is not there is not merged', async () => {
  using kb = open();
  family(kb.store);
  const merge = await kb.desk.merge('kb', { alias: 'A. Lee', entity: 'Ann Lee', reason: 'signature' });
  assert.deepEqual(
    { ...merge },
    {
      ...{
        id: 1,
        alias: 'a lee',
        entity: 'ann lee',
        reason: 'signature',
        run: null,
        made: 1000,
        undone: null,
      },
    },
  );
  const one = await kb.desk.entity('kb', 'a lee');
  assert.deepEqual([one.key, one.documents, one.aliases], ['ann lee', 3, ['A. Lee', 'Annie Lee']]);
  assert.ok(one.timeline.some(({ from }) => from === '1950-06-02'));
  await assert.rejects(kb.desk.merge('kb', { alias: 'A. Leo', entity: 'Ann Lee', reason: '' }), {
    code: 'entity_unknown',
  });
  assert.equal((await kb.desk.unmerge('kb', 1)).undone, 1000);
  await assert.rejects(kb.desk.unmerge('kb', 1), { code: 'merge_unknown' });
  assert.equal((await kb.desk.entity('kb', 'a lee')).documents, 1);
  assert.equal((await kb.desk.merges('kb')).length, 1);
});

test('the drawing has the weightiest names, or those around one, and documents where they are wanted', async () => {
  using kb = open();
  family(kb.store);
  const all = await kb.desk.network('kb', {});
  assert.equal(all.nodes.length, all.of);
  const pair = (view: typeof all, a: string, b: string) => {
    const place = (key: string) => view.nodes.findIndex((node) => node.key === key);
    return view.edges.filter(
      ([one, other]) => (one === place(a) && other === place(b)) || (one === place(b) && other === place(a)),
    ).length;
  };
  assert.equal(pair(all, 'ann lee', 'atlas company'), 1);
  assert.equal(pair(all, 'ann lee', 'bob roe'), 0);
  assert.ok(all.edges.every(([a, b, weight]) => a !== b && weight > 0 && a < all.nodes.length));
  const few = await kb.desk.network('kb', { limit: 2 });
  assert.deepEqual([few.nodes.length, few.of], [2, all.of]);
  const near = await kb.desk.network('kb', { around: 'bob roe', limit: 4 });
  assert.equal(near.nodes[0]?.key, 'bob roe');
  assert.deepEqual(near.nodes.map(({ key }) => key).sort(), ['a lee', 'atlas company', 'bob roe', 'letters']);
  const both = await kb.desk.network('kb', { documents: true });
  assert.deepEqual(
    both.nodes.flatMap(({ kind, key, weight }) => (kind === 'document' ? [`${key} ${weight}`] : [])).sort(),
    ['Ann Lee.md 2', 'Letters.md 1', 'Red Dust (1932 film).md 1'],
  );
  assert.equal(pair(both, 'bob roe', 'Letters.md'), 1);
  assert.ok(all.nodes.every(({ community }) => community !== undefined));
  await assert.rejects(kb.desk.network('kb', { around: 'nobody' }), { code: 'entity_unknown' });
});

test('dates come in their order with the sentence that gives each, of a span or of a name', async () => {
  using kb = open();
  family(kb.store);
  const told = async (query: object) =>
    (await kb.desk.timeline('kb', { offset: 0, limit: 50, ...query })).entries.map(({ from, to }) =>
      from === to ? from : `${from}/${to}`,
    );
  assert.deepEqual(await told({}), ['1890-05-12', '1932-03-01/1932-03-31', '1950-06-02', '1970-03-01']);
  assert.deepEqual(await told({ from: '1932-03-15', to: '1950' }), ['1932-03-01/1932-03-31', '1950-06-02']);
  assert.deepEqual(await told({ offset: 1, limit: 1 }), ['1932-03-01/1932-03-31']);
  assert.deepEqual(await told({ entity: 'Bob Roe' }), ['1950-06-02']);
  // The company stands in the sentence behind the one with the date.
  assert.deepEqual(await told({ entity: 'Atlas Company' }), ['1932-03-01/1932-03-31']);
  const [letter] = (await kb.desk.timeline('kb', { entity: 'a lee', offset: 0, limit: 9 })).entries;
  assert.deepEqual(
    { ...letter, chunk: '' },
    {
      ...{ from: '1950-06-02', to: '1950-06-02', precision: 'day', written: '2 June 1950', chunk: '' },
      ...{ sentence: 'A. Lee wrote to Bob Roe on 2 June 1950.', source: 'text' },
      ...{ path: 'Letters.md', title: 'Letters', place: { line: 1 } },
    },
  );
  const [died] = (await kb.desk.timeline('kb', { from: '1970', offset: 0, limit: 9 })).entries;
  assert.deepEqual([died?.source, died?.sentence], ['property', 'died: Ann Lee']);
  // When a firm was founded is no date of those who worked there; the date of the note is.
  put(kb.store, 'Boilers', ['Bob Roe worked there.'], {
    properties: { founded: '1901', date: '1960-01-02' },
  });
  assert.deepEqual(await told({ entity: 'Bob Roe' }), ['1950-06-02', '1960-01-02']);
  assert.deepEqual(await told({ entity: 'Boilers' }), ['1901-01-01/1901-12-31', '1960-01-02']);
  await assert.rejects(kb.desk.timeline('kb', { from: '1931-02-31', offset: 0, limit: 1 }), {
    code: 'date_invalid',
  });
});

test('what changes is seen at once, also where no text did', async () => {
  using kb = open();
  family(kb.store);
  const type = async (key: string) => (await kb.desk.entity('kb', key)).type;
  assert.equal(await type('letters'), null);
  const text = ['A. Lee wrote to Bob Roe on 2 June 1950. The Atlas Company answered.'];
  put(kb.store, 'Letters', text, { properties: { type: 'book' } });
  assert.equal(await type('letters'), 'CreativeWork');
  kb.store.remove('Ann Lee.md');
  assert.equal(await type('ann lee'), null);
  kb.store.remove('Red Dust (1932 film).md');
  await assert.rejects(type('ann lee'), { code: 'entity_unknown' });
  const { communities, of } = await kb.desk.communities('kb');
  assert.equal(of, (await kb.desk.entities('kb', { limit: 99 })).of);
  assert.deepEqual(communities[0]?.members.map(({ key }) => key).sort(), [
    ...['a lee', 'atlas company', 'bob roe', 'letters'],
  ]);
  assert.deepEqual(await kb.desk.proposals('kb'), []);
});

test("a name is called as its owner says, and shows all that is said of it, in the owner's words", async () => {
  using kb = open();
  family(kb.store);
  const by = { by: 'owner', made: 1, subject: 'ann lee' } as const;
  kb.store.assert([
    { ...by, property: 'name', value: 'Annabel Lee' },
    { ...by, property: 'birthDate', value: '12 May 1890' },
    { ...by, property: 'shoeSize', value: '38' },
    { ...by, property: 'relation', relation: 'relatedTo', value: 'lodgesWith', object: 'bob roe' },
    { ...by, property: 'relation', relation: 'relatedTo', value: 'dreamsOf', object: 'nobody here' },
  ]);
  const ann = await kb.desk.entity('kb', 'ann lee');
  assert.equal(ann.name, 'Annabel Lee');
  assert.deepEqual(
    ann.relations.map(({ property, object, value }) => `${property}: ${object?.name ?? value}`).sort(),
    ['birthDate: 12 May 1890', 'dreamsOf: nobody here', 'lodgesWith: Bob Roe', 'shoeSize: 38'],
  );
});
