import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { canonicalJson, createManualClock } from '../../base/index.ts';
import { type FollowingGraph, followGraph } from '../graph/index.ts';
import type { KnowledgeStore } from '../store/index.ts';
import { openKnowledgeStore } from '../store/index.ts';
import { beginDream, completenessOf, type DreamOrder, type DreamParts, dream, readFacts } from './index.ts';
import { FILMS, openNotes, putNote } from './testing/kb.ts';

const ORDER: DreamOrder = { ms: 60_000, calls: 0, model: null, mergeAt: 0.7 };

function partsOf(store: KnowledgeStore, more: Partial<DreamParts> = {}): DreamParts {
  const clock = createManualClock(5000);
  return { store, graph: followGraph(store), clock, signal: new AbortController().signal, ...more };
}

async function all<T>(pieces: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const piece of pieces) list.push(piece);
  return list;
}

async function run(parts: DreamParts, order: DreamOrder = ORDER) {
  const id = await beginDream(parts, order);
  const states = await all(dream(parts, id));
  return { id, end: states.at(-1)! };
}

/** All that is shown of every name, in canonical form: equal texts are equal views, byte by byte. */
async function views(store: KnowledgeStore, graph: FollowingGraph): Promise<string> {
  const now = await graph.current();
  const facts = readFacts(store, now);
  const names = [...now.network.frequency.keys()].filter((entity) => now.network.frequency[entity]! > 0);
  return canonicalJson({
    score: completenessOf(now, facts),
    merges: store.merges().filter(({ undone }) => undone === null),
    names: names.map((entity) => {
      const key = now.network.nameOf(entity);
      return { key, facts: facts.of(key), said: store.assertionsOf([key]) };
    }),
  } as never);
}

test('a dream completes what is said of names from quoted sentences, the score rises, and a second one finds nothing more', async () => {
  using store = openNotes(FILMS);
  const parts = partsOf(store);
  const { id, end } = await run(parts);
  assert.equal(end.phase, 'done');
  assert.equal(end.stopped, null);
  assert.equal(end.before.score, 0);
  assert.ok(end.after!.score > 0.4, `the score is ${end.after!.score}`);
  assert.ok(end.found.types >= 4 && end.found.summaries >= 4 && end.found.relations >= 8);

  const facts = readFacts(store, await parts.graph.current());
  const film = facts.of('red dust 1932 film');
  assert.equal(film.type?.value, 'Movie');
  assert.deepEqual(
    film.relations.map(({ relation, object }) => `${relation} ${object}`),
    ['actor clark gable', 'actor jean harlow', 'actor mary astor', 'director victor fleming'],
  );
  assert.match(facts.of('pasadena').summary!.value!, /^Pasadena is a city/);
  assert.deepEqual(
    facts
      .of('victor fleming')
      .relations.map(({ relation, object, evidence }) => [relation, object, evidence?.sentence]),
    [
      ['birthPlace', 'pasadena', 'He was born in Pasadena and married Lucile Rosson.'],
      ['knows', 'clark gable', 'knows: [[Clark Gable]]'],
      ['spouse', 'lucile rosson', 'He was born in Pasadena and married Lucile Rosson.'],
    ],
  );
  // Whatever a rule says stands in its chunk, but for the fields of a head.
  for (const { evidence } of store.assertionsOfRun(id, { limit: 1000 })) {
    const { chunk, sentence } = evidence!;
    assert.ok(store.chunk(chunk)!.text.includes(sentence) || sentence.startsWith('knows:'), sentence);
  }
  const again = await run(parts);
  assert.deepEqual(again.end.found, { ...again.end.found, types: 0, summaries: 0, relations: 0, weights: 0 });
  assert.equal(again.end.after!.score, end.after!.score);
});

test('undoing a dream leaves every view and every merge as it was, byte by byte', async () => {
  const initials = { title: 'Letters', text: 'V. Fleming wrote to Clark Gable. V. Fleming met Jean Harlow.' };
  using store = openNotes([...FILMS, initials]);
  const parts = partsOf(store);
  store.assert([
    { subject: 'clark gable', property: 'type', value: 'Person', by: 'owner', made: 1 },
    { subject: 'pasadena', property: 'summary', value: 'Where it is warm.', by: 'owner', made: 1 },
  ]);
  store.merge({ alias: 'w c gable', entity: 'clark gable', reason: 'by hand', made: 1 });
  const before = await views(store, parts.graph);
  const first = await run(parts);
  assert.ok(first.end.found.merges > 0, 'it merges initials');
  const between = await views(store, parts.graph);
  assert.notEqual(between, before);
  assert.equal(
    readFacts(store, await parts.graph.current()).of('pasadena').summary?.value,
    'Where it is warm.',
  );
  putNote(store, { title: 'Cadiz', text: 'Cadiz is a village in Ohio.' });
  const taken = await views(store, parts.graph);
  const second = await run(parts);
  assert.equal(store.undoRun(second.id, 9), true);
  assert.equal(await views(store, parts.graph), taken);
  store.remove('Cadiz.md');
  assert.equal(await views(store, parts.graph), between);
  assert.equal(store.undoRun(first.id, 10), true);
  assert.equal(await views(store, parts.graph), before);
  assert.deepEqual(store.check(), []);
});

test('a dream that was killed goes on as the same run, and comes to the same', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kith-dream-'));
  try {
    const path = join(folder, 'notes.sqlite');
    let id: number;
    {
      using store = openNotes(FILMS, path);
      const parts = partsOf(store);
      id = await beginDream(parts, ORDER);
      // Left in its midst, after something was said: as a kill leaves it.
      for await (const { phase, found } of dream(parts, id))
        if (phase === 'merging' && found.relations > 0) break;
      assert.equal(store.run(id)?.ended, null);
    }
    using store = openKnowledgeStore({ path });
    const parts = partsOf(store);
    const end = (await all(dream(parts, id))).at(-1)!;
    using whole = openNotes(FILMS);
    const other = partsOf(whole);
    const { end: expected } = await run(other);
    assert.deepEqual(end.after, expected.after);
    assert.deepEqual(end.found, expected.found);
    const said = (of: KnowledgeStore) =>
      of.assertionsOfRun(1, { limit: 1000 }).map(({ id: _, ...rest }) => rest);
    assert.deepEqual(said(store), said(whole));
    await assert.rejects(async () => all(dream(parts, id)), { code: 'run_ended' });
    await assert.rejects(async () => all(dream(parts, 99)), { code: 'run_unknown' });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a dream ends where its time is up or others want the machine, and what it has read counts', async () => {
  const many = Array.from({ length: 40 }, (_, i) => ({
    title: `Town ${i}`,
    text: `Town ${i} is a city in Ohio.`,
  }));
  using store = openNotes(many);
  const { end } = await run(partsOf(store), { ...ORDER, ms: 0 });
  assert.equal(end.stopped, 'budget');
  assert.ok(end.found.types > 0 && end.found.types < 40, `${end.found.types} types`);
  const busy = await run(partsOf(store, { busy: () => true }));
  assert.equal(busy.end.stopped, 'busy');
  const rest = await run(partsOf(store));
  assert.equal(rest.end.stopped, null);
  // The towns, and Ohio.
  assert.equal(rest.end.found.types + end.found.types, 41);
  const stop = new AbortController();
  const parts = partsOf(store, { signal: stop.signal });
  const id = await beginDream(parts, ORDER);
  stop.abort();
  await assert.rejects(async () => all(dream(parts, id)), { code: 'aborted' });
  assert.equal(store.run(id)?.ended, null);
});

test('a common word with a capital where a sentence begins counts less, and a name does not', async () => {
  using store = openNotes(FILMS);
  const parts = partsOf(store);
  /** Of the ways that leave the passage of Pasadena the share to a name. */
  const share = async (name: string): Promise<number> => {
    const { network } = await parts.graph.current();
    const { start, to, weight } = network.fromChunks;
    const chunk = network.indexOf(store.chunksOf('Pasadena.md')[0]!.row);
    const at = to.subarray(start[chunk]!, start[chunk + 1]!).indexOf(network.entityOf(name));
    return weight[start[chunk]! + at]!;
  };
  const before = await share('summers');
  const { id } = await run(parts);
  assert.ok((await share('summers')) < before / 3);
  store.undoRun(id, 9);
  assert.equal(await share('summers'), before);
  const weighed = store.assertionsOfRun(id, { limit: 1000 }).filter(({ property }) => property === 'weight');
  assert.deepEqual(
    weighed.map(({ subject, value }) => [subject, value]),
    [['summers', '0.2']],
  );
});
