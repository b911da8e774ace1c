/** The schedule at work on a real knowledge base and real Eves, with a clock that is moved by hand. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  createManualClock,
  createSeededRandom,
  KithError,
  type ManualClock,
  resolveConfig,
  silentLogger,
} from '../../src/base/index.ts';
import { createIdentity } from '../../src/identity/index.ts';
import { openKnowledgeStore } from '../../src/knowledge/index.ts';
import { createNodeKnowledge, type NodeKnowledge } from '../../src/node/knowledge/desk.ts';
import type { SharingParts } from '../../src/node/knowledge/share.ts';
import { questionsThatLeave } from '../../src/node/knowledge/share-privacy.ts';
import type { PeerReputation } from '../../src/node/swarm-asking.ts';
import type { JobView } from '../../src/server/index.ts';
import { seedOf } from '../../src/swarm/testing/nodes.ts';
import { createEve, type LocalEve } from '../../src/vault/index.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

interface Lender {
  readonly peer: string;
  readonly eve: LocalEve;
  up: boolean;
}

let base: string;
let clock: ManualClock;
let knowledge: NodeKnowledge;
let eves: Lender[];
let observed: string[];

before(async () => {
  base = await mkdtemp(join(tmpdir(), 'kith-watch-'));
  clock = createManualClock(Date.UTC(2026, 0, 1));
  observed = [];
  eves = [51, 52, 53].map((seed) => ({
    ...{ peer: createIdentity(seedOf(seed)).peerId, up: true },
    eve: createEve({
      ...{ folder: join(base, `eve-${seed}`), capacityBytes: 1e9, largestBytes: 5e8, days: 90 },
      ...{ graceDays: 7, reserveBytes: 0, clock, log: silentLogger },
    }),
  }));
  const identity = createIdentity(seedOf(50));
  const call: SharingParts['peers']['swarm']['call'] = async (peer, _method, metadata, payload) => {
    const lender = eves.find((one) => one.peer === peer)!;
    if (!lender.up) throw new KithError('swarm_unreachable', 'She is away.', { status: 503 });
    const asked = { peer: identity.peerId, welcome: true, metadata: metadata ?? {} };
    const told = await lender.eve.answer({ ...asked, payload: payload as Uint8Array });
    return { metadata: told.metadata, payload: Uint8Array.from(told.payload ?? []) } as never;
  };
  const reputation: PeerReputation = {
    of: () => ({ score: 0, tier: 'unknown', conduct: 1 }),
    observe: (peer, dimension, x) =>
      void observed.push(`${eves.findIndex((one) => one.peer === peer)} ${dimension} ${x}`),
  };
  const standing = () => ({ tier: 'unknown' as const, pledge: false, region: null });
  const swarm = {
    peer: identity.peerId,
    state: 'running',
    call,
  } as unknown as SharingParts['peers']['swarm'];
  const peers = { swarm, standing, lending: () => [], reputation };
  const nothing = () => Promise.reject(new Error('no model is asked here'));
  const { config } = resolveConfig({ home: base, env: {} });
  knowledge = createNodeKnowledge({
    ...{ config, clock, random: createSeededRandom(4), log: silentLogger },
    engine: { embed: nothing, rank: nothing, tokenize: nothing },
    local: { prepare: nothing },
    models: { get: nothing },
    sharing: { identity, peers, mayLeave: questionsThatLeave(config, peers) },
  });
  await knowledge.desk.create({ name: 'notes' });
  await ended(await knowledge.desk.vault.place('notes', { eves: eves.map(({ peer }) => peer) }, never));
});
after(async () => {
  await knowledge?.[Symbol.asyncDispose]();
  for (const { eve } of eves ?? []) eve[Symbol.dispose]();
  await rm(base, { recursive: true, force: true });
});

const never = new AbortController().signal;

async function ended({ id }: JobView): Promise<JobView> {
  for (;;) {
    const job = await knowledge.desk.job('notes', id, null, never);
    if (job.state !== 'waiting' && job.state !== 'running') {
      assert.equal(job.state, 'done', JSON.stringify(job.error));
      return job;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Time goes on until something is so. */
async function passUntil(
  isSo: () => boolean | Promise<boolean>,
  mostMs: number,
  stepMs = HOUR / 6,
): Promise<void> {
  for (let passed = 0; passed <= mostMs; passed += stepMs) {
    if (await isSo()) return;
    await clock.advance(stepMs);
    for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail(`It was not so within ${mostMs / HOUR} hours.`);
}

const blocks = () => eves.map(({ eve }) => eve.tenants()[0]?.blocks ?? 0);
const kinds = async () => (await knowledge.desk.jobs('notes')).map(({ what, state }) => `${what} ${state}`);

test('what changed is uploaded by itself', async () => {
  const [before] = await knowledge.desk.vault.placed();
  const { path } = await knowledge.desk.show('notes');
  const store = openKnowledgeStore({ path });
  const hash = createHash('sha256').update('tea').digest();
  store.put(
    {
      ...{ path: 'tea.md', title: 'Tea', titled: false, type: 'md', hash, recipe: 'test', bytes: 12 },
      ...{ modified: 0, pages: null, properties: {}, tags: [], aliases: [], links: [], notes: [] },
    },
    [{ id: 'ab'.repeat(16), position: 0, title: 'Tea', text: 'Green tea.', tokens: 3, place: { line: 1 } }],
    null,
    [],
  );
  store.close();
  await passUntil(
    async () => {
      const [now] = await knowledge.desk.vault.placed();
      return now!.number > before!.number && now!.stale === false;
    },
    2 * HOUR,
    60_000,
  );
});

test('tenants are renewed though nothing changes, and pieces are asked for', async () => {
  const until = () => eves.map(({ eve }) => eve.tenants()[0]!.until);
  const first = until();
  await passUntil(() => until().every((time, i) => time > first[i]!), 20 * DAY);
  assert.ok(until().every((time) => time > clock.now() + 10 * DAY));
  assert.ok(observed.includes('0 audit 1') || observed.includes('1 audit 1'), observed.join());
  assert.ok(observed.every((one) => one.endsWith('audit 1')));
});

test('what an Eve lost is made again, and noted', async () => {
  const had = blocks();
  const most = had.indexOf(Math.max(...had));
  const { owner, label } = eves[most]!.eve.tenants()[0]!;
  eves[most]!.eve.destroy(owner, label);
  assert.equal(blocks()[most], 0);
  await passUntil(() => blocks()[most] === had[most], 3 * DAY);
  assert.ok(observed.includes(`${most} audit 0`));
  assert.ok((await kinds()).includes('copies at peers done'));
});

test('an Eve that is away is waited for, which is no fault of hers', async () => {
  eves[2]!.up = false;
  const count = observed.filter((one) => one.startsWith('2') && one.endsWith(' 0')).length;
  await passUntil(() => false, 2 * DAY).catch(() => undefined);
  assert.equal(observed.filter((one) => one.startsWith('2') && one.endsWith(' 0')).length, count);
  eves[2]!.up = true;
});
