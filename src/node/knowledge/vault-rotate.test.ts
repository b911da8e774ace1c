import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { createSeededRandom, systemClock } from '../../base/index.ts';
import type { KnowledgeStore } from '../../knowledge/index.ts';
import {
  type Collection,
  coloursOf,
  createSplitSearcher,
  type PlacedEve,
  readIndex,
  type VaultMode,
} from '../../vault/index.ts';
import { openPlacedKb, type PlacedKb, root } from './testing/placed-kb.ts';
import { objectsOf } from './vault-parts.ts';
import { syncPlaced } from './vault-syncing.ts';

const DIMENSION = 192;
const random = createSeededRandom(6);
const never = new AbortController().signal;
const embedder = { id: 'model', hash: 'h', dimension: DIMENSION };

let kb: PlacedKb;
let store: KnowledgeStore;
let eves: PlacedKb['eves'];
let collection: Collection;
let firstVector: Float32Array;

beforeEach(async () => {
  kb = await openPlacedKb(DIMENSION, { Ada: 'Ada', Ben: 'Ben' }, random);
  ({ store, eves, collection } = kb);
  const vectors = Array.from({ length: 12 }, (_, i) => kb.put(`${i}.md`, `Text ${i}`));
  firstVector = vectors[0]!;
});
afterEach(() => kb[Symbol.dispose]());

async function sync(mode: VaultMode, rotate: boolean, signal = never) {
  await using objects = await objectsOf(store, random, signal);
  return await syncPlaced({
    ...{ name: 'kb', mode, embedder, objects, collection, random, signal, told: () => {}, rotate },
    keysOf: (epoch) => root.keysOf('kb', epoch),
  });
}

const blocksAt = async ({ tenant }: PlacedEve) => (await tenant.list(null)).map(({ id }) => id);

async function found(): Promise<string | undefined> {
  const manifest = await collection.open();
  const index = await readIndex(manifest.entries.keys(), (name) => collection.read(manifest, name));
  const searcher = createSplitSearcher({
    keys: root.keysOf('kb', manifest.epoch),
    ...{ index, colours: coloursOf(eves), random, clock: systemClock, onFault: () => {} },
  });
  const { hits } = await searcher.search(firstVector, 1, never);
  return hits[0] === undefined ? undefined : Buffer.from(hits[0].text).toString('hex');
}

for (const mode of ['sealed', 'split', 'perturbed'] as const)
  test(`${mode}: under new keys no block of before is left, and every part is the same`, async () => {
    await sync(mode, false);
    const before = await collection.open();
    const had = await blocksAt(eves[0]!);
    await sync(mode, true);
    const after = await collection.open();
    assert.deepEqual([before.epoch, after.epoch, after.mode], [1, 2, mode]);
    for (const eve of eves) assert.ok((await blocksAt(eve)).every((id) => !had.includes(id)));
    const parts = [...before.entries.values()].filter(({ name }) => /^(?:document|table)\//.test(name));
    assert.ok(parts.length > 12);
    for (const { name, digest, key } of parts) {
      const now = after.entries.get(name)!;
      assert.deepEqual(now.digest, digest);
      assert.notDeepEqual(now.key, key);
      await collection.read(after, name);
    }
    // The next sync finds all of it there.
    assert.equal((await sync(mode, false)).uploadedBytes, 0);
  });

test('split: one that ends on the way leaves what was, searchable; the next one leaves nothing of either', async () => {
  await sync('split', false);
  const before = await collection.open();
  const best = await found();
  const ada: PlacedEve = eves[0]!;
  const stop = new AbortController();
  const put = ada.tenant.put.bind(ada.tenant);
  let puts = 0;
  ada.tenant.put = async (block, signal) => {
    const id = await put(block, signal);
    puts += 1;
    if (puts === 2) stop.abort();
    return id;
  };
  await assert.rejects(sync('split', true, stop.signal));
  ada.tenant.put = put;
  const now = await collection.open();
  assert.deepEqual([now.epoch, now.number, now.everywhere], [1, before.number, before.everywhere]);
  assert.equal(await found(), best);
  // As the job begins: what was left takes room.
  await collection.repair();
  const had = await blocksAt(ada);
  await sync('split', true);
  assert.equal((await collection.open()).epoch, 2);
  assert.ok((await blocksAt(ada)).every((id) => !had.includes(id)));
  assert.equal(await found(), best);
});
