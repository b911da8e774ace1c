import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { type KnowledgeStore, openKnowledgeStore } from '../store/index.ts';
import type { Mention } from '../types.ts';
import { ChunkNames } from './chunk-names.ts';
import { followGraph, type Graph } from './follow.ts';
import { mentionsOf } from './mentions.ts';
import type { Network } from './network.ts';
import { walk } from './ppr.ts';
import { namedIn, ownRows, reached, seedsOf, throughOf } from './rank.ts';
import { routeOf } from './route.ts';

const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} is not ${expected}`);

const mention = (surface: string, extractor: Mention['extractor'], chunk = 0): Mention => ({
  ...{ chunk, surface, span: null, extractor, confidence: 1 },
});

const open = (): KnowledgeStore =>
  openKnowledgeStore({ path: ':memory:', create: { name: 'test', clock: { now: () => 0 } } });

function put(
  store: KnowledgeStore,
  path: string,
  title: string,
  texts: readonly string[],
  aliases: readonly string[] = [],
): void {
  const chunks = texts.map((text, position) => ({
    id: createHash('sha256').update(`${title}\0${position}\0${text}`).digest('hex').slice(0, 32),
    ...{ position, title, text, tokens: 1, place: {} },
  }));
  const document = {
    ...{ title, sections: [], links: [], aliases, tags: [], properties: {}, pages: null, notes: [] },
  };
  store.put(
    {
      ...{ path, titled: true, type: 'md', hash: new Uint8Array(32), recipe: 'test', bytes: 1, modified: 0 },
      ...document,
    },
    chunks,
    null,
    mentionsOf({ title, document, chunks }),
  );
}

/** Names of each sentence, and to how many sentences each leads. */
function besideIn({ sentences: { start, begin, names }, nameOf }: Network) {
  return Array.from(begin.subarray(1), (end, sentence) =>
    Array.from(names.subarray(begin[sentence], end), (entity) => [
      nameOf(entity),
      start[entity + 1]! - start[entity]!,
    ]),
  );
}

/** Everything that a graph says, by names: not by the numbers that it gave them. */
function told({ network }: Graph) {
  return Array.from(network.rows, (row, chunk) => {
    const edges: [string, number, number, number][] = [];
    for (let i = network.fromChunks.start[chunk]!; i < network.fromChunks.start[chunk + 1]!; i++) {
      const entity = network.fromChunks.to[i]!;
      const { start, to, weight } = network.fromEntities;
      const back = to.subarray(start[entity]!, start[entity + 1]!).indexOf(chunk);
      edges.push([
        network.nameOf(entity),
        network.frequency[entity]!,
        network.fromChunks.weight[i]!,
        weight[start[entity]! + back]!,
      ]);
    }
    return { row, edges, beside: chunk === 0 ? besideIn(network) : [] };
  });
}

test('walks come to where a hand comes to: two chunks that share a name', () => {
  const names = new ChunkNames();
  names.put(1, [mention('Ann', 'name'), mention('Ben', 'name')]);
  names.put(2, [mention('Ann', 'name')]);
  const network = names.compile();
  // Ann is in both of two chunks, Ben in one: ln(1 + 2/2) and ln(1 + 2/1).
  const [ann, ben] = [Math.log(2), Math.log(3)];
  const toAnn = ann / (ann + ben);
  const d = 0.85;
  const seeds = new Map([[0, 5]]);
  const one = walk(network, seeds, { steps: 1 });
  near(one.entities[network.entityOf('ann')]!, d * toAnn);
  near(one.entities[network.entityOf('ben')]!, d * (1 - toAnn));
  near(one.chunks[0]!, 1 - d);
  const two = walk(network, seeds, { steps: 2 });
  // From Ann to either chunk alike, from Ben back.
  near(two.chunks[0]!, 1 - d + d * d * (toAnn / 2 + 1 - toAnn));
  near(two.chunks[1]!, (d * d * toAnn) / 2);
  assert.deepEqual(two.reached, [0, 1]);
  near(walk(network, seeds, { steps: 2, damping: 0.5 }).chunks[1]!, (0.25 * toAnn) / 2);
  assert.deepEqual([...walk(network, new Map()).chunks], [0, 0]);
});

test('a name leads to the document that is about it rather than to those that speak of it', () => {
  const names = new ChunkNames();
  names.put(1, [mention('Ann', 'title'), mention('Ben', 'name')]);
  names.put(2, [mention('Ann', 'name')]);
  names.put(3, [mention('Ann', 'title', 1)]);
  const { fromEntities, entityOf, ownOf } = names.compile();
  const entity = entityOf('ann');
  const weights = [
    ...fromEntities.weight.subarray(fromEntities.start[entity], fromEntities.start[entity + 1]),
  ];
  // Four times ln(1 + 3/3) as a title; times 15 for its first chunk, times 4 for a later one.
  const worth = 4 * Math.log(2);
  const own = Math.max(worth, Math.log(4));
  const sum = own * 15 + worth + own * 4;
  [(own * 15) / sum, worth / sum, (own * 4) / sum].forEach((expected, i) => {
    near(weights[i]!, expected);
  });
  assert.deepEqual(ownOf(entity), [1, 3]);
});

test('a name that is everywhere counts a fiftieth, and is still there', () => {
  const names = new ChunkNames();
  for (let row = 1; row <= 20; row++)
    names.put(row, [mention('Kith', 'name'), mention(row < 13 ? 'Ann' : 'Ben', 'name')]);
  const { fromChunks, entityOf } = names.compile();
  const [kith, ann] = [0.02 * Math.log(2), Math.log(1 + 20 / 12)];
  const first = fromChunks.to.indexOf(entityOf('kith'));
  near(fromChunks.weight[first]!, kith / (kith + ann));
});

test('walks go on to names of the same sentence, and not to those of another', async () => {
  using store = open();
  put(store, 'note', 'Note', ['We met Ann Lee with Ben Roe. Then Cid Poe came.']);
  const { network } = await followGraph(store).current();
  const [ann, ben, cid, note] = ['ann lee', 'ben roe', 'cid poe', 'note'].map(network.entityOf);
  const seeds = new Map([[0, 1]]);
  const plain = walk(network, seeds, { steps: 1, beside: 0 }).entities;
  const near = walk(network, seeds, { steps: 1, beside: 0.4 }).entities;
  const close = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-12);
  // Both are as rare: what one gives the other gives back.
  close(near[ann!]!, plain[ann!]!);
  close(near[ben!]!, plain[ben!]!);
  close(near[cid!]!, plain[cid!]!);
  close(near[note!]!, plain[note!]!);
  assert.equal(network.sentences.begin.length, 2);
  store.merge({ alias: 'cid poe', entity: 'ben roe', reason: 'same', made: 0 });
  put(store, 'more', 'More', ['Ann Lee knows Dan Koe and Eve Loe.', 'Dan Koe sails.']);
  const graph = await followGraph(store).current();
  const of = (form: string) => graph.network.entityOf(form);
  const one = new Map([[graph.network.indexOf(store.chunksOf('more')[1]!.row), 1]]);
  const [without, along] = [0, 0.4].map((beside) => walk(graph.network, one, { steps: 1, beside }).entities);
  const { worth } = graph.network.sentences;
  const moved = 0.4 * without![of('dan koe')]!;
  const [toAnn, toEve] = [worth[of('ann lee')]!, worth[of('eve loe')]!];
  close(along![of('dan koe')]!, without![of('dan koe')]! - moved);
  close(along![of('ann lee')]!, (moved * toAnn) / (toAnn + toEve));
  close(along![of('eve loe')]!, (moved * toEve) / (toAnn + toEve));
  close(
    along!.reduce((sum, part) => sum + part, 0),
    without!.reduce((sum, part) => sum + part, 0),
  );
});

test('names that were merged are one, and are two again when that is undone', async () => {
  using store = open();
  put(store, 'a', 'Trip', ['We met J. Smith.']);
  put(store, 'b', 'Work', ['A talk by John Smith.']);
  const graph = followGraph(store);
  const frequency = async (form: string) => {
    const { network } = await graph.current();
    return network.frequency[network.entityOf(form)];
  };
  assert.equal(await frequency('j smith'), 1);
  const id = store.merge({ alias: 'j smith', entity: 'john smith', reason: 'initials', made: 0 });
  assert.equal(await frequency('j smith'), 2);
  store.undoMerge(id, 1);
  assert.equal(await frequency('j smith'), 1);
});

test('titles are found in texts that came before them, and not when they are gone', async () => {
  using store = open();
  const following = followGraph(store);
  const names = async () => {
    const graph = await following.current();
    return new Map(told(graph).map(({ row, edges }) => [row, edges.map(([name]) => name)]));
  };
  put(store, 'log', 'Log', ['about saxby junna racing, and Kerry']);
  const [log] = store.chunksOf('log');
  assert.deepEqual((await names()).get(log!.row), ['log', 'kerry']);
  put(store, 'who', 'Saxby-Junna', ['a racer'], ['Kerry S.']);
  assert.deepEqual((await names()).get(log!.row), ['log', 'kerry', 'saxby junna']);
  // A document put again with other words for the same thing: no chunk is new.
  put(store, 'who', 'Saxby-Junna', ['a racer'], ['Racing']);
  put(store, 'log2', 'Log2', ['Racing is fun']);
  const [second] = store.chunksOf('log2');
  assert.ok((await names()).get(second!.row)?.includes('racing'));
  store.remove('who');
  assert.deepEqual((await names()).get(log!.row), ['log', 'kerry']);
});

test('a graph that followed every change is the one that is made anew', async () => {
  const title = fc.constantFrom('Ann Lee', 'Ben', 'Port of Spain', 'Ann', 'Spain', 'Trip (2019)');
  const text = fc
    .array(
      fc.constantFrom('Ann Lee', 'Ben', 'the', 'Port of Spain', 'spain', 'saw', 'Trip', '. Then', 'Cid'),
      {
        maxLength: 8,
      },
    )
    .map((words) => words.join(' '));
  const path = fc.constantFrom('a', 'b', 'c');
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('put' as const),
      ...{ path, title, texts: fc.array(text, { maxLength: 3 }), aliases: fc.array(title, { maxLength: 2 }) },
    }),
    fc.record({ kind: fc.constant('remove' as const), path }),
    fc.record({ kind: fc.constant('look' as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      using store = open();
      const following = followGraph(store);
      for (const each of steps) {
        if (each.kind === 'put') put(store, each.path, each.title, each.texts, each.aliases);
        else if (each.kind === 'remove') store.remove(each.path);
        else await following.current();
      }
      assert.deepEqual(told(await following.current()), told(await followGraph(store).current()));
    }),
    { numRuns: 80 },
  );
});

test('calls at the same time share the work, and what is written meanwhile is in it', async () => {
  using store = open();
  for (let i = 0; i < 300; i++) put(store, `d/${i}`, `Note ${i}`, ['Ann was here']);
  const following = followGraph(store);
  const [one, two] = [following.current(), following.current()];
  put(store, 'late', 'Late', ['Ben came']);
  store.remove('d/7');
  assert.equal(await one, await two);
  const { network } = await one;
  assert.equal(network.rows.length, 300);
  assert.ok(network.entityOf('ben') >= 0);
  assert.equal(await following.current(), await one);
});

async function family(store: KnowledgeStore): Promise<Graph> {
  put(store, 'film', 'Red Dust', ['Red Dust is a film. It was directed by Ann Lee.']);
  put(store, 'ann', 'Ann Lee', ['Ann Lee is a director, born in Port of Spain.']);
  put(store, 'other', 'Sailing', ['Boats with sails.']);
  return followGraph(store).current();
}

test('from a title in the question over what its document names to what that is about', async () => {
  using store = open();
  const graph = await family(store);
  const question = 'Where was the director of Red Dust born?';
  const named = namedIn(graph, question);
  assert.deepEqual(
    named.map(({ form, isTitle }) => [form, isTitle]),
    [['red dust', true]],
  );
  const [film, ann, other] = ['film', 'ann', 'other'].map((path) => store.chunksOf(path)[0]!.row);
  const own = ownRows(graph, named);
  assert.deepEqual(own, [film]);
  const { seeds, base } = seedsOf(graph, {
    words: new Map([
      [other!, 1],
      [film!, 0.8],
    ]),
    vectors: new Map(),
    own,
  });
  assert.deepEqual([base.get(other!), base.get(film!)], [1, 0.8]);
  // The title's bonus makes it the first.
  assert.deepEqual([...seeds.keys()], [graph.network.indexOf(film!), graph.network.indexOf(other!)]);
  near(seeds.get(graph.network.indexOf(film!))!, 1.1 ** 4);
  const walked = walk(graph.network, new Map([[graph.network.indexOf(film!), 1]]));
  assert.deepEqual(
    reached(graph, walked, 10)
      .map(({ row }) => row)
      .toSorted((a, b) => a - b),
    [film, ann],
  );
  assert.deepEqual(throughOf(graph, walked, ann!)[0], 'ann lee');
  assert.equal(reached(graph, walked, 1).length, 1);
  assert.deepEqual(throughOf(graph, walked, 9999), []);
});

test('the way follows the form of the question, and its reason says so', async () => {
  using store = open();
  const graph = await family(store);
  const take = (question: string, margin: number | null = 0.9) => {
    const { taken, why } = routeOf(question, namedIn(graph, question), margin);
    assert.notEqual(why, '');
    return taken;
  };
  assert.equal(take('Give me an overview of my films'), 'global');
  assert.equal(take('how do boats sail'), 'hybrid');
  assert.equal(take('Who is the mother of the director of Red Dust?'), 'graph');
  assert.equal(take('Red Dust or Ann Lee'), 'graph');
  assert.equal(take('Red Dust runtime'), 'hybrid');
  assert.equal(take('Red Dust runtime', 0.01), 'graph');
  assert.equal(take('Who founded Unknown Company?'), 'hybrid');
});

test('an empty knowledge base has an empty graph', async () => {
  using store = open();
  const { network, titles } = await followGraph(store).current();
  assert.deepEqual([network.rows.length, network.entities, network.entityOf('ann')], [0, 0, -1]);
  assert.deepEqual(namedIn({ network, titles }, 'Who is Ann?'), []);
  const none: Network['rows'] = walk(network, new Map()).chunks;
  assert.equal(none.length, 0);
});
