/** Eve among owners who ask for too much, and on a disk that is not what it was. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createManualClock, createSeededRandom, isKithError, silentLogger } from '../../base/index.ts';
import { identityOf } from '../../identity/testing/credentials.ts';
import { TENANT_BOUNDS } from '../types.ts';
import { type OwnTenant, tenantAt } from '../wire/tenant.ts';
import { createEve, type Eve, type EveOptions } from './eve.ts';
import { signVaultGrant, type VaultGrant } from './grant.ts';
import { createEveHost } from './host.ts';

const MIB = 1 << 20;
const QUOTA = TENANT_BOUNDS.minQuotaBytes;
const LABEL = 'ab'.repeat(16);
const random = createSeededRandom(7);
const ids = { ada: identityOf('ada'), ben: identityOf('ben') };
const [ada, ben] = [ids.ada.peerId, ids.ben.peerId];

describe('Eve', () => {
  let folder: string;
  let eve: Eve;
  const clock = createManualClock();
  const start = (over: Partial<EveOptions> = {}) =>
    createEve({
      ...{ folder, capacityBytes: 4 * QUOTA, largestBytes: 2 * QUOTA, days: 30, graceDays: 7 },
      ...{ reserveBytes: 0, clock, log: silentLogger, ...over },
    });
  const tenant = (who = ada, label = LABEL): OwnTenant =>
    tenantAt('eve', label, async (metadata, payload) => {
      const reply = await eve.answer({ peer: who, welcome: true, metadata, payload });
      return { metadata: reply.metadata, payload: reply.payload ?? new Uint8Array(0) };
    });
  const fileOf = (owner: string) => {
    const names = readdirSync(join(folder, 'tenants')).filter((name) => name.endsWith('.sqlite'));
    const lent = eve.tenants().map(({ owner }) => owner);
    assert.equal(names.length, lent.length);
    // By what is in it: names of files say nothing.
    return names
      .map((name) => join(folder, 'tenants', name))
      .find((path) => readFileSync(`${path}-wal`).includes(`of ${owner}`))!;
  };
  async function two(): Promise<{ readonly ofAda: string; readonly ofBen: string }> {
    await tenant(ada).create(QUOTA, 10);
    await tenant(ben).create(QUOTA, 10);
    const ofAda = await tenant(ada).put(Buffer.from(`noise of ${ada}`));
    return { ofAda, ofBen: await tenant(ben).put(Buffer.from(`noise of ${ben}`)) };
  }
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kith-eve-'));
    eve = start();
  });
  afterEach(() => {
    eve[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  test('no order of calls, at the same time or not, gets past a quota or past the capacity', async () => {
    const one = fc.record({
      who: fc.constantFrom(ada, ben),
      label: fc.constantFrom(LABEL, 'cd'.repeat(16)),
      call: fc.oneof(
        fc.record({ do: fc.constant('create' as const), of: fc.integer({ min: 1, max: 4 }) }),
        fc.record({ do: fc.constant('renew' as const), of: fc.integer({ min: 1, max: 5 }) }),
        fc.record({
          do: fc.constantFrom('put' as const, 'head' as const),
          of: fc.integer({ min: 0, max: 16 }),
        }),
        fc.record({ do: fc.constantFrom('remove' as const, 'destroy' as const), of: fc.constant(0) }),
      ),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(one, { minLength: 1, maxLength: 4 }), { minLength: 4, maxLength: 14 }),
        async (batches) => {
          eve[Symbol.dispose]();
          rmSync(folder, { recursive: true, force: true });
          eve = start();
          const kept = new Map<string, Set<string>>();
          let serial = 0;
          for (const batch of batches) {
            await Promise.all(
              batch.map(async ({ who, label, call }) => {
                const name = `${who}/${label}`;
                const of = tenant(who, label);
                try {
                  if (call.do === 'create') await of.create((call.of * QUOTA) / 2, 10);
                  else if (call.do === 'renew') await of.renew((call.of * QUOTA) / 2, 10);
                  else if (call.do === 'put') {
                    const id = await of.put(Buffer.alloc(call.of << 18, `${serial++} `));
                    kept.set(name, (kept.get(name) ?? new Set()).add(id));
                  } else if (call.do === 'head') {
                    const before = (await of.head('main'))?.number ?? 0;
                    await of.setHead(
                      'main',
                      { number: before + 1, bytes: new Uint8Array(call.of << 12) },
                      before,
                    );
                  } else if (call.do === 'remove') {
                    const ids = [...(kept.get(name) ?? [])].slice(0, 3);
                    await of.remove(ids);
                    for (const id of ids) kept.get(name)!.delete(id);
                  } else {
                    await of.destroy();
                    kept.delete(name);
                  }
                } catch (error) {
                  assert.ok(isKithError(error) && /^storage_/.test(error.code), String(error));
                }
              }),
            );
            const lent = eve.tenants();
            const promised = lent.reduce((sum, { quotaBytes }) => sum + quotaBytes, 0);
            assert.equal(eve.totals.promisedBytes, promised);
            assert.ok(promised <= 4 * QUOTA);
            for (const { usedBytes, quotaBytes } of lent) assert.ok(usedBytes <= quotaBytes);
            const disk = existsSync(join(folder, 'tenants'))
              ? readdirSync(join(folder, 'tenants')).map(
                  (name) => statSync(join(folder, 'tenants', name)).size,
                )
              : [];
            assert.ok(disk.reduce((sum, size) => sum + size, 0) <= promised);
          }
          for (const [name, ids] of kept) {
            const [who, label] = name.split('/') as [string, string];
            for (const id of ids) await tenant(who, label).get(id, null);
          }
        },
      ),
      { numRuns: 12 },
    );
  });

  for (const [how, harm] of [
    ['is deleted', (path: string) => rmSync(path)],
    ['is exchanged for noise', (path: string) => writeFileSync(path, random.bytes(100_000))],
    ['is another program’s', (path: string) => writeFileSync(path, 'no database at all. '.repeat(100))],
    ['is cut', (path: string) => truncateSync(path, 5000)],
  ] as const)
    test(`a file that ${how} is the misfortune of its tenant alone, who can begin anew`, async () => {
      const { ofAda, ofBen } = await two();
      const path = fileOf(ada);
      // Closed, so that what is in the journal is in the file.
      eve[Symbol.dispose]();
      harm(path);
      eve = start();
      for (const ask of [
        () => tenant(ada).get(ofAda, null),
        () => tenant(ada).put(Buffer.from('more')),
        () => tenant(ada).info(),
        () => tenant(ada).renew(null, 10),
      ])
        await assert.rejects(ask, (error: { code: string; message: string }) => {
          assert.ok(!error.message.includes(folder), error.message);
          return error.code === 'storage_damaged';
        });
      assert.equal((await tenant(ben).get(ofBen, null)).length, `noise of ${ben}`.length);
      assert.deepEqual(
        eve
          .tenants()
          .map(({ owner, damaged }) => [owner, damaged])
          .toSorted(),
        [
          [ada, true],
          [ben, false],
        ].toSorted(),
      );
      await tenant(ada).create(QUOTA, 10);
      assert.deepEqual(await tenant(ada).list(null), []);
      await tenant(ada).put(Buffer.from('again'));
      assert.equal((await tenant(ben).list(null)).length, 1);
    });

  test('nothing is acknowledged that would go into a file that was deleted while it was open', async () => {
    await two();
    const path = fileOf(ada);
    for (const end of ['', '-wal', '-shm']) rmSync(`${path}${end}`);
    await assert.rejects(tenant(ada).put(Buffer.from('lost?')), { code: 'storage_damaged' });
    await tenant(ada).destroy();
    await assert.rejects(tenant(ada).info(), { code: 'storage_no_tenant' });
  });

  test('a backup is brought back where a file was lost, and nothing that is none takes its place', async () => {
    const { ofAda } = await two();
    const backup = join(folder, 'ada.copy');
    await eve.backup(ada, LABEL, backup);
    const later = await tenant(ada).put(Buffer.from('kept after the backup'));
    const noise = join(folder, 'noise');
    writeFileSync(noise, random.bytes(50_000));
    const cut = join(folder, 'cut');
    writeFileSync(cut, readFileSync(backup).subarray(0, 5000));
    for (const bad of [noise, cut, join(folder, 'eve.sqlite')])
      await assert.rejects(eve.bringBack(ada, LABEL, bad), { code: 'storage_backup' }, bad);
    assert.equal((await tenant(ada).list(null)).length, 2);
    rmSync(fileOf(ada));
    await assert.rejects(tenant(ada).get(ofAda, null), { code: 'storage_damaged' });
    await eve.bringBack(ada, LABEL, backup);
    assert.deepEqual(
      (await tenant(ada).list(null)).map(({ id }) => id),
      [ofAda],
    );
    await assert.rejects(tenant(ada).get(later, null), { code: 'storage_no_block' });
    assert.equal((await tenant(ben).list(null)).length, 1);
    assert.deepEqual(
      readdirSync(join(folder, 'tenants')).filter((name) => name.includes('brought')),
      [],
    );
    await assert.rejects(eve.bringBack(ben, 'ff'.repeat(16), backup), { code: 'storage_no_tenant' });
  });

  test('a backup brings back no grant that was revoked since, and nothing that acts by itself', async () => {
    const { ofAda } = await two();
    const terms = { holder: ids.ben.did, label: LABEL, rights: ['read'] as const };
    const until = clock.now() + 86_400_000;
    const [grant, other] = [1, 2].map(() =>
      signVaultGrant(ids.ada, { ...terms, from: clock.now(), until }, random),
    ) as [VaultGrant, VaultGrant];
    const byBen = ({ bytes }: VaultGrant) =>
      tenantAt(
        'eve',
        LABEL,
        async (metadata, payload) => {
          const reply = await eve.answer({ peer: ben, welcome: true, metadata, payload });
          return { metadata: reply.metadata, payload: reply.payload ?? new Uint8Array(0) };
        },
        bytes,
      );
    const backup = join(folder, 'ada.copy');
    await eve.backup(ada, LABEL, backup);
    await tenant(ada).revoke(grant.id);
    await eve.bringBack(ada, LABEL, backup);
    await assert.rejects(byBen(grant).get(ofAda, null), { code: 'storage_denied' });
    await byBen(other).get(ofAda, null);
    const crafted = new DatabaseSync(backup);
    crafted.exec('CREATE TRIGGER evil AFTER INSERT ON block BEGIN DELETE FROM revoked; END');
    crafted.close();
    await assert.rejects(eve.bringBack(ada, LABEL, backup), { code: 'storage_backup' });
    await byBen(other).get(ofAda, null);
  });

  test('a tenant that is deleted while a backup is brought back stays deleted', async () => {
    await two();
    const backup = join(folder, 'ada.copy');
    await eve.backup(ada, LABEL, backup);
    const brought = eve.bringBack(ada, LABEL, backup);
    await tenant(ada).destroy();
    await assert.rejects(brought, { code: 'storage_no_tenant' });
    assert.equal(readdirSync(join(folder, 'tenants')).filter((name) => name.endsWith('.sqlite')).length, 1);
  });

  test('a kill between the promise and the file leaves a tenant that is empty, not one that is lost', async () => {
    await tenant(ben).create(QUOTA, 10);
    eve[Symbol.dispose]();
    const { openRegister } = await import('./register.ts');
    {
      using register = openRegister(join(folder, 'eve.sqlite'));
      const row = register.find(ben, LABEL)!;
      register.add({ ...row, owner: ada, file: 'not-made-yet.sqlite' });
    }
    eve = start();
    assert.equal((await tenant(ada).info()).blocks, 0);
    const id = await tenant(ada).put(Buffer.from('noise'));
    eve[Symbol.dispose]();
    eve = start();
    assert.equal((await tenant(ada).get(id, null)).length, 5);
  });

  test('a disk that goes away and comes back lost nothing, and is not taken for an empty one in between', async () => {
    const { ofAda } = await two();
    const elsewhere = `${folder}.away`;
    renameSync(folder, elsewhere);
    mkdirSync(folder);
    for (const ask of [
      () => tenant(ada).get(ofAda, null),
      () => tenant(ada).create(QUOTA, 10),
      () => tenant('another', 'cd'.repeat(16)).create(QUOTA, 10),
      () => tenant(ada).destroy(),
    ])
      await assert.rejects(ask, (error: { code: string }) =>
        ['storage_away', 'storage_failed'].includes(error.code),
      );
    assert.deepEqual(readdirSync(folder), []);
    assert.throws(() => start({ mustExist: true }), { code: 'storage_folder' });
    assert.deepEqual(readdirSync(folder), []);
    rmSync(folder, { recursive: true });
    renameSync(elsewhere, folder);
    assert.equal((await tenant(ada).get(ofAda, null)).length, `noise of ${ada}`.length);
  });
});

test('one who asks for much does not keep others waiting, and a stranger not those who get space', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kith-eve-'));
  try {
    await using host = createEveHost({
      ...{ folder, capacityBytes: 1e9, largestBytes: 1e9, days: 30, graceDays: 7, reserveBytes: 0 },
      log: silentLogger,
    });
    const tenant = (peer: string, welcome = true) =>
      tenantAt('eve', LABEL, async (metadata, payload) => {
        const reply = await host.answer({ peer, welcome, metadata, payload });
        return { metadata: reply.metadata, payload: reply.payload ?? new Uint8Array(0) };
      });
    await tenant(ada).create(4 * QUOTA, 10);
    await tenant(ben).create(QUOTA, 10);
    let done = 0;
    const heavy = Array.from({ length: 30 }, (_, i) =>
      tenant(ada)
        .put(Buffer.alloc(MIB, `${i}`))
        .then(() => {
          done += 1;
        }),
    );
    const light = tenant(ben)
      .info()
      .then(() => done);
    assert.ok((await light) <= 2, `${await light} of 30 came before`);
    await Promise.all(heavy);
    const strangers = Array.from({ length: 80 }, (_, i) => tenant(`stranger ${i}`, false).info());
    const friend = tenant(ben).info();
    const codes = (await Promise.allSettled(strangers)).map((one) =>
      one.status === 'rejected' ? (one.reason as { code: string }).code : 'answered',
    );
    assert.deepEqual([...new Set(codes)].toSorted(), ['storage_busy', 'storage_no_tenant']);
    assert.equal((await friend).state, 'open');
    assert.ok(host.counters.refusals.storage_busy! > 0 && host.counters.refusals.storage_no_tenant! >= 64);
    assert.equal(host.waiting, 0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
