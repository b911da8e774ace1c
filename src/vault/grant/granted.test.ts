/** What a grant gives to its holder at real Eves, and what it gives to nobody. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { createManualClock, createSeededRandom, silentLogger, systemClock } from '../../base/index.ts';
import { identityOf } from '../../identity/testing/credentials.ts';
import { type Collection, createCollection } from '../collection/collection.ts';
import type { ObjectSource } from '../collection/types.ts';
import { createEve, type Eve } from '../eve/eve.ts';
import { signVaultGrant } from '../eve/grant.ts';
import { type KeyRing, readingKeys, ringOf, rootOfIdentity } from '../keys/keys.ts';
import { digestOf } from '../seal/segment.ts';
import { TENANT_BOUNDS } from '../types.ts';
import { type OwnTenant, tenantAt } from '../wire/tenant.ts';
import { openGrantFile, sealGrantFile, type VaultAccess } from './grant-file.ts';

const DAY = 86_400_000;
const random = createSeededRandom(41);
const [ada, ben, cleo] = [identityOf('ada'), identityOf('ben'), identityOf('cleo')];
const root = rootOfIdentity(ada);
const LABEL = root.label('kb');
const peers = ['one', 'two'].map((name) => identityOf(`eve ${name}`).peerId);
const objects = new Map(
  Array.from({ length: 30 }, (_, i) => [`document/${i}`, Uint8Array.from(random.bytes(400))]),
);
const source: ObjectSource = {
  *list() {
    for (const [name, object] of objects) yield { name, digest: digestOf(object) };
  },
  read: async (name) => objects.get(name) ?? null,
};

let base: string;
let eves: Map<string, Eve>;
let clock: ReturnType<typeof createManualClock>;

const tenantFor = (who: typeof ada, peer: string, label = LABEL, grant?: Uint8Array): OwnTenant =>
  tenantAt(
    peer,
    label,
    async (metadata, payload) => {
      const reply = await eves.get(peer)!.answer({ peer: who.peerId, welcome: true, metadata, payload });
      return { metadata: reply.metadata, payload: Uint8Array.from(reply.payload ?? []) };
    },
    grant,
  );

const collectionFor = (who: typeof ada, ring: KeyRing, grant?: Uint8Array): Collection =>
  createCollection({
    ...{ id: 'kb', root: ring, replicas: 2, random, clock: systemClock, log: silentLogger },
    eves: peers.map((peer) => ({ peer, operator: null, tenant: tenantFor(who, peer, LABEL, grant) })),
    ...{ reached: 0, onReached: () => undefined },
  });

/** As its owner gives it and its holder gets it. */
function givenTo(holder = ben, days = 10, epoch = 1): VaultAccess {
  const times = { from: clock.now(), until: clock.now() + days * DAY };
  const text = sealGrantFile(
    ada,
    {
      grant: signVaultGrant(ada, { holder: holder.did, label: LABEL, rights: ['read'], ...times }, random),
      ...({ name: 'notes', mode: 'sealed', replicas: 2, number: 1 } as const),
      eves: peers.map((peer) => ({ peer, operator: null })),
      reading: readingKeys(root.keysOf('kb', epoch)),
    },
    random,
  );
  return openGrantFile(holder, text);
}

async function readBy(who: typeof ada, ring: KeyRing, grant?: Uint8Array): Promise<Map<string, Uint8Array>> {
  const collection = collectionFor(who, ring, grant);
  const read = new Map<string, Uint8Array>();
  for await (const { name, object } of collection.readAll(await collection.open())) read.set(name, object);
  return read;
}

const sorted = (map: ReadonlyMap<string, Uint8Array>) =>
  [...map].map(([name, bytes]) => `${name} ${Buffer.from(bytes).toString('hex')}`).sort();

/** All that can be asked of a tenant, by name. */
function asks(
  tenant: OwnTenant,
  block: string,
): Record<'reads' | 'writes', [string, () => Promise<unknown>][]> {
  return {
    reads: [
      ['info', () => tenant.info()],
      ['get', () => tenant.get(block, null)],
      ['get a stretch', () => tenant.get(block, { at: 0, length: 9 })],
      ['prove', () => tenant.prove(block, 0)],
      ['list', () => tenant.list(null)],
      ['head', () => tenant.head('main')],
      ['score', () => tenant.score([block], new Uint8Array(288))],
      ['gather', () => tenant.gather([block], { rows: 8, bytes: 16, questions: 1 }, new Uint8Array(1))],
    ],
    writes: [
      ['put', () => tenant.put(new Uint8Array(9))],
      ['set_head', () => tenant.setHead('main', { number: 99, bytes: new Uint8Array(9) }, 1)],
      ['remove', () => tenant.remove([block])],
      ['create', () => tenant.create(TENANT_BOUNDS.minQuotaBytes, 5)],
      ['renew', () => tenant.renew(null, 5)],
      ['revoke', () => tenant.revoke('00'.repeat(16))],
      ['destroy', () => tenant.destroy()],
    ],
  };
}

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'kith-granted-'));
  clock = createManualClock();
  eves = new Map(
    peers.map((peer) => [
      peer,
      createEve({
        ...{ folder: join(base, peer), capacityBytes: 1e9, largestBytes: 1e9, days: 90, graceDays: 30 },
        ...{ reserveBytes: 0, clock, log: silentLogger },
      }),
    ]),
  );
  for (const peer of peers) await tenantFor(ada, peer).create(2 * TENANT_BOUNDS.minQuotaBytes, 60);
  await collectionFor(ada, root).sync(source, { info: { kb: 'notes' } });
});
afterEach(() => {
  for (const eve of eves.values()) eve[Symbol.dispose]();
  rmSync(base, { recursive: true, force: true });
});

const oneBlock = async (): Promise<string> => (await tenantFor(ada, peers[0]!).list(null))[0]!.id;

test('its holder reads all that is placed, also what is placed later, and changes nothing', async () => {
  const { grant, reading } = givenTo();
  assert.deepEqual(sorted(await readBy(ben, ringOf(reading), grant.bytes)), sorted(objects));
  const block = await oneBlock();
  const before = await tenantFor(ada, peers[0]!).info();
  const { reads, writes } = asks(tenantFor(ben, peers[0]!, LABEL, grant.bytes), block);
  for (const [name, ask] of reads.slice(0, 6)) assert.ok((await ask()) !== undefined, name);
  for (const [name, ask] of writes) await assert.rejects(ask, { code: 'storage_denied' }, name);
  const collection = collectionFor(ben, ringOf(reading), grant.bytes);
  await assert.rejects(collection.sync(source, { info: {} }));
  await assert.rejects(collection.rotate(source, { info: {} }));
  assert.deepEqual(await tenantFor(ada, peers[0]!).info(), before);
  objects.set('document/new', Uint8Array.of(1, 2, 3));
  await collectionFor(ada, root).sync(source, { info: { kb: 'notes' } });
  assert.deepEqual(sorted(await readBy(ben, ringOf(reading), grant.bytes)), sorted(objects));
  objects.delete('document/new');
});

test('nobody else gets anything by it, and it opens no other tenant', async () => {
  const { grant, reading } = givenTo();
  const block = await oneBlock();
  const others = [
    tenantFor(cleo, peers[0]!, LABEL, grant.bytes),
    tenantFor(ben, peers[0]!, 'cd'.repeat(16), grant.bytes),
    tenantFor(ada, peers[0]!, LABEL, grant.bytes),
  ];
  for (const other of others) {
    const { reads, writes } = asks(other, block);
    for (const [name, ask] of [...reads, ...writes])
      await assert.rejects(ask, { code: 'storage_denied' }, name);
  }
  // Without it, there is no tenant.
  for (const [name, ask] of asks(tenantFor(ben, peers[0]!), block).reads)
    await assert.rejects(ask, { code: 'storage_no_tenant' }, name);
  await assert.rejects(readBy(cleo, ringOf(reading), grant.bytes), { code: 'vault_unreachable' });
});

test('once it is revoked or over, nothing can be asked by it', async () => {
  const [revoked, over] = [givenTo(), givenTo(ben, 5)];
  const block = await oneBlock();
  const [mine, first] = [tenantFor(ada, peers[0]!), tenantFor(ben, peers[0]!, LABEL, revoked.grant.bytes)];
  await first.get(block, null);
  await mine.revoke(revoked.grant.id);
  const { reads, writes } = asks(first, block);
  for (const [name, ask] of [...reads, ...writes])
    await assert.rejects(ask, { code: 'storage_denied' }, name);
  // The other Eve was not told yet; another grant holds on.
  await tenantFor(ben, peers[1]!, LABEL, revoked.grant.bytes).head('main');
  const second = tenantFor(ben, peers[0]!, LABEL, over.grant.bytes);
  await second.get(block, null);
  await clock.advance(5 * DAY);
  for (const [name, ask] of asks(second, block).reads)
    await assert.rejects(ask, { code: 'storage_grant_time' }, name);
});

test('a holder who has an Eve at hand puts no state there that the owner or another holder takes', async () => {
  const { reading, grant } = givenTo();
  const [one] = peers as [string, string];
  const row = (await tenantFor(ada, one).head('main'))!;
  // As who runs that Eve: what is in her file is theirs to change.
  const forged = Uint8Array.from(row.bytes);
  forged.set(random.bytes(40), 30);
  await tenantFor(ada, one).setHead('main', { number: row.number + 1, bytes: forged }, row.number);
  const again = await collectionFor(ada, root).open();
  assert.deepEqual([again.number, again.heads.has(one)], [row.number, false]);
  assert.equal((await collectionFor(ben, ringOf(reading), grant.bytes).open()).number, row.number);
});

test('after the keys were changed a former grant opens nothing, and a new one all', async () => {
  const before = givenTo();
  await collectionFor(ada, root).rotate(source, { info: { kb: 'notes' } });
  await assert.rejects(readBy(ben, ringOf(before.reading), before.grant.bytes), { code: 'vault_grant_keys' });
  const { grant, reading } = givenTo(ben, 10, 2);
  assert.deepEqual(sorted(await readBy(ben, ringOf(reading), grant.bytes)), sorted(objects));
});
