import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createManualClock, createSeededRandom, isKithError, silentLogger } from '../../base/index.ts';
import { identityOf } from '../../identity/testing/credentials.ts';
import { TENANT_BOUNDS } from '../types.ts';
import { type AskEve, type OwnTenant, tenantAt, tenantsAt, termsOf } from '../wire/tenant.ts';
import { createEve, type Eve, type EveOptions } from './eve.ts';
import { signVaultGrant, type VaultRight } from './grant.ts';

const MIB = 1 << 20;
const DAY = 86_400_000;
const QUOTA = TENANT_BOUNDS.minQuotaBytes;
const random = createSeededRandom(11);
const [ada, ben, eva] = ['ada', 'ben', 'eva'].map((name) => identityOf(name)) as [
  ReturnType<typeof identityOf>,
  ReturnType<typeof identityOf>,
  ReturnType<typeof identityOf>,
];
const LABEL = 'ab'.repeat(16);

describe('Eve', () => {
  let folder: string;
  let eve: Eve;
  let clock: ReturnType<typeof createManualClock>;
  let welcome: boolean;
  const start = (over: Partial<EveOptions> = {}) =>
    createEve({
      ...{ folder, capacityBytes: 4 * QUOTA, largestBytes: 2 * QUOTA, days: 30, graceDays: 7 },
      ...{ reserveBytes: 0, clock, log: silentLogger, ...over },
    });
  const asker =
    (peer: string): AskEve =>
    async (metadata, payload) => {
      const reply = await eve.answer({ peer, welcome, metadata, payload });
      return { metadata: reply.metadata, payload: reply.payload ?? new Uint8Array(0) };
    };
  const tenant = (who = ada, label = LABEL, grant?: Uint8Array): OwnTenant =>
    tenantAt(eva.peerId, label, asker(who.peerId), grant);
  const grantTo = (
    rights: readonly VaultRight[],
    { holder = ben, issuer = ada, label = LABEL, days = 10 } = {},
  ) =>
    signVaultGrant(
      issuer,
      { holder: holder.did, label, rights, from: clock.now(), until: clock.now() + days * DAY },
      random,
    );

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kith-eve-'));
    clock = createManualClock();
    welcome = true;
    eve = start();
  });
  afterEach(() => {
    eve[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  test('lends a tenant, keeps what is put there, and forgets it when it is destroyed', async () => {
    assert.deepEqual(await termsOf(asker(ada.peerId)), {
      ...{ freeBytes: 4 * QUOTA, largestBytes: 2 * QUOTA, days: 30, open: true, now: clock.now() },
    });
    const made = await tenant().create(QUOTA, 30);
    assert.deepEqual(
      { state: made.state, quota: made.quotaBytes, until: made.until, deleted: made.deletedAt },
      { state: 'open', quota: QUOTA, until: clock.now() + 30 * DAY, deleted: clock.now() + 37 * DAY },
    );
    assert.deepEqual(await tenant().create(QUOTA, 30), made, 'asked twice, since the answer was lost');
    const id = await tenant().put(Buffer.from('noise'));
    await tenant().setHead('main', { number: 1, bytes: Buffer.from('head') }, 0);
    eve[Symbol.dispose]();
    eve = start();
    assert.equal(Buffer.from(await tenant().get(id, null)).toString(), 'noise');
    assert.equal((await tenant().head('main'))?.number, 1);
    assert.deepEqual(await tenant().list(null), [{ id, bytes: 5 }]);
    assert.equal((await tenant().prove(id, 0)).length, 5);
    assert.equal((await tenantsAt(asker(ada.peerId))).length, 1);
    await tenant().destroy();
    await assert.rejects(tenant().info(), { code: 'storage_no_tenant' });
    assert.deepEqual(readdirSync(join(folder, 'tenants')), []);
  });

  test('lends no byte twice', async () => {
    await assert.rejects(tenant().create(3 * QUOTA, 30), { code: 'storage_terms' });
    await assert.rejects(tenant().create(QUOTA, 31), { code: 'storage_terms' });
    await tenant(ada).create(2 * QUOTA, 30);
    await tenant(ben).create(QUOTA, 30);
    await assert.rejects(tenant(ben, 'cd'.repeat(16)).create(2 * QUOTA, 30), { code: 'storage_full' });
    await assert.rejects(tenant(ben).renew(2 * QUOTA + 1, 30), { code: 'storage_terms' });
    await tenant(ben).renew(2 * QUOTA, 30);
    assert.deepEqual(eve.totals, { promisedBytes: 4 * QUOTA, tenants: 2, capacityBytes: 4 * QUOTA });
    await tenant(ada).destroy();
    await tenant(ben, 'cd'.repeat(16)).create(2 * QUOTA, 30);
  });

  test('lends nothing to who is not welcome, who keeps what they have', async () => {
    await tenant().create(QUOTA, 30);
    const id = await tenant().put(Buffer.from('noise'));
    welcome = false;
    await assert.rejects(tenant(ben).create(QUOTA, 30), { code: 'storage_denied' });
    await assert.rejects(tenant().renew(null, 30), { code: 'storage_denied' });
    assert.equal((await termsOf(asker(ben.peerId))).open, false);
    assert.equal((await tenant().get(id, null)).length, 5);
  });

  test('to another peer there is no tenant: nothing can be listed, read, written or deleted', async () => {
    await tenant().create(QUOTA, 30);
    const id = await tenant().put(Buffer.from('noise'));
    await tenant().setHead('main', { number: 1, bytes: Buffer.from('head') }, 0);
    const before = await tenant().info();
    const other = tenant(ben);
    const tries: (() => Promise<unknown>)[] = [
      () => other.info(),
      () => other.list(null),
      () => other.get(id, null),
      () => other.get(id, { at: 0, length: 1 }),
      () => other.prove(id, 0),
      () => other.head('main'),
      () => other.put(Buffer.from('mine')),
      () => other.setHead('main', { number: 2, bytes: Buffer.from('mine') }, 1),
      () => other.remove([id]),
      () => other.renew(null, 30),
      () => other.revoke('00'.repeat(16)),
      () => other.destroy(),
    ];
    for (const one of tries) await assert.rejects(one, { code: 'storage_no_tenant' });
    // Even with one of their own by the same label.
    await other.create(QUOTA, 30);
    assert.deepEqual(await other.list(null), []);
    await assert.rejects(other.get(id, null), { code: 'storage_no_block' });
    await other.destroy();
    assert.deepEqual(await tenant().info(), before);
    assert.equal((await tenant().list(null)).length, 1);
  });

  test('a grant lets its holder do what it says, until it ends or is revoked', async () => {
    await tenant().create(QUOTA, 30);
    const id = await tenant().put(Buffer.from('noise'));
    const reading = grantTo(['read']);
    const asBen = tenant(ben, LABEL, reading.bytes);
    assert.equal((await asBen.get(id, null)).length, 5);
    assert.equal((await asBen.info()).blocks, 1);
    const refused: (() => Promise<unknown>)[] = [
      () => asBen.put(Buffer.from('x')),
      () => asBen.remove([id]),
      () => asBen.destroy(),
      () => asBen.renew(null, 5),
      () => asBen.revoke(reading.id),
      () => asBen.create(QUOTA, 5),
      () => tenant(eva, LABEL, reading.bytes).get(id, null),
      () => tenant(ben, 'cd'.repeat(16), reading.bytes).list(null),
      () => tenant(ben, LABEL, grantTo(['read'], { issuer: eva }).bytes).list(null),
    ];
    for (const one of refused) await assert.rejects(one, { code: 'storage_denied' });
    const writing = grantTo(['write']);
    const writer = tenant(ben, LABEL, writing.bytes);
    const added = await writer.put(Buffer.from('more'));
    await assert.rejects(writer.get(added, null), { code: 'storage_denied' });
    await tenant().revoke(reading.id);
    await assert.rejects(asBen.get(id, null), { code: 'storage_denied' });
    await clock.advance(10 * DAY);
    await assert.rejects(writer.put(Buffer.from('late')), { code: 'storage_grant_time' });
    const torn = Uint8Array.from(writing.bytes);
    torn[40]! ^= 1;
    await assert.rejects(tenant(ben, LABEL, torn).info(), { code: 'vault_grant_invalid' });
  });

  test('after its time a tenant is kept for the grace, to be read, and then goes', async () => {
    await tenant().create(QUOTA, 10);
    const id = await tenant().put(Buffer.from('noise'));
    await clock.advance(10 * DAY);
    await assert.rejects(tenant().put(Buffer.from('more')), { code: 'storage_expired' });
    assert.equal((await tenant().get(id, null)).length, 5);
    assert.equal((await tenant().info()).state, 'grace');
    eve.sweep();
    await tenant().renew(null, 5);
    assert.equal((await tenant().info()).state, 'open');
    await tenant().put(Buffer.from('more'));
    await clock.advance(5 * DAY);
    eve.sweep();
    for (let day = 0; day < 6; day++) {
      await clock.advance(DAY);
      assert.equal(eve.sweep(), 0);
    }
    await clock.advance(DAY);
    assert.equal(eve.sweep(), 1);
    await assert.rejects(tenant().info(), { code: 'storage_no_tenant' });
  });

  test('a clock that jumps far ahead deletes nothing', async () => {
    await tenant().create(QUOTA, 10);
    eve[Symbol.dispose]();
    // Another start of the program: its own time begins anew, the date is years later.
    clock = createManualClock(clock.now() + 3650 * DAY);
    eve = start();
    assert.equal(eve.sweep(), 0);
    assert.equal((await tenant().info()).state, 'grace');
    clock = createManualClock(clock.now() - 3650 * DAY);
    eve[Symbol.dispose]();
    eve = start();
    assert.equal((await tenant().info()).state, 'open');
  });

  test('what was being deleted when the program ended is deleted at the next start', async () => {
    await tenant().create(QUOTA, 10);
    await tenant().put(Buffer.from('noise'));
    eve[Symbol.dispose]();
    const { openRegister } = await import('./register.ts');
    {
      using register = openRegister(join(folder, 'eve.sqlite'));
      register.going(ada.peerId, LABEL);
    }
    eve = start();
    assert.deepEqual(readdirSync(join(folder, 'tenants')), []);
    assert.equal(eve.totals.tenants, 0);
  });

  test('keeps few files open and many tenants usable', async () => {
    eve[Symbol.dispose]();
    eve = start({ openFiles: 2, capacityBytes: 100 * QUOTA });
    const labels = Array.from({ length: 6 }, (_, i) => `${i}`.repeat(32));
    for (const label of labels) await tenant(ada, label).create(QUOTA, 10);
    for (const round of [1, 2])
      for (const label of labels) await tenant(ada, label).put(Buffer.from(`${label} ${round}`));
    assert.deepEqual(
      eve.tenants().map(({ blocks }) => blocks),
      labels.map(() => 2),
    );
    await eve.backup(ada.peerId, labels[0]!, join(folder, 'copy.sqlite'));
    assert.ok(readdirSync(folder).includes('copy.sqlite'));
  });

  test('whatever is asked, the answer is one or a typed fault, and other tenants are as they were', async () => {
    await tenant().create(QUOTA, 30);
    await tenant().put(random.bytes(MIB));
    const before = JSON.stringify([await tenant().list(null), (await tenant().info()).usedBytes]);
    const hex = (bytes: number) => fc.uint8Array({ minLength: bytes, maxLength: bytes });
    const question = fc.record(
      {
        op: fc.constantFrom(
          'info',
          'destroy',
          'put',
          'get',
          'prove',
          'list',
          'remove',
          'head',
          'set_head',
          'renew',
        ),
        label: fc.oneof(fc.constant(Uint8Array.from(Buffer.from(LABEL, 'hex'))), hex(16)),
        id: hex(32),
        name: fc.string(),
        number: fc.nat(5),
        before: fc.nat(5),
        quota: fc.integer({ min: 0, max: 4 * QUOTA }),
        days: fc.nat(40),
        at: fc.constantFrom(null, 0, 5),
        length: fc.constantFrom(null, 0, 5),
        leaf: fc.nat(9),
        after: fc.constant(null),
      },
      { requiredKeys: ['op'] },
    );
    await fc.assert(
      fc.asyncProperty(question, fc.uint8Array({ maxLength: 64 }), async (metadata, payload) => {
        try {
          await eve.answer({ peer: ben.peerId, welcome: true, metadata, payload });
        } catch (error) {
          assert.ok(isKithError(error), String(error));
        }
      }),
      { numRuns: 500 },
    );
    assert.equal(JSON.stringify([await tenant().list(null), (await tenant().info()).usedBytes]), before);
  });
});
