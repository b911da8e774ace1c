/** Eves whose disk is full, whose clock is wrong, or who answer slowly, as the owner of a collection meets them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createSeededRandom, silentLogger, systemClock } from '../../src/base/index.ts';
import { identityOf } from '../../src/identity/testing/credentials.ts';
import {
  type Collection,
  createCollection,
  createEve,
  digestOf,
  type LocalEve,
  type ObjectSource,
  type PlacedEve,
  rootOfIdentity,
  tenantAt,
} from '../../src/vault/index.ts';

const DAY_MS = 86_400_000;
const random = createSeededRandom(7);
const bob = identityOf('bob');
const root = rootOfIdentity(bob);
let base: string;

interface FaultyEve extends PlacedEve, Disposable {
  readonly eve: LocalEve;
  /** How far her clock is ahead. */
  readonly time: { wrongMs: number };
  /** Before she answers. */
  before: (op: string) => Promise<void>;
}

before(async () => {
  base = await mkdtemp(join(tmpdir(), 'kith-eve-faults-'));
});
after(() => rm(base, { recursive: true, force: true }));

async function eveOf(name: string, folder = join(base, name)): Promise<FaultyEve> {
  const { peerId } = identityOf(`eve ${name}`);
  const time = { wrongMs: 0 };
  const clock = {
    now: () => systemClock.now() + time.wrongMs,
    monotonic: () => systemClock.monotonic(),
  };
  const eve = createEve({
    ...{ folder, capacityBytes: 1e9, largestBytes: 1e9, days: 30, graceDays: 7, reserveBytes: 0 },
    ...{ clock, log: silentLogger },
  });
  const made: FaultyEve = {
    ...{ peer: peerId, operator: null, eve, time, before: async () => {} },
    tenant: tenantAt(peerId, root.label('books'), async (metadata, payload) => {
      await made.before(String(metadata.op));
      const { metadata: told, payload: bytes = new Uint8Array(0) } = await eve.answer({
        ...{ peer: bob.peerId, welcome: true, metadata, payload },
      });
      return { metadata: told, payload: Uint8Array.from(bytes) };
    }),
    [Symbol.dispose]: () => eve[Symbol.dispose](),
  };
  await (made.tenant as ReturnType<typeof tenantAt>).create(64 << 20, 30);
  return made;
}

const collectionOver = (eves: readonly FaultyEve[], hedgeMs = 400): Collection =>
  createCollection({
    ...{ id: 'books', root, eves, replicas: 2, random, clock: systemClock, log: silentLogger },
    ...{ reached: 0, onReached: () => {}, hedgeMs },
  });

const sourceOf = (objects: ReadonlyMap<string, Uint8Array>): ObjectSource => ({
  *list() {
    for (const [name, object] of objects) yield { name, digest: digestOf(object) };
  },
  read: async (name) => objects.get(name) ?? null,
});

const objectsOf = (count: number): Map<string, Uint8Array> =>
  new Map(Array.from({ length: count }, (_, i) => [`object ${i}`, random.bytes(700_000)]));

async function assertWhole(collection: Collection, objects: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const manifest = await collection.open();
  const found = new Map<string, Uint8Array>();
  for await (const { name, object } of collection.readAll(manifest)) found.set(name, Uint8Array.from(object));
  assert.deepEqual([...found.keys()].sort(), [...objects.keys()].sort());
  for (const [name, object] of objects) assert.equal(Buffer.compare(found.get(name)!, object), 0, name);
}

const canMount =
  process.platform === 'linux' && process.getuid?.() === 0 && process.env.KITH_TEST_NO_MOUNT !== '1';

test('an Eve whose disk is full takes what fits and says so; others take her part, and she gets it when there is room', {
  skip: !canMount,
}, async () => {
  const small = join(base, 'small');
  await mkdir(small);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=100m', 'tmpfs', small]);
  try {
    using full = await eveOf('full', small);
    using one = await eveOf('one');
    using two = await eveOf('two');
    // Others use the disk, too.
    await writeFile(join(small, 'film'), new Uint8Array(96 << 20));
    const collection = collectionOver([full, one, two]);
    const objects = objectsOf(12);
    const { away } = await collection.sync(sourceOf(objects), { info: {} });
    assert.deepEqual([...away.keys()], [full.peer]);
    assert.match(away.get(full.peer)!, /disk|room/i);
    await assertWhole(collection, objects);
    // What she acknowledged she has, whole.
    const { eves } = await collectionOver([full])
      .check(1)
      .catch(() => ({ eves: [] }));
    assert.ok(eves.every(({ failed }) => failed === 0));
    await rm(join(small, 'film'));
    const repaired = await collection.repair();
    assert.deepEqual([repaired.lost, [...repaired.away]], [[], []]);
    assert.ok(repaired.copied > 0, 'she got her part');
    assert.equal((await collection.repair()).copied, 0);
    await assertWhole(collection, objects);
  } finally {
    execFileSync('umount', ['-l', small]);
  }
});

test('an Eve whose clock jumps a year ahead deletes nothing; what is there is read, and she takes more once it is right', async () => {
  using wrong = await eveOf('wrong');
  using right = await eveOf('right');
  using third = await eveOf('third');
  const collection = collectionOver([wrong, right, third]);
  const objects = objectsOf(4);
  await collection.sync(sourceOf(objects), { info: {} });
  wrong.time.wrongMs = 365 * DAY_MS;
  assert.equal(wrong.eve.sweep(), 0);
  await assertWhole(collection, objects);
  objects.set('new', random.bytes(2000));
  const { away } = await collection.sync(sourceOf(objects), { info: {} });
  assert.match(away.get(wrong.peer) ?? '', /time ended/);
  await assertWhole(collection, objects);
  wrong.time.wrongMs = 0;
  const { away: none } = await collection.repair();
  assert.deepEqual([...none], []);
  await assertWhole(collection, objects);
});

test('an Eve who does not answer holds up no reader: another is asked beside her', async () => {
  using slow = await eveOf('slow');
  using quick = await eveOf('quick');
  const collection = collectionOver([slow, quick], 5);
  const objects = objectsOf(3);
  await collection.sync(sourceOf(objects), { info: {} });
  const gate = Promise.withResolvers<void>();
  slow.before = (op) => (op === 'get' ? gate.promise : Promise.resolve());
  await assertWhole(collection, objects);
  gate.resolve();
});
