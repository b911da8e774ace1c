import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { createSeededRandom, KithError, silentLogger, systemClock } from '../../base/index.ts';
import { identityOf } from '../../identity/testing/credentials.ts';
import { blockId } from '../block.ts';
import { createEve, type Eve } from '../eve/eve.ts';
import { rootOfIdentity } from '../keys/keys.ts';
import type { PlacedEve } from '../place/reader.ts';
import { digestOf } from '../seal/segment.ts';
import { TENANT_BOUNDS } from '../types.ts';
import { tenantAt } from '../wire/tenant.ts';
import { type About, openAbout, sealAbout } from './about.ts';
import { type Collection, createCollection } from './collection.ts';
import type { CollectionOptions, ObjectSource } from './types.ts';

const random = createSeededRandom(3);
const bob = identityOf('bob');
const root = rootOfIdentity(bob);
const info = { kb: 'books' };

/** An Eve that can be switched off, and made to lie. */
interface TestEve extends PlacedEve {
  readonly eve: Eve;
  readonly folder: string;
  up: boolean;
  lies: boolean;
  /** Ends the next so many calls before they reach her. */
  calls: number;
}

const sourceOf = (objects: ReadonlyMap<string, Uint8Array>): ObjectSource => ({
  *list() {
    for (const [name, object] of objects) yield { name, digest: digestOf(object) };
  },
  read: async (name) => objects.get(name) ?? null,
});

describe('a collection on Eves', () => {
  let base: string;
  let eves: TestEve[];
  let faults: string[];
  let reached: number;

  function eveOf(name: string, operator: string | null = null): TestEve {
    const folder = join(base, name);
    const { peerId } = identityOf(`eve ${name}`);
    const eve = createEve({
      ...{ folder, capacityBytes: 1e9, largestBytes: 1e9, days: 30, graceDays: 7, reserveBytes: 0 },
      ...{ clock: systemClock, log: silentLogger },
    });
    const made: TestEve = {
      ...{ peer: peerId, operator, eve, folder, up: true, lies: false, calls: 0 },
      tenant: tenantAt(peerId, root.label('books'), async (metadata, payload) => {
        made.calls += 1;
        if (!made.up) throw new KithError('swarm_unreachable', 'She is away.', { status: 503 });
        const { metadata: told, payload: bytes = new Uint8Array(0) } = await eve.answer({
          ...{ peer: bob.peerId, welcome: true, metadata, payload },
        });
        const answer = Uint8Array.from(bytes);
        if (made.lies && metadata.op !== 'head' && answer.length > 0) answer[answer.length >> 1]! ^= 4;
        return { metadata: told, payload: answer };
      }),
    };
    return made;
  }

  const collectionOver = (
    over: readonly PlacedEve[] = eves,
    more: Partial<CollectionOptions> = {},
  ): Collection =>
    createCollection({
      ...{ id: 'books', root, eves: over, replicas: 2, random, clock: systemClock, log: silentLogger },
      ...{ reached, hedgeMs: 5_000 },
      onReached(number) {
        reached = number;
      },
      onFault: (peer, fault) => void faults.push(`${eves.findIndex((eve) => eve.peer === peer)} ${fault}`),
      ...more,
    });

  const join_ = async (eve: TestEve): Promise<TestEve> => {
    await tenantAt(eve.peer, root.label('books'), async (metadata, payload) => {
      const reply = await eve.eve.answer({ peer: bob.peerId, welcome: true, metadata, payload });
      return { metadata: reply.metadata, payload: reply.payload ?? new Uint8Array(0) };
    }).create(4 * TENANT_BOUNDS.minQuotaBytes, 30);
    return eve;
  };

  beforeEach(async () => {
    base = mkdtempSync(join(tmpdir(), 'kith-bob-'));
    faults = [];
    reached = 0;
    eves = [];
    for (const name of ['a', 'b', 'c']) eves.push(await join_(eveOf(name)));
  });
  afterEach(() => {
    for (const { eve } of eves) eve[Symbol.dispose]();
    rmSync(base, { recursive: true, force: true });
  });

  const objectsOf = (count: number, seed = 1): Map<string, Uint8Array> => {
    const drawn = createSeededRandom(seed);
    return new Map(
      Array.from({ length: count }, (_, i) => [`d/${i}`, drawn.bytes(200 + (drawn.uint32() % 30_000))]),
    );
  };

  async function restored(from: Collection): Promise<Map<string, Uint8Array>> {
    const all = new Map<string, Uint8Array>();
    for await (const { name, object } of from.readAll(await from.open())) all.set(name, object);
    return new Map([...all].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  const equal = (a: ReadonlyMap<string, Uint8Array>, b: ReadonlyMap<string, Uint8Array>) =>
    assert.deepEqual(
      [...a].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]).sort(),
      [...b].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]).sort(),
    );

  test('is placed, grows and shrinks by what changed, and comes back whole from Eves and key alone', async () => {
    const objects = objectsOf(150);
    const books = collectionOver();
    const first = await books.sync(sourceOf(objects), { info });
    assert.deepEqual([first.number, first.objects, first.added], [1, 150, 150]);
    objects.set('d/3', Buffer.from('changed'));
    objects.set('d/new', Buffer.from('new'));
    objects.delete('d/4');
    const second = await books.sync(sourceOf(objects), { info });
    assert.deepEqual([second.added, second.changed, second.erased, second.repacked], [1, 1, 1, 0]);
    assert.ok(second.uploadedBytes < first.uploadedBytes / 10, `${second.uploadedBytes}`);
    const nothing = await books.sync(sourceOf(objects), { info });
    assert.equal(nothing.uploadedBytes, 0);
    reached = 0;
    const elsewhere = collectionOver();
    equal(await restored(elsewhere), objects);
    const manifest = await elsewhere.open();
    assert.deepEqual(manifest.info, info);
    assert.equal(Buffer.from(await elsewhere.read(manifest, 'd/new')).toString(), 'new');
    await assert.rejects(elsewhere.read(manifest, 'd/4'), { code: 'vault_no_object' });
    assert.deepEqual(faults, []);
  });

  test('Eves have neither texts nor names on their disks', async () => {
    const planted = 'Colonel Mustard in the library';
    const objects = objectsOf(20);
    objects.set('letters/secret plan.txt', Buffer.from(`${planted}. `.repeat(50)));
    await collectionOver().sync(sourceOf(objects), { info });
    for (const { folder, eve } of eves) {
      eve[Symbol.dispose]();
      for (const name of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        if (!name.isFile()) continue;
        const bytes = readFileSync(join(name.parentPath, name.name));
        for (const word of [planted, 'Mustard', 'secret plan', 'letters/', 'books'])
          assert.ok(!bytes.includes(word), `${word} in ${name.name}`);
      }
    }
    eves = [];
  });

  test('a tenant tells its owner alone what it is about', () => {
    const label = root.label('books');
    const about: About = {
      ...{ id: 'books', name: 'My books', mode: 'sealed', replicas: 2 },
      eves: eves.map(({ peer }, i) => ({ peer, operator: i === 0 ? 'Ada' : null })),
      passphrase: null,
    };
    const sealed = sealAbout(root, label, about, random);
    assert.deepEqual(openAbout(root, label, sealed), about);
    assert.ok(!Buffer.from(sealed).includes('books'));
    for (const open of [
      () => openAbout(root, root.label('other'), sealed),
      () => openAbout(rootOfIdentity(identityOf('eva')), label, sealed),
      () => openAbout(root, label, sealed.subarray(1)),
    ])
      assert.throws(open, { code: 'vault_damaged' });
  });

  test('one Eve that is away, lies or has lost all costs nothing', async () => {
    const objects = objectsOf(60);
    await collectionOver().sync(sourceOf(objects), { info });
    for (const one of eves) {
      one.up = false;
      equal(await restored(collectionOver()), objects);
      one.up = true;
      one.lies = true;
      equal(await restored(collectionOver()), objects);
      one.lies = false;
    }
    assert.ok(faults.some((fault) => fault.endsWith('damaged')));
    eves[0]!.up = false;
    objects.set('d/away', Buffer.from('written while one was away'));
    const report = await collectionOver().sync(sourceOf(objects), { info });
    assert.deepEqual([...report.away.keys()], [eves[0]!.peer]);
    eves[0]!.up = true;
    equal(await restored(collectionOver()), objects);
    // Nothing is acknowledged that one loss would take away.
    eves[0]!.up = false;
    eves[1]!.up = false;
    objects.set('d/two', Buffer.from('two are away'));
    await assert.rejects(collectionOver(eves, { reached: 0 }).sync(sourceOf(objects), { info }), {
      code: 'vault_not_placed',
    });
  });

  test('blocks that all Eves hold are kept, copied and checked, and go when no sync names them', async () => {
    const objects = objectsOf(10);
    const books = collectionOver();
    const blocks = [random.bytes(9000), random.bytes(9000)];
    const all = books.everywhere((left) => assert.ok(left.length >= 2));
    eves[2]!.up = false;
    for (const block of blocks) await all.put(blockId(block), block);
    assert.deepEqual([...all.away.keys()], [eves[2]!.peer]);
    const { ids } = all;
    await books.sync(sourceOf(objects), { info, mode: 'split', everywhere: ids });
    eves[2]!.up = true;
    const has = async (eve: TestEve) => {
      const there = (await eve.tenant.list(null)).map(({ id }) => id);
      return ids.filter((id) => there.includes(id)).length;
    };
    assert.deepEqual(await Promise.all(eves.map(has)), [2, 2, 0]);
    const { eves: checked } = await books.check(40);
    assert.ok(checked[2]!.failed > 0);
    assert.deepEqual((await books.repair()).lost, []);
    assert.deepEqual(await Promise.all(eves.map(has)), [2, 2, 2]);
    // A sync that says nothing of them keeps them; a machine with the key alone knows them.
    await books.sync(sourceOf(objects), { info });
    reached = 0;
    const manifest = await collectionOver().open();
    assert.deepEqual([manifest.mode, manifest.everywhere], ['split', ids]);
    assert.deepEqual(await books.lost(ids), []);
    for (const { tenant } of eves) await tenant.remove([ids[0]!]);
    assert.deepEqual(await books.lost(ids), [ids[0]]);
    await books.sync(sourceOf(objects), { info, everywhere: [] });
    assert.deepEqual(await Promise.all(eves.map(has)), [0, 0, 0]);
  });

  test('a block that too few Eves take is not placed', async () => {
    for (const eve of eves.slice(1)) eve.up = false;
    const all = collectionOver().everywhere((left) => {
      if (left.length < 2) throw new KithError('split_operators', 'Too few.');
    });
    await assert.rejects(all.put('0'.repeat(64), random.bytes(10)), { code: 'vault_not_placed' });
  });

  test('repair makes copies anew after a loss, and spot checks name who lost some', async () => {
    const objects = objectsOf(80);
    await collectionOver().sync(sourceOf(objects), { info });
    const sound = await collectionOver().check(20);
    assert.ok(sound.eves.every(({ asked, failed }) => asked === 20 && failed === 0));
    const [a] = eves;
    const rows = await a!.tenant.list(null);
    await a!.tenant.remove(rows.filter((_, i) => i % 2 === 0).map(({ id }) => id));
    const checked = await collectionOver().check(60);
    assert.deepEqual(
      checked.eves.map(({ failed }) => failed > 0),
      [true, false, false],
    );
    const report = await collectionOver().repair();
    assert.equal(report.copied, Math.ceil(rows.length / 2));
    assert.deepEqual(report.lost, []);
    assert.ok((await collectionOver().check(60)).eves.every(({ failed }) => failed === 0));
    eves[1]!.up = false;
    equal(await restored(collectionOver()), objects);
  });

  test('an Eve that joins gets her share, and one that leaves is made up for', async () => {
    const objects = objectsOf(400);
    await collectionOver().sync(sourceOf(objects), { info });
    eves.push(await join_(eveOf('d')));
    const joined = await collectionOver().repair();
    assert.ok(
      joined.copied > 0 && joined.copied <= Math.ceil((1.2 * 2 * joined.blocks) / 4) + 2,
      `${joined.copied}`,
    );
    assert.equal(joined.removed, joined.copied);
    const [left] = eves.splice(0, 1);
    left!.eve[Symbol.dispose]();
    const repaired = await collectionOver().repair();
    assert.deepEqual(repaired.lost, []);
    eves[0]!.up = false;
    equal(await restored(collectionOver()), objects);
  });

  test('erasing takes the key out of every manifest, and in time the bytes', async () => {
    const objects = objectsOf(60);
    const books = collectionOver();
    await books.sync(sourceOf(objects), { info });
    const { entries } = await books.open();
    const { segment } = entries.get('d/5')!;
    const others = [...entries.values()].filter((entry) => entry.segment === segment && entry.name !== 'd/5');
    objects.delete('d/5');
    await books.sync(sourceOf(objects), { info });
    assert.ok(!(await books.open()).entries.has('d/5'));
    for (const { name } of others.slice(0, Math.ceil(others.length * 0.6))) objects.delete(name);
    const report = await books.sync(sourceOf(objects), { info });
    assert.ok(report.repacked > 0);
    for (const { tenant } of eves)
      assert.ok(!(await tenant.list(null)).some(({ id }) => id === segment), 'the sparse segment is gone');
    equal(await restored(collectionOver()), objects);
  });

  test('after a rotation nothing is sealed by former keys', async () => {
    const objects = objectsOf(40);
    const books = collectionOver();
    await books.sync(sourceOf(objects), { info });
    const before = new Set(
      (await Promise.all(eves.map(({ tenant }) => tenant.list(null)))).flat().map(({ id }) => id),
    );
    const old = await books.open();
    await books.rotate(sourceOf(objects), { info });
    const now = await books.open();
    assert.equal(now.epoch, old.epoch + 1);
    for (const { tenant } of eves) assert.ok((await tenant.list(null)).every(({ id }) => !before.has(id)));
    equal(await restored(collectionOver()), objects);
  });

  test('Eves that show a former state are not believed by who knows better', async () => {
    const objects = objectsOf(10);
    const books = collectionOver();
    await books.sync(sourceOf(objects), { info });
    const old = await Promise.all(eves.map(({ tenant }) => tenant.head('main')));
    objects.set('d/x', Buffer.from('x'));
    await books.sync(sourceOf(objects), { info });
    const back = eves.map(
      (eve, i): PlacedEve => ({ ...eve, tenant: { ...eve.tenant, head: async () => old[i]! } }),
    );
    await assert.rejects(collectionOver(back).open(), { code: 'vault_rolled_back' });
    const oneBack = [back[0]!, eves[1]!, eves[2]!];
    equal(await restored(collectionOver(oneBack)), objects);
  });

  test('of two writers one learns of the other, and nothing of either is torn', async () => {
    const objects = objectsOf(30);
    await collectionOver().sync(sourceOf(objects), { info });
    const mine = new Map([...objects, ['d/mine', Buffer.from('mine')]]);
    const theirs = new Map([...objects, ['d/theirs', Buffer.from('theirs')]]);
    const both = await Promise.allSettled([
      collectionOver(eves, { reached: 0 }).sync(sourceOf(mine), { info }),
      collectionOver(eves, { reached: 0 }).sync(sourceOf(theirs), { info }),
    ]);
    reached = 0;
    assert.ok(both.some(({ status }) => status === 'fulfilled'));
    for (const one of both)
      if (one.status === 'rejected') assert.equal((one.reason as KithError).code, 'storage_head_moved');
    const now = await restored(collectionOver());
    if (both.every(({ status }) => status === 'fulfilled'))
      assert.ok(now.has('d/mine') || now.has('d/theirs'));
    else equal(now, both[0]!.status === 'fulfilled' ? mine : theirs);
    await collectionOver().sync(sourceOf(theirs), { info });
    equal(await restored(collectionOver()), theirs);
  });

  test('a writer that dies at any call has changed nothing, or all of it', async () => {
    const before = objectsOf(12);
    await collectionOver().sync(sourceOf(before), { info });
    const after = new Map([...before, ['d/more', Buffer.from('more')], ['d/1', Buffer.from('another')]]);
    let whole = 0;
    for (let calls = 0; whole < 2; calls++) {
      let left = calls;
      const dying = eves.map((eve): PlacedEve => {
        const counted = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
          return async (...args: A): Promise<R> => {
            if (left-- <= 0) throw new KithError('killed', 'This process is gone.');
            return call(...args);
          };
        };
        const { put, remove, setHead, list, head, get, ...rest } = eve.tenant;
        return {
          ...eve,
          tenant: {
            ...rest,
            ...{ put: counted(put), remove: counted(remove), setHead: counted(setHead) },
            ...{ list: counted(list), head: counted(head), get: counted(get) },
          },
        };
      });
      const ended = await collectionOver(dying)
        .sync(sourceOf(after), { info })
        .then(
          () => true,
          () => false,
        );
      const now = await restored(collectionOver());
      if (ended) equal(now, after);
      else if (now.has('d/more')) equal(now, after);
      else equal(now, before);
      if (now.has('d/more')) whole += 1;
      if (!ended) continue;
      await collectionOver().sync(sourceOf(before), { info });
    }
  });
});
