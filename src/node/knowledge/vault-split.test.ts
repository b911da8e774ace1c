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
import { splitObjects } from './vault-split.ts';

const DIMENSION = 192;
const bob = identityOf('bob');
const root = rootOfIdentity(bob);
const random = createSeededRandom(5);
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

function eveOf(operator: string): TestEve {
  const { peerId } = identityOf(`eve of ${operator}`);
  const eve = createEve({
    ...{ folder: join(base, operator), capacityBytes: 1e9, largestBytes: 1e9, days: 30, graceDays: 7 },
    ...{ reserveBytes: 0, clock: systemClock, log: silentLogger },
  });
  const one: TestEve = {
    ...{ peer: peerId, operator, eve, takes: Number.POSITIVE_INFINITY },
    tenant: tenantAt(peerId, root.label('kb'), async (metadata, payload) => {
      if (metadata.op === 'put' && one.takes-- <= 0)
        throw new KithError('swarm_unreachable', 'She is away.', { status: 503 });
      const reply = await eve.answer({ peer: bob.peerId, welcome: true, metadata, payload });
      return { metadata: reply.metadata, payload: Uint8Array.from(reply.payload ?? []) };
    }),
  };
  return one;
}

function put(path: string, text: string): void {
  const vector = Float32Array.from({ length: DIMENSION }, () => random.float() - 0.5);
  const length = Math.hypot(...vector);
  const document: NewDocument = {
    ...{ path, title: path, titled: false, type: 'md', hash: random.bytes(32), recipe: 'r', bytes: 9 },
    ...{ modified: 0, pages: null, properties: {}, tags: [], aliases: [], links: [], notes: [] },
  };
  const chunk: Chunk = {
    ...{ id: Buffer.from(random.bytes(16)).toString('hex'), position: 0, title: path, text, tokens: 3 },
    place: { line: 4 },
  };
  store.put(
    document,
    [chunk],
    vector.map((value) => value / length),
    [],
  );
}

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'kith-split-kb-'));
  store = openKnowledgeStore({
    path: join(base, 'kb.sqlite'),
    create: { name: 'kb', clock: systemClock, random: createSeededRandom(1) },
    embedder: { id: 'model', hash: 'h', dimension: DIMENSION },
  });
  for (let i = 0; i < 20; i++) put(`${i}.md`, `Text ${i}`);
  eves = ['Ada', 'Ben', 'Cleo'].map(eveOf);
  for (const { eve, peer } of eves)
    await tenantAt(peer, root.label('kb'), async (metadata, payload) => {
      const reply = await eve.answer({ peer: bob.peerId, welcome: true, metadata, payload });
      return { metadata: reply.metadata, payload: reply.payload ?? new Uint8Array(0) };
    }).create(2e8, 30);
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
  put('new.md', 'New');
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
  put('new.md', 'New');
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
