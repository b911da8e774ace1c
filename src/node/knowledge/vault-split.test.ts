import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { createSeededRandom } from '../../base/index.ts';
import type { KnowledgeStore } from '../../knowledge/index.ts';
import type { Collection, PlacedEve } from '../../vault/index.ts';
import { openPlacedKb, type PlacedKb, root, type TestEve } from './testing/placed-kb.ts';
import { objectsOf } from './vault-parts.ts';
import { splitObjects } from './vault-split.ts';

const DIMENSION = 192;
const random = createSeededRandom(5);
const never = new AbortController().signal;

let kb: PlacedKb;
let store: KnowledgeStore;
let eves: readonly TestEve[];
let collection: Collection;

beforeEach(async () => {
  kb = await openPlacedKb(DIMENSION, { Ada: 'Ada', Ben: 'Ben', Cleo: 'Cleo' }, random);
  ({ store, eves, collection } = kb);
  for (let i = 0; i < 20; i++) kb.put(`${i}.md`, `Text ${i}`);
});
afterEach(() => kb[Symbol.dispose]());

/** As the job does it. */
async function sync(signal = never) {
  await using objects = await objectsOf(store, random, signal);
  const split = await splitObjects({
    ...{ objects, collection, random, signal, told: () => {} },
    keysOf: (epoch) => root.keysOf('kb', epoch),
  });
  const { source, everywhere, state, bytes, away } = split;
  await collection.sync(source, { info: { split: state }, mode: 'split', everywhere, signal });
  return { bytes, away, everywhere };
}

const blocksAt = async ({ tenant }: PlacedEve) => (await tenant.list(null)).map(({ id }) => id);

test('what is searched is kept while nothing changed, and made anew under fresh names when something did', async () => {
  const first = await sync();
  assert.ok(first.bytes > 0 && first.everywhere.length === 3);
  const second = await sync();
  assert.deepEqual([second.bytes, second.everywhere], [0, first.everywhere]);
  kb.put('new.md', 'New');
  const third = await sync();
  assert.equal(new Set([...first.everywhere, ...third.everywhere]).size, 6);
  for (const eve of eves) {
    const has = await blocksAt(eve);
    assert.ok(third.everywhere.every((id) => has.includes(id)));
    assert.ok(!first.everywhere.some((id) => has.includes(id)));
  }
  // A block that no Eve has any more makes all of it anew.
  for (const { tenant } of eves) await tenant.remove([third.everywhere[1]!]);
  assert.ok((await sync()).bytes > 0);
  assert.deepEqual((await collection.repair()).lost, []);
});

test('one that is ended on the way has changed nothing that is read, and the next removes what it left', async () => {
  const { everywhere } = await sync();
  kb.put('new.md', 'New');
  const stop = new AbortController();
  const [ada] = eves as [TestEve];
  const took = ada.tenant.put.bind(ada.tenant);
  ada.tenant.put = async (block, signal) => {
    const id = await took(block, signal);
    stop.abort();
    return id;
  };
  await assert.rejects(sync(stop.signal));
  ada.tenant.put = took;
  const manifest = await collection.open();
  assert.deepEqual([manifest.number, manifest.everywhere], [1, everywhere]);
  const before = await blocksAt(ada);
  assert.ok(everywhere.every((id) => before.includes(id)) && before.length > everywhere.length);
  const left = before.filter((id) => !everywhere.includes(id) && !manifest.pages.includes(id));
  const { everywhere: now } = await sync();
  const after = await blocksAt(ada);
  assert.ok(now.every((id) => after.includes(id)));
  const segments = new Set([...(await collection.open()).entries.values()].map(({ segment }) => segment));
  assert.ok(left.every((id) => !after.includes(id) || segments.has(id)));
});

test('without a second operator nothing is placed, and without vectors there is nothing to search', async () => {
  for (let i = 1; i < 20; i++) store.remove(`${i}.md`);
  for (const eve of eves.slice(1)) eve.takes = 0;
  await assert.rejects(sync(), { code: 'vault_not_placed' });
  assert.equal((await collection.open()).number, 0);
  for (const eve of eves) eve.takes = Number.POSITIVE_INFINITY;
  store.remove('0.md');
  assert.deepEqual((await sync()).everywhere, []);
  assert.equal((await collection.open()).mode, 'split');
});
