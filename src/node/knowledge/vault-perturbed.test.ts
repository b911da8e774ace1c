import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { createSeededRandom, KithError, silentLogger, systemClock } from '../../base/index.ts';
import { identityOf } from '../../identity/testing/credentials.ts';
import {
  type Chunk,
  type KnowledgeStore,
  type NewDocument,
  openKnowledgeStore,
} from '../../knowledge/index.ts';
import {
  type Collection,
  createCollection,
  createEve,
  type LocalEve,
  type PlacedEve,
  rootOfIdentity,
  tenantAt,
} from '../../vault/index.ts';
import { objectsOf } from './vault-parts.ts';
import { perturbedObjects, perturbedSearcher, requireMode } from './vault-perturbed.ts';

const DIMENSION = 64;
const bob = identityOf('bob');
const root = rootOfIdentity(bob);
const random = createSeededRandom(6);
const never = new AbortController().signal;

interface TestEve extends PlacedEve {
  readonly eve: LocalEve;
  /** Blocks that she takes until she is away. */
  takes: number;
}

let base: string;
let store: KnowledgeStore;
let eves: TestEve[];
let collection: Collection;
const vectors = new Map<string, Float32Array>();

async function eveOf(name: string): Promise<TestEve> {
  const { peerId } = identityOf(`eve ${name}`);
  const eve = createEve({
    ...{ folder: join(base, name), capacityBytes: 1e9, largestBytes: 1e9, days: 30, graceDays: 7 },
    ...{ reserveBytes: 0, clock: systemClock, log: silentLogger },
  });
  const tenant = tenantAt(peerId, root.label('kb'), async (metadata, payload) => {
    if (metadata.op === 'put' && one.takes-- <= 0)
      throw new KithError('swarm_unreachable', 'She is away.', { status: 503 });
    const reply = await eve.answer({ peer: bob.peerId, welcome: true, metadata, payload });
    return { metadata: reply.metadata, payload: Uint8Array.from(reply.payload ?? []) };
  });
  const one: TestEve = { peer: peerId, operator: null, eve, tenant, takes: Number.POSITIVE_INFINITY };
  await tenant.create(2e8, 30);
  return one;
}

function put(path: string): void {
  const drawn = Float32Array.from({ length: DIMENSION }, () => random.float() - 0.5);
  const length = Math.hypot(...drawn);
  const vector = drawn.map((value) => value / length);
  vectors.set(path, vector);
  const document: NewDocument = {
    ...{ path, title: path, titled: false, type: 'md', hash: random.bytes(32), recipe: 'r', bytes: 9 },
    ...{ modified: 0, pages: null, properties: {}, tags: [], aliases: [], links: [], notes: [] },
  };
  const chunk: Chunk = {
    ...{ id: Buffer.from(random.bytes(16)).toString('hex'), position: 0, title: path, text: path, tokens: 3 },
    place: { line: 4 },
  };
  store.put(document, [chunk], vector, []);
}

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'kith-perturbed-kb-'));
  store = openKnowledgeStore({
    path: join(base, 'kb.sqlite'),
    create: { name: 'kb', clock: systemClock, random: createSeededRandom(1) },
    embedder: { id: 'model', hash: 'h', dimension: DIMENSION },
  });
  for (let i = 0; i < 12; i++) put(`${i}.md`);
  eves = [await eveOf('ada'), await eveOf('ben')];
  collection = createCollection({
    ...{ id: 'kb', root, eves, replicas: 2, random, clock: systemClock, log: silentLogger },
    ...{ reached: 0, onReached: () => {} },
  });
});
afterEach(() => {
  store.close();
  for (const { eve } of eves) eve[Symbol.dispose]();
  rmSync(base, { recursive: true, force: true });
});

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
