import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import type { Clock } from '../../base/index.ts';
import { DAY_MS } from '../score/decay.ts';
import { endorsement, facts, folder, peerNamed } from '../testing/peers.ts';
import { openObservations, type StoreOptions, storePath } from './store.ts';

const NOW = Date.UTC(2026, 10, 21);
const [ada, bob, carol, dora] = ['ada', 'bob', 'carol', 'dora'].map(peerNamed) as [
  ReturnType<typeof peerNamed>,
  ReturnType<typeof peerNamed>,
  ReturnType<typeof peerNamed>,
  ReturnType<typeof peerNamed>,
];

function handClock(): Clock & { at: number } {
  return { at: NOW, now: () => clock.at, monotonic: () => 0, sleep: async () => undefined } as Clock & {
    at: number;
  };
}
let clock = handClock();
function open(home: string, limits: StoreOptions['limits'] = {}) {
  return openObservations({ home, clock, limits, self: carol.peerId });
}

test('observations decay by half in 30 days when good and in 90 when bad', () => {
  clock = handClock();
  using home = folder();
  using store = open(home.path);
  for (let i = 0; i < 8; i++) store.observe(ada.peerId, 'audit', 1);
  for (let i = 0; i < 8; i++) store.observe(ada.peerId, 'audit', 0);
  for (let week = 0; week < 90; week += 5) {
    clock.at += 5 * DAY_MS;
    store.observe(bob.peerId, 'latency', 0.5);
  }
  store.observe(ada.peerId, 'audit', 0.25);
  const { good, bad } = store.source.observations(ada.peerId).audit!;
  assert.deepEqual([good.toFixed(6), bad.toFixed(6)], ['1.250000', '4.750000']);
});

test('what was seen survives a process that is killed in the middle of writing', async () => {
  using home = folder();
  const writer = new URL('../testing/writer.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [writer, home.path, ada.peerId], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  let told = 0;
  for await (const text of child.stdout) {
    told = Math.max(told, ...String(text).trim().split('\n').map(Number));
    if (told >= 200) child.kill('SIGKILL');
  }
  assert.deepEqual(await exit, [null, 'SIGKILL']);
  clock = handClock();
  using store = open(home.path);
  const [peer] = store.peers();
  assert.ok(peer!.observations >= told, `${peer!.observations} of at least ${told}`);
  assert.equal(store.source.incidents(ada.peerId).length, 1);
  if (process.platform !== 'win32') assert.equal(statSync(storePath(home.path)).mode & 0o777, 0o600);
});

test('a clock that is decades ahead for a while neither wipes observations nor ends a quarantine', () => {
  clock = handClock();
  using home = folder();
  using store = open(home.path);
  for (let i = 0; i < 20; i++) store.observe(ada.peerId, 'audit', 1);
  store.incident(ada.peerId, 'recomputed', 'first');
  clock.at = NOW + 40 * 365 * DAY_MS;
  store.observe(ada.peerId, 'audit', 1);
  assert.equal(store.source.observations(ada.peerId).audit!.good, 21);
  assert.equal(store.times().steady, NOW);
  clock.at = 0;
  store.observe(ada.peerId, 'audit', 1);
  assert.equal(store.source.observations(ada.peerId).audit!.good, 22, 'nor does one in 1970');
  clock.at = NOW + 1000;
  assert.equal(store.times().steady, NOW + 1000);
});

test('what a clock far ahead had dated ages again once the clock is right', () => {
  clock = handClock();
  clock.at = NOW + 70 * 365 * DAY_MS;
  using home = folder();
  using store = open(home.path);
  store.observe(ada.peerId, 'audit', 1);
  store.incident(ada.peerId, 'recomputed', 'first');
  clock.at = NOW;
  store.observe(bob.peerId, 'audit', 1);
  clock.at = NOW + DAY_MS;
  store.observe(bob.peerId, 'audit', 1);
  assert.equal(store.source.observations(ada.peerId).audit!.at, NOW + DAY_MS);
  assert.equal(store.source.incidents(ada.peerId)[0]!.at, NOW + DAY_MS);
});

test('of too many peers those are forgotten of which nothing bad is known, and never one in quarantine', () => {
  clock = handClock();
  using home = folder();
  using store = open(home.path, { peers: 10 });
  store.incident('struck', 'recomputed', 'e');
  for (let i = 0; i < 5; i++) store.observe('bad', 'audit', 0);
  for (let i = 0; i < 50; i++) {
    clock.at += 1000;
    store.observe(`flood ${i}`, 'audit', 1);
  }
  const names = store.peers().map(({ peerId }) => peerId);
  assert.equal(names.length, 10);
  assert.ok(names.includes('struck') && names.includes('bad') && names.includes('flood 49'), names.join());
  for (let i = 0; i < 9; i++) store.incident(`struck ${i}`, 'recomputed', 'e');
  assert.throws(() => store.observe('one more', 'audit', 1), { code: 'limit_reached', limit: 'trust.peers' });
  clock.at += 8 * DAY_MS;
  store.observe('struck', 'audit', 1);
  for (let week = 0; week < 5; week++) {
    clock.at += 6 * DAY_MS;
    store.observe('struck', 'audit', 1);
  }
  store.observe('one more', 'audit', 1);
  assert.equal(store.peers().length, 10, 'after the quarantine there is room again');
});

test('the same evidence strikes once, and strikes count for the keys that a key was handed over to', () => {
  clock = handClock();
  using home = folder();
  using store = open(home.path);
  assert.equal(store.incident(ada.peerId, 'recomputed', 'e1'), true);
  assert.equal(store.incident(ada.peerId, 'recomputed', 'e1'), false);
  for (let i = 0; i < 10; i++) store.observe(ada.peerId, 'audit', 1);
  store.learn(endorsement(ada, dora, NOW), null);
  assert.equal(store.succeed(ada.peerId, bob.peerId), 'taken');
  assert.equal(store.succeed(ada.peerId, bob.peerId), 'known');
  assert.equal(store.source.observations(bob.peerId).audit!.good, 5);
  assert.equal(store.source.incidents(bob.peerId).length, 1);
  assert.equal(store.source.successor(ada.peerId), bob.peerId);
  assert.equal(store.source.givenBefore(bob.peerId).length, 1);
  store.incident(ada.peerId, 'contradicting_receipts', 'e2');
  assert.equal(store.source.incidents(bob.peerId).length, 2);
  assert.throws(() => store.succeed(bob.peerId, ada.peerId), { code: 'succession_circular' });
  assert.equal(store.succeed(ada.peerId, carol.peerId), 'conflict');
  assert.equal(store.succeed(ada.peerId, dora.peerId), 'conflict');
  assert.equal(store.succeed(peerNamed('nobody').peerId, dora.peerId), 'ignored');
  for (const each of [ada, bob, carol, dora])
    assert.equal(
      store.source.incidents(each.peerId).filter(({ kind }) => kind === 'conflicting_successors').length,
      1,
    );
});

test('a reset forgets what was seen, and says how much that was', () => {
  clock = handClock();
  using home = folder();
  using store = open(home.path);
  for (let i = 0; i < 7; i++) store.observe(ada.peerId, 'latency', 0);
  store.incident(ada.peerId, 'recomputed', 'e');
  store.learn(facts({ type: 'VerifiedNode', issuer: bob, subject: ada, validFrom: NOW }), null);
  assert.deepEqual(store.reset(ada.peerId), { observations: 7, incidents: 1 });
  assert.deepEqual(store.reset(ada.peerId), { observations: 0, incidents: 0 });
  assert.deepEqual(store.source.observations(ada.peerId), {});
  assert.equal(store.source.credentials(ada.peerId).length, 1);
});

test('endorsements are bounded by endorser and in all, and those of unknown endorsers go first', () => {
  clock = handClock();
  using home = folder();
  using store = open(home.path, { endorsements: 20, endorsementsPerEndorser: 5 });
  store.learn(facts({ type: 'VerifiedNode', issuer: bob, subject: ada, validFrom: NOW }), null);
  const taken = Array.from({ length: 8 }, (_, i) =>
    store.learn(endorsement(ada, peerNamed(`friend ${i}`), NOW), null),
  );
  assert.deepEqual(taken, [true, true, true, true, true, false, false, false]);
  store.learn(endorsement(carol, dora, NOW), null);
  const sybils = Array.from({ length: 60 }, (_, i) => peerNamed(`sybil ${i}`));
  for (const sybil of sybils) store.learn(endorsement(sybil, dora, NOW), null);
  assert.equal(store.source.given(ada.peerId).length, 5);
  assert.equal(sybils.filter(({ peerId }) => store.source.given(peerId).length > 0).length, 14);
  assert.deepEqual(
    store.source.received(dora.peerId).map(({ endorser }) => endorser),
    [carol.peerId],
    'of those only its own counts, and is asked for',
  );
  const [own] = [endorsement(ada, peerNamed('friend 0'), NOW)];
  assert.equal(store.end(own.digest), peerNamed('friend 0').peerId);
  assert.equal(store.source.received(peerNamed('friend 0').peerId)[0]!.until, NOW);
  assert.equal(store.learn(endorsement(bob, bob, NOW), null), false, 'nobody endorses itself');
});

test('the age of a status that cannot be learned counts from when it was last known', () => {
  clock = handClock();
  using home = folder();
  using store = open(home.path);
  const known = facts({ type: 'Uptime', issuer: bob, subject: ada, validFrom: NOW });
  const statusUntil = () => store.source.credentials(ada.peerId)[0]!.statusUntil;
  store.learn(known, NOW + 1000);
  assert.equal(statusUntil(), NOW + 1000);
  clock.at += DAY_MS;
  store.learn({ ...known, statusStale: true }, null);
  clock.at += DAY_MS;
  store.learn({ ...known, statusStale: true }, null);
  assert.equal(statusUntil(), NOW + 1000);
  store.learn(known, null);
  assert.equal(statusUntil(), null);
  for (let i = 0; i < 20; i++)
    store.learn(facts({ type: 'Uptime', issuer: bob, subject: ada, validFrom: NOW + i }), null);
  assert.equal(store.source.credentials(ada.peerId).length, 8);
});
