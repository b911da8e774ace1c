import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../../base/index.ts';
import { announcementOf, identityOf, MODEL, NOW, OTHER_MODEL, recordOf } from '../records/testing/samples.ts';
import { registryFor } from './testing/registries.ts';

const alice = identityOf(1);
const bob = identityOf(2);
const other = { hash: OTHER_MODEL, quant: 'F16' };
const farewell = { model: null, blocks: [], serves: [], state: 'offline' as const };

test('the newest record of each peer and model is held until it expires', async () => {
  const { registry, clock } = registryFor();
  registry.offer(recordOf(alice));
  registry.offer(recordOf(alice, { seq: NOW + 1, model: other }));
  registry.offer(recordOf(bob));
  assert.equal(registry.size, 3);
  registry.offer(recordOf(alice, { seq: NOW + 2, freeCacheTokens: 7 }));
  assert.equal(registry.size, 3);
  assert.equal(registry.get(alice.peerId, MODEL)?.freeCacheTokens, 7);
  assert.equal(registry.of(alice.peerId).length, 2);
  await clock.advance(360_001);
  assert.equal(registry.get(bob.peerId, MODEL), null);
  assert.equal(registry.get(alice.peerId, MODEL)?.freeCacheTokens, 7);
  registry.sweep();
  assert.equal(registry.size, 1);
});

test('a record that is held already is known, not refused; what is refused is counted', () => {
  const { registry } = registryFor();
  const record = recordOf(alice, { seq: NOW + 5 });
  assert.deepEqual(registry.offer(record), {
    ok: true,
    announcement: announcementOf(alice, { seq: NOW + 5 }),
    known: false,
    kept: true,
  });
  const again = registry.offer(record);
  assert.ok(again.ok && again.known);
  const older = registry.offer(recordOf(alice));
  assert.ok(!older.ok && older.refusal === 'replayed');
  registry.offer(new Uint8Array(3000));
  registry.offer(new Uint8Array(3));
  assert.deepEqual(
    Object.entries(registry.refused).filter(([, count]) => count > 0),
    [
      ['oversized', 1],
      ['malformed', 1],
      ['replayed', 1],
    ],
  );
});

test('a farewell voids all that its peer announced before, and a return is believed', () => {
  const { registry } = registryFor();
  registry.offer(recordOf(alice));
  registry.offer(recordOf(alice, { model: other }));
  registry.offer(recordOf(bob));
  assert.ok(registry.offer(recordOf(alice, { ...farewell, seq: NOW + 10 })).ok);
  assert.deepEqual(
    registry.of(alice.peerId).map((one) => one.state),
    ['offline'],
  );
  assert.equal(registry.get(bob.peerId, MODEL)?.state, 'online');
  assert.ok(!registry.offer(recordOf(alice, { seq: NOW + 9 })).ok);
  assert.ok(registry.offer(recordOf(alice, { seq: NOW + 11 })).ok);
  assert.equal(registry.get(alice.peerId, MODEL)?.state, 'online');
});

test('a farewell that comes after a newer record leaves that record', () => {
  const { registry } = registryFor();
  registry.offer(recordOf(alice, { seq: NOW + 20 }));
  assert.ok(registry.offer(recordOf(alice, { ...farewell, seq: NOW + 10 })).ok);
  assert.equal(registry.get(alice.peerId, MODEL)?.state, 'online');
});

test('a flood of strangers pushes out no peer that this node cares for, nor all strangers that were there', () => {
  const friends = new Set(Array.from({ length: 20 }, (_, i) => identityOf(100 + i).peerId));
  const { registry } = registryFor({
    standing: (peer) => (friends.has(peer) ? 1 : 0),
    limits: { records: 100, sequences: 200 },
  });
  registry.offer(recordOf(identityOf(0)));
  for (let i = 0; i < 20; i++) registry.offer(recordOf(identityOf(100 + i)));
  for (let i = 0; i < 60; i++) registry.offer(recordOf(identityOf(200 + i)));
  for (let i = 0; i < 300; i++) registry.offer(recordOf(identityOf(1000 + i)));
  assert.equal(registry.size, 100);
  assert.notEqual(registry.get(registry.self, MODEL), null);
  for (const friend of friends) assert.notEqual(registry.get(friend, MODEL), null);
  // Sequence numbers of friends are there still: no older record of theirs comes back.
  const older = registry.offer(recordOf(identityOf(100), { seq: NOW - 1 }));
  assert.ok(!older.ok && older.refusal === 'replayed');
  const honest = Array.from({ length: 60 }, (_, i) => registry.get(identityOf(200 + i).peerId, MODEL));
  assert.ok(
    honest.some((one) => one !== null),
    'a share of the strangers who came first is there',
  );
});

test('bytes and records of one peer are bounded too', () => {
  const { registry } = registryFor({ limits: { bytes: 5000, perPeer: 4 } });
  for (let i = 0; i < 10; i++) {
    const model = { hash: i.toString(16).repeat(64).slice(0, 64), quant: 'F16' };
    registry.offer(recordOf(alice, { seq: NOW + i, model }));
  }
  assert.deepEqual(
    registry
      .of(alice.peerId)
      .map((one) => one.seq - NOW)
      .sort(),
    [6, 7, 8, 9],
  );
  for (let i = 10; i < 60; i++) registry.offer(recordOf(identityOf(i)));
  assert.ok(registry.bytes <= 5000);
});

test('what friends fill is bounded as well', () => {
  const { registry } = registryFor({ standing: () => 1, limits: { records: 10 } });
  for (let i = 1; i <= 40; i++) registry.offer(recordOf(identityOf(i)));
  assert.equal(registry.size, 10);
});

test('a clock that was ahead keeps no peer out once it is right', () => {
  const still = createManualClock(NOW);
  let ahead = 3_600_000;
  const { registry } = registryFor({ clock: { ...still, now: () => NOW + ahead } });
  assert.ok(registry.offer(recordOf(alice, { seq: NOW + 3_600_000 })).ok);
  ahead = 0;
  assert.ok(!registry.offer(recordOf(alice)).ok);
  registry.sweep();
  assert.equal(registry.size, 0);
  assert.ok(registry.offer(recordOf(alice)).ok);
});

test('who watches hears of new records only', () => {
  const { registry } = registryFor();
  const heard: number[] = [];
  const watching = registry.watch((one) => heard.push(one.seq - NOW));
  registry.offer(recordOf(alice));
  registry.offer(recordOf(alice));
  registry.offer(recordOf(alice, { seq: NOW + 1 }));
  watching[Symbol.dispose]();
  registry.offer(recordOf(alice, { seq: NOW + 2 }));
  assert.deepEqual(heard, [0, 1]);
});
