import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { createSeededRandom, KithError, silentLogger, systemClock } from '../../base/index.ts';
import { identityOf } from '../../identity/testing/credentials.ts';
import { openTrust, type Trust } from '../../trust/index.ts';
import {
  type AskEve,
  createCollection,
  createEve,
  digestOf,
  type LocalEve,
  rootOfIdentity,
  tenantAt,
} from '../../vault/index.ts';
import type { PeerReputation } from '../swarm-asking.ts';
import { CONDUCT_FLOOR, createVaultReputation, type VaultReputation } from './vault-reputation.ts';
import { openPlacedStore, type PlacedStore } from './vault-store.ts';

const HOUR = 3_600_000;
const bob = identityOf('bob');
const root = rootOfIdentity(bob);
const objects = new Map(
  Array.from({ length: 30 }, (_, i) => [`d/${i}`, Buffer.from(`text ${i} `.repeat(2000))]),
);

let base: string;
let trust: Trust;
let placed: PlacedStore;
let now: number;
let seen: string[];
let reputation: VaultReputation;
let eves: { readonly peer: string; readonly eve: LocalEve; up: boolean; lies: boolean; asked: number }[];

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'kith-repute-'));
  now = Date.UTC(2026, 0, 1);
  seen = [];
  trust = openTrust({ home: base, clock: { ...systemClock, now: () => now }, self: bob.peerId });
  placed = openPlacedStore(join(base, 'vault', 'bob.sqlite'));
  const peers: PeerReputation = {
    of(peer) {
      const { score, tier, terms } = trust.score(peer);
      return { score, tier, conduct: terms.find(({ name }) => name === 'moderation')!.value };
    },
    observe(peer, dimension, x, weight) {
      seen.push(`${eves.findIndex((eve) => eve.peer === peer)} ${dimension} ${x} ${weight}`);
      trust.observe(peer, dimension, x, weight);
    },
  };
  reputation = createVaultReputation(() => peers, { now: () => now });
  eves = ['a', 'b', 'c'].map((name) => ({
    peer: identityOf(`eve ${name}`).peerId,
    eve: createEve({
      ...{ folder: join(base, name), capacityBytes: 1e9, largestBytes: 1e9, days: 30, graceDays: 7 },
      ...{ reserveBytes: 0, clock: { ...systemClock, now: () => now }, log: silentLogger },
    }),
    ...{ up: true, lies: false, asked: 0 },
  }));
});
afterEach(() => {
  for (const { eve } of eves) eve[Symbol.dispose]();
  trust.close();
  placed[Symbol.dispose]();
  rmSync(base, { recursive: true, force: true });
});

const tenants = () =>
  eves.map((own) => {
    const ask: AskEve = async (metadata, payload) => {
      if (!own.up) throw new KithError('swarm_unreachable', 'She is away.', { status: 503 });
      if (metadata.op === 'get') own.asked += 1;
      const told = await own.eve.answer({ peer: bob.peerId, welcome: true, metadata, payload });
      const bytes = Uint8Array.from(told.payload ?? []);
      if (own.lies && (metadata.op === 'get' || metadata.op === 'prove') && bytes.length > 0) bytes[0]! ^= 1;
      return { metadata: told.metadata, payload: bytes };
    };
    return tenantAt(own.peer, root.label('books'), ask);
  });

const books = () =>
  createCollection({
    ...{ id: 'books', root, replicas: 2, random: createSeededRandom(5), clock: systemClock },
    ...{ log: silentLogger, reached: 0, onReached: () => undefined, hedgeMs: 60_000 },
    eves: tenants().map((tenant) => ({ peer: tenant.peer, operator: null, tenant })),
    isLast: reputation.isLast,
    onFault: (peer, fault) => reputation.gave(placed.upkeep, peer, fault),
  });

const source = {
  *list() {
    for (const [name, object] of objects) yield { name, digest: digestOf(object) };
  },
  read: async (name: string) => objects.get(name) ?? null,
};

/** Placed at all three; every Eve has all that is hers. */
async function place(): Promise<void> {
  for (const tenant of tenants()) await tenant.create(64 << 20, 30);
  const { state, thin, away } = await books().sync(source, { info: { kb: 'books' } });
  assert.deepEqual([thin, away.size], [0, 0]);
  placed.upkeep.change('books', { sound: state });
}

async function check(questions = 20): Promise<void> {
  const report = await books().check(questions);
  reputation.checked(placed.upkeep, report, placed.upkeep.of('books').sound);
}

test('pieces that were shown are a good observation, once in six hours', async () => {
  await place();
  for (let i = 0; i < 5; i++) await check();
  assert.deepEqual(seen.sort(), ['0 audit 1 1', '1 audit 1 1', '2 audit 1 1']);
  now += 7 * HOUR;
  await check(5);
  assert.equal(seen.filter((one) => one === '1 audit 1 0.25').length, 1);
});

test('an Eve that is away has done nothing, nor one that never had what she is to have', async () => {
  await place();
  eves[0]!.up = false;
  await check();
  assert.ok(seen.every((one) => !one.startsWith('0')));
  seen.length = 0;
  // While she is away the state goes on: what she misses is not hers to show.
  objects.set('d/more', Buffer.from('more '.repeat(3000)));
  await books().sync(source, { info: { kb: 'books' } });
  eves[0]!.up = true;
  now += 7 * HOUR;
  await check(60);
  assert.ok(seen.every((one) => !one.endsWith('audit 0 1')));
  objects.delete('d/more');
});

test('who lost what she had, or gives other bytes, falls until she is poor, is asked last, and is not counted twice for one thing', async () => {
  await place();
  const [first] = tenants();
  const blocks = await first!.list(null);
  await first!.remove(blocks.map(({ id }) => id));
  for (let i = 0; i < 4; i++) await check();
  assert.deepEqual(
    seen.filter((one) => one.endsWith('audit 0 1')),
    ['0 audit 0 1'],
  );
  assert.equal(reputation.of(eves[0]!.peer).poor, false);
  for (let i = 0; i < 3; i++) {
    now += 7 * HOUR;
    await check();
  }
  assert.deepEqual(
    eves.map(({ peer }) => reputation.of(peer).poor),
    [true, false, false],
  );
  assert.ok(
    trust.score(eves[0]!.peer).terms.find(({ name }) => name === 'moderation')!.value < CONDUCT_FLOOR,
  );
  await books().repair();
  for (const eve of eves) eve.asked = 0;
  const manifest = await books().open();
  for await (const _ of books().readAll(manifest));
  assert.equal(eves[0]!.asked, 0);
  assert.ok(eves[1]!.asked + eves[2]!.asked > 0);
});

test('other bytes in a read are a fault, and the read goes on with others', async () => {
  await place();
  eves[1]!.lies = true;
  for (let i = 0; i < 3; i++) for await (const _ of books().readAll(await books().open()));
  assert.deepEqual(seen, ['1 audit 0 1']);
});

test('one that refuses to renew is noted once a day', () => {
  for (let i = 0; i < 3; i++) reputation.refused(placed.upkeep, eves[2]!.peer);
  assert.deepEqual(seen, ['2 availability 0 0.5']);
  now += 25 * HOUR;
  reputation.refused(placed.upkeep, eves[2]!.peer);
  assert.equal(seen.length, 2);
  reputation.lostTenant(placed.upkeep, eves[2]!.peer);
  assert.equal(seen.at(-1), '2 audit 0 1');
});
