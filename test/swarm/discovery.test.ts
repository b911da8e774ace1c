import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemClock } from '../../src/base/index.ts';
import { findPeers } from '../../src/swarm/index.ts';
import { encodeAnnouncement, signAnnouncement } from '../../src/swarm/records/announcement.ts';
import { encodeEnvelope } from '../../src/swarm/records/envelope.ts';
import type { Announcement } from '../../src/swarm/records/types.ts';
import { type Member, MODEL, offerOf, startMember, until, views } from './members.ts';

const TOPIC = `kith/ann/1/${MODEL}`;
let members: Member[] = [];

before(async () => {
  members = await Promise.all(Array.from({ length: 4 }, (_, number) => startMember(number)));
  const [first, ...others] = members;
  for (const other of others) await other.swarm.dial(first!.swarm.addresses[0]!);
});

after(async () => {
  await Promise.all(members.map((member) => member.kill()));
});

const served = (member: Member) =>
  findPeers(member.registry, { model: MODEL, serves: 'blocks' }, views, systemClock.now()).candidates;

test('nodes that serve a model know each other by gossip', async () => {
  for (const [index, member] of members.entries())
    member.discovery.offer([offerOf({ blocks: [[index * 6, index * 6 + 6]] })]);
  await until('everybody knows the others', () => members.every((member) => served(member).length === 3));
});

test('no node believes what is forged, expired, older, of another or too large', async () => {
  const [forger, victim] = members as [Member, Member];
  const honest = members.filter((member) => member !== forger);
  const now = systemClock.now();
  const of = (member: Member, changes: Partial<Announcement>): Announcement => {
    const seq = changes.seq ?? now;
    return { ...offerOf(), peer: member.peer, seq, exp: seq + 60_000, ...changes };
  };
  const known = honest.map(({ registry }) => registry.get(victim.peer, MODEL));
  const before = honest.map(({ registry }) => registry.get(forger.peer, MODEL));
  const body = encodeAnnouncement(of(victim, { seq: now + 10_000 }));
  const forged = encodeEnvelope({ body, signature: forger.identity.sign('announcement', body) }, 2048);
  const own = encodeAnnouncement(of(forger, { seq: now + 10_000 }));
  const unsigned = encodeEnvelope({ body: own, signature: new Uint8Array(64) }, 2048);
  const attacks = {
    wrong_peer: forged,
    bad_signature: unsigned,
    expired: signAnnouncement(of(forger, { seq: now - 60_001 }), forger.identity),
    replayed: signAnnouncement(of(forger, { seq: before[0]!.seq - 1 }), forger.identity),
    oversized: new Uint8Array(3000),
  };
  // Straight to each, as a neighbour would pass it on.
  for (const [refusal, bytes] of Object.entries(attacks))
    for (const { registry } of honest) {
      const offered = registry.offer(bytes, { author: forger.peer, sender: forger.peer });
      assert.ok(!offered.ok && offered.refusal === refusal, refusal);
    }
  // And by gossip: whoever hears it refuses it and passes it on to nobody.
  const refused = () =>
    honest.map(({ swarm }) => swarm.counters().gossipRefused).reduce((sum, one) => sum + one);
  const count = refused();
  await forger.swarm.publish(TOPIC, forged);
  await until('somebody refused it', () => refused() > count);
  assert.deepEqual(
    honest.map(({ registry }) => registry.get(victim.peer, MODEL)),
    known,
  );
  assert.deepEqual(
    honest.map(({ registry }) => registry.get(forger.peer, MODEL)),
    before,
  );
});

test('a node that comes late asks the providers that the DHT names', async () => {
  const [first] = members as [Member];
  const late = await startMember(20);
  try {
    await late.swarm.dial(first.swarm.addresses[0]!);
    await until('it knows everybody', async () => {
      await late.discovery.fill(MODEL);
      return served(late).length === 4;
    });
    const [found] = served(late);
    assert.equal(found?.latency.source, 'claimed');
  } finally {
    await late.kill();
  }
});

test('a message reaches its owner over the network, and its sender hears that it did', async () => {
  const [first, , third] = members as [Member, Member, Member];
  const heard: string[] = [];
  using _listening = first.messages.onMessage(({ from, text }) => heard.push(`${from}: ${text}`));
  const sent = await third.messages.send(first.peer, 'Hello from over there');
  assert.deepEqual([sent.state, sent.code], ['delivered', null]);
  assert.deepEqual(heard, [`${third.peer}: Hello from over there`]);
  assert.equal(first.messages.inbox({ unread: true, limit: 1 }).messages[0]?.id, sent.id);
});

test('a farewell is heard, and a node that dies without one is still known for a while', async () => {
  const last = members.pop()!;
  await last[Symbol.asyncDispose]();
  await until('the farewell is heard', () => members.every((member) => served(member).length === 2));
  const killed = members.pop()!;
  await killed.kill();
  for (const member of members) {
    const peers = served(member).map(({ peer }) => peer);
    assert.ok(peers.some((peer) => members.some((other) => other.peer === peer)));
  }
});
