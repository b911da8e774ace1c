import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { createManualClock, createSeededRandom, KithError, silentLogger } from '../../base/index.ts';
import { identityOf } from '../../identity/testing/credentials.ts';
import {
  createEve,
  type LocalEve,
  type OwnTenant,
  rootOfIdentity,
  signVaultGrant,
  tenantAt,
  type VaultGrant,
} from '../../vault/index.ts';
import { createGrantTelling, type GrantTelling } from './vault-grant-telling.ts';
import { openPlacedStore, type PlacedStore } from './vault-store.ts';

const DAY = 86_400_000;
const random = createSeededRandom(51);
const [ada, ben] = [identityOf('ada'), identityOf('ben')];
const root = rootOfIdentity(ada);
const LABEL = root.label('kb-1');
const peers = ['one', 'two'].map((name) => identityOf(`eve ${name}`).peerId) as [string, string];
const never = new AbortController().signal;

let base: string;
let clock: ReturnType<typeof createManualClock>;
let eves: Map<string, LocalEve>;
let away: Set<string>;
let store: PlacedStore;
let telling: GrantTelling;
let places: Set<string>;

const tenantFor = (who: typeof ada, peer: string, grant?: Uint8Array): OwnTenant =>
  tenantAt(
    peer,
    LABEL,
    async (metadata, payload) => {
      if (away.has(peer)) throw new KithError('swarm_unreachable', 'She is away.', { status: 503 });
      const reply = await eves.get(peer)!.answer({ peer: who.peerId, welcome: true, metadata, payload });
      return { metadata: reply.metadata, payload: Uint8Array.from(reply.payload ?? []) };
    },
    grant,
  );

const start = () =>
  createGrantTelling({
    ...{ store: async () => store.grants, tenantOf: (_, peer) => tenantFor(ada, peer), clock },
    ...{ isPlace: async (_, peer) => places.has(peer), log: silentLogger },
  });

function give(days = 10): VaultGrant {
  const from = clock.now();
  const terms = { holder: ben.did, label: LABEL, rights: ['read'] as const, from, until: from + days * DAY };
  const grant = signVaultGrant(ada, terms, random);
  const { id, until } = grant;
  const told = { id, collection: 'kb-1', kb: 'notes', holder: ben.peerId, since: from, until, epoch: 1 };
  store.grants.give({ ...told, revoked: null }, peers, from);
  return grant;
}

const reads = (peer: string, { bytes }: VaultGrant) =>
  tenantFor(ben, peer, bytes)
    .info()
    .then(
      () => true,
      () => false,
    );

/** Whatever waits for the clock, it goes by until this holds. */
async function goesBy(holds: () => boolean): Promise<void> {
  for (let minute = 0; !holds(); minute++) {
    assert.ok(minute < 100, 'it never held');
    await clock.advance(60_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'kith-telling-'));
  clock = createManualClock();
  away = new Set();
  places = new Set(peers);
  eves = new Map(
    peers.map((peer) => [
      peer,
      createEve({
        ...{ folder: join(base, peer), capacityBytes: 1e9, largestBytes: 1e9, days: 90, graceDays: 30 },
        ...{ reserveBytes: 0, clock, log: silentLogger },
      }),
    ]),
  );
  for (const peer of peers) await tenantFor(ada, peer).create(1e8, 90);
  store = openPlacedStore(join(base, 'bob.sqlite'));
  telling = start();
});
afterEach(() => {
  telling[Symbol.dispose]();
  store[Symbol.dispose]();
  for (const eve of eves.values()) eve[Symbol.dispose]();
  rmSync(base, { recursive: true, force: true });
});

test('Eves that are there are told at once, one that was away as soon as she answers', async () => {
  const [grant, other] = [give(), give()];
  const [one, two] = peers;
  away.add(two);
  store.grants.revoke(grant.id, clock.now());
  await telling.tellAll(never);
  assert.deepEqual(store.grants.untoldOf(grant.id), [two]);
  away.clear();
  assert.deepEqual(
    [await reads(one, grant), await reads(two, grant), await reads(one, other)],
    [false, true, true],
  );
  away.add(two);
  telling.goOn();
  telling.goOn();
  await clock.advance(600_000);
  away.clear();
  await goesBy(() => store.grants.untoldOf(grant.id).length === 0);
  assert.deepEqual([await reads(two, grant), await reads(two, other)], [false, true]);
});

test('what an Eve has yet to be told is known after a kill', async () => {
  const grant = give();
  for (const peer of peers) away.add(peer);
  store.grants.revoke(grant.id, clock.now());
  // Before anybody was told.
  telling[Symbol.dispose]();
  store[Symbol.dispose]();
  store = openPlacedStore(join(base, 'bob.sqlite'));
  telling = start();
  away.clear();
  telling.goOn();
  await goesBy(() => store.grants.untold(clock.now()).length === 0);
  assert.deepEqual([await reads(peers[0], grant), await reads(peers[1], grant)], [false, false]);
});

test('an Eve who lends a tenant anew is told what was revoked before', async () => {
  const grant = give();
  const [one] = peers;
  store.grants.revoke(grant.id, clock.now());
  await telling.tellAll(never);
  await tenantFor(ada, one).destroy();
  await tenantFor(ada, one).create(1e8, 90);
  // It is of the same label, and she remembers nothing.
  assert.equal(await reads(one, grant), true);
  store.grants.placing('kb-1', [one], clock.now());
  await telling.tellAll(never);
  assert.equal(await reads(one, grant), false);
});

test('who keeps nothing any more is asked no more, and nobody of a grant that is long over', async () => {
  const [grant, short] = [give(), give(1)];
  const [one, two] = peers;
  await tenantFor(ada, one).destroy();
  store.grants.revoke(grant.id, clock.now());
  await telling.tellAll(never);
  // She is to get a tenant again.
  assert.deepEqual(store.grants.untoldOf(grant.id), [one]);
  places.delete(one);
  await telling.tellAll(never);
  assert.deepEqual(store.grants.untoldOf(grant.id), []);
  away.add(two);
  store.grants.revoke(short.id, clock.now());
  assert.equal(store.grants.untold(clock.now()).length, 1);
  await clock.advance(3 * DAY);
  assert.deepEqual(store.grants.untold(clock.now()), []);
});
