import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { silentLogger } from '../../base/index.ts';
import { identityOf } from '../../identity/testing/credentials.ts';
import { type AskEve, createEve, type LocalEve, tenantAt, termsOf } from '../../vault/index.ts';
import { growTenants, keepTenants, makeTenants, type TenantWay } from './vault-tenants.ts';

const DAY_MS = 86_400_000;
const LABEL = 'ab'.repeat(16);
const MIB = 1 << 20;
const never = new AbortController().signal;
const owner = identityOf('bob').peerId;

let base: string;
let now: number;
let eves: LocalEve[];

interface TestWay extends TenantWay {
  welcome: boolean;
  up: boolean;
}

function wayTo(name: string, days: number): TestWay {
  const eve = createEve({
    ...{
      folder: join(base, name),
      capacityBytes: 1e9,
      largestBytes: 5e8,
      days,
      graceDays: 7,
      reserveBytes: 0,
    },
    ...{ clock: { now: () => now, monotonic: () => 0 }, log: silentLogger },
  });
  eves.push(eve);
  const { peerId } = identityOf(`eve ${name}`);
  const ask: AskEve = async (metadata, payload) => {
    if (!way.up) throw new Error('She is away.');
    const told = await eve.answer({ peer: owner, welcome: way.welcome, metadata, payload });
    return { metadata: told.metadata, payload: told.payload ?? new Uint8Array(0) };
  };
  const way: TestWay = {
    ...{ welcome: true, up: true, tenant: tenantAt(peerId, LABEL, ask) },
    terms: (signal) => termsOf(ask, signal),
  };
  return way;
}

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'kith-tenants-'));
  now = Date.UTC(2026, 0, 1);
  eves = [];
});
afterEach(() => {
  for (const eve of eves) eve[Symbol.dispose]();
  rmSync(base, { recursive: true, force: true });
});

const daysLeft = async ({ tenant }: TestWay) => ((await tenant.info()).until - now) / DAY_MS;

test('a tenant lasts 30 days, or as long as the Eve lends where that is less', async () => {
  const ways = [wayTo('a', 90), wayTo('b', 20)];
  await makeTenants(ways, 64 * MIB, undefined, never);
  assert.deepEqual(await Promise.all(ways.map(daysLeft)), [30, 20]);
});

test('nothing is made at one Eve when another refuses', async () => {
  const ways = [wayTo('a', 90), wayTo('b', 20)];
  await assert.rejects(makeTenants(ways, 64 * MIB, 30, never), {
    ...{ code: 'storage_terms', message: /^12D3\w+: .* for 20 days at most; 30 were asked for/ },
  });
  await assert.rejects(makeTenants(ways, 600 * MIB, undefined, never), { code: 'storage_terms' });
  await assert.rejects(makeTenants(ways, 1200 * MIB, undefined, never), { code: 'storage_full' });
  ways[1]!.welcome = false;
  await assert.rejects(makeTenants(ways, 64 * MIB, 10, never), { code: 'storage_denied' });
  ways[1]!.up = false;
  await assert.rejects(makeTenants(ways, 64 * MIB, 10, never));
  for (const eve of eves) assert.deepEqual(eve.tenants(), []);
});

test('a tenant that was left, or whose time is over, is taken over', async () => {
  const way = wayTo('a', 90);
  await makeTenants([way], 64 * MIB, 10, never);
  await makeTenants([way], 96 * MIB, 20, never);
  assert.equal((await way.tenant.info()).quotaBytes, 96 * MIB);
  assert.equal(await daysLeft(way), 20);
  now += 25 * DAY_MS;
  assert.equal((await way.tenant.info()).state, 'grace');
  await makeTenants([way], 96 * MIB, 20, never);
  assert.equal((await way.tenant.info()).state, 'open');
});

test('tenants are renewed when half of the time is over, and who refuses is told of', async () => {
  const ways = [wayTo('a', 90), wayTo('b', 20), wayTo('c', 90)];
  await makeTenants(ways, 64 * MIB, undefined, never);
  now += 6 * DAY_MS;
  const unknown = () => null;
  assert.equal((await keepTenants(ways, 64 * MIB, unknown, never)).trouble.size, 0);
  assert.deepEqual(await Promise.all(ways.map(daysLeft)), [24, 20, 24]);
  now += 10 * DAY_MS;
  ways[1]!.up = false;
  ways[2]!.welcome = false;
  const { trouble, refused, lost, made } = await keepTenants(ways, 64 * MIB, unknown, never);
  assert.deepEqual([refused, lost, made], [[ways[2]!.tenant.peer], [], []]);
  assert.deepEqual([...trouble.keys()], [ways[2]!.tenant.peer]);
  assert.match(
    trouble.get(ways[2]!.tenant.peer)!,
    /^Her time for it ends on 2026-01-31 and was not renewed: /,
  );
  assert.equal(await daysLeft(ways[0]!), 30);
});

test('a tenant that an Eve lost is made again; before its time that is her fault, and who lends no more is told of', async () => {
  const ways = [wayTo('a', 90), wayTo('b', 90), wayTo('c', 90)];
  await makeTenants(ways, 64 * MIB, 30, never);
  const [a, b, c] = ways.map(({ tenant }) => tenant.peer);
  const until = now + 30 * DAY_MS;
  for (const { tenant } of ways) await tenant.destroy();
  ways[1]!.welcome = false;
  const kept = await keepTenants(ways, 64 * MIB, (peer) => (peer === a ? until : null), never);
  assert.deepEqual([kept.made.toSorted(), kept.lost], [[a, c].toSorted(), [a]]);
  assert.match(kept.trouble.get(b!)!, /has nothing of it any more.*kith vpk rebalance KB --add PEER/);
  assert.equal(kept.until.get(a!), until);
  // One whose time was over is no fault.
  await ways[0]!.tenant.destroy();
  now += 40 * DAY_MS;
  const later = await keepTenants([ways[0]!], 64 * MIB, () => until, never);
  assert.deepEqual([later.made, later.lost], [[a], []]);
});

test('a tenant whose file is gone is begun anew, which is her fault', async () => {
  const ways = [wayTo('a', 90), wayTo('b', 90)];
  await makeTenants(ways, 64 * MIB, 30, never);
  const folder = join(base, 'a', 'tenants');
  for (const file of readdirSync(folder)) rmSync(join(folder, file));
  await assert.rejects(ways[0]!.tenant.info(), { code: 'storage_damaged' });
  const [a] = ways.map(({ tenant }) => tenant.peer);
  const kept = await keepTenants(ways, 64 * MIB, () => now + 30 * DAY_MS, never);
  assert.deepEqual([kept.made, kept.lost, kept.trouble.size], [[a], [a], 0]);
  assert.equal((await ways[0]!.tenant.info()).blocks, 0);
});

test('more space is asked where there is less, and who has none says so', async () => {
  const ways = [wayTo('a', 90), wayTo('b', 90)];
  await makeTenants(ways, 64 * MIB, 30, never);
  assert.equal((await growTenants(ways, 128 * MIB, never)).size, 0);
  for (const { tenant } of ways) assert.equal((await tenant.info()).quotaBytes, 128 * MIB);
  ways[1]!.up = false;
  const refused = await growTenants(ways, 200 * MIB, never);
  assert.deepEqual([...refused.keys()], [ways[1]!.tenant.peer]);
  const most = await growTenants([ways[0]!], 600 * MIB, never);
  assert.match(most.get(ways[0]!.tenant.peer)!, /no more space for it than before/);
});
