import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { createSeededRandom, systemClock } from '../../base/index.ts';
import type { KnowledgeStore } from '../../knowledge/index.ts';
import type { Collection } from '../../vault/index.ts';
import { openPlacedKb, type PlacedKb, root, type TestEve } from './testing/placed-kb.ts';
import { objectsOf } from './vault-parts.ts';
import { perturbedObjects, perturbedSearcher, requireMode } from './vault-perturbed.ts';

const DIMENSION = 64;
const random = createSeededRandom(6);
const never = new AbortController().signal;

let kb: PlacedKb;
let store: KnowledgeStore;
let eves: readonly TestEve[];
let collection: Collection;
const vectors = new Map<string, Float32Array>();

const put = (path: string): void => void vectors.set(path, kb.put(path, path));

beforeEach(async () => {
  kb = await openPlacedKb(DIMENSION, { ada: null, ben: null }, random);
  ({ store, eves, collection } = kb);
  for (let i = 0; i < 12; i++) put(`${i}.md`);
});
afterEach(() => kb[Symbol.dispose]());

/** As the job does it. */
async function sync(rotate = false) {
  await using objects = await objectsOf(store, random, never);
  const { source, everywhere, state, bytes } = await perturbedObjects({
    ...{ objects, collection, random, signal: never, told: () => {}, rotate },
    keysOf: (epoch) => root.keysOf('kb', epoch),
  });
  const put = rotate ? collection.rotate : collection.sync;
  await put(source, { info: { perturbed: state }, mode: 'perturbed', everywhere, signal: never });
  return { bytes, everywhere };
}

async function nearestTo(path: string) {
  const manifest = await collection.open();
  const searcher = await perturbedSearcher({
    ...{ keys: root.keysOf('kb', manifest.epoch), eves, clock: systemClock, onFault: () => {} },
    read: (name) => collection.read(manifest, name),
  });
  return searcher?.search(vectors.get(path)!, 1);
}

test('what is searched is kept while nothing changed, made anew when something did, and under new keys when they are changed', async () => {
  const first = await sync();
  assert.ok(first.bytes > 0 && first.everywhere.length === 2);
  const second = await sync();
  assert.deepEqual([second.bytes, second.everywhere], [0, first.everywhere]);
  put('new.md');
  const third = await sync();
  assert.equal(new Set([...first.everywhere, ...third.everywhere]).size, 4);
  assert.equal((await nearestTo('new.md'))?.hits[0]?.at, 12);
  const rotated = await sync(true);
  assert.equal((await collection.open()).epoch, 2);
  assert.equal((await nearestTo('new.md'))?.hits[0]?.at, 12);
  for (const { tenant } of eves) {
    const has = new Set((await tenant.list(null)).map(({ id }) => id));
    assert.ok(rotated.everywhere.every((id) => has.has(id)));
    assert.ok(![...first.everywhere, ...third.everywhere].some((id) => has.has(id)));
  }
  // A block that no Eve has any more makes all of it anew.
  for (const { tenant } of eves) await tenant.remove([rotated.everywhere[0]!]);
  assert.ok((await sync()).bytes > 0);
});

test('without an Eve nothing is placed, and the next sync places all of it', async () => {
  for (const eve of eves) eve.takes = 0;
  await assert.rejects(sync(), { code: 'vault_not_placed' });
  assert.equal((await collection.open()).number, 0);
  for (const eve of eves) eve.takes = Number.POSITIVE_INFINITY;
  await sync();
  assert.equal((await nearestTo('3.md'))?.hits[0]?.at, 3);
});

test('without vectors there is nothing to search', async () => {
  for (let i = 0; i < 12; i++) store.remove(`${i}.md`);
  assert.deepEqual((await sync()).everywhere, []);
  assert.equal(await nearestTo('3.md'), undefined);
});

test('moved to another mode, none of it is left at an Eve', async () => {
  const { everywhere } = await sync();
  await using objects = await objectsOf(store, random, never);
  await collection.sync(objects.source, { info: {}, mode: 'sealed', everywhere: [], signal: never });
  for (const { tenant } of eves) {
    const has = (await tenant.list(null)).map(({ id }) => id);
    assert.ok(!everywhere.some((id) => has.includes(id)));
  }
  const manifest = await collection.open();
  assert.ok(![...manifest.entries.keys()].some((name) => name.startsWith('perturbed/')));
});

test('no mode but this one asks for the setting', () => {
  const off = { vault: { perturbed: false } };
  assert.throws(() => requireMode('perturbed', off), { code: 'vault_perturbed_off' });
  requireMode('perturbed', { vault: { perturbed: true } });
  for (const mode of ['sealed', 'split'] as const) requireMode(mode, off);
});
