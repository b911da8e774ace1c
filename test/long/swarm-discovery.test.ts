/**
 * 48 nodes over real libp2p on loopback (a thread each: minutes of CPU time, 3 GB): how fast an announcement reaches all, what is left when 30 % of the nodes are
 * killed, and what a forger achieves. Prints a table; asserts what holds on any machine.
 *
 * @module test/long/swarm-discovery
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemClock } from '../../src/base/index.ts';
import { type BlockRange, findPeers } from '../../src/swarm/index.ts';
import { encodeAnnouncement, signAnnouncement } from '../../src/swarm/records/announcement.ts';
import { encodeEnvelope } from '../../src/swarm/records/envelope.ts';
import type { Announcement } from '../../src/swarm/records/types.ts';
import { SNAPSHOT_METHOD } from '../../src/swarm/registry/snapshot.ts';
import { type Member, MODEL, offerOf, startMember, until, views } from '../swarm/members.ts';

/** `KITH_TEST_NODES` chooses another size, for small machines. */
const NODES = Number(process.env.KITH_TEST_NODES ?? 48);
const ROUNDS = 24;
/** Each node serves a third of the model. */
const THIRDS: readonly BlockRange[] = [
  [0, 8],
  [8, 16],
  [16, 24],
];

const table: Record<string, string | number>[] = [];
const row = (what: string, value: string | number) => table.push({ what, value });
let members: Member[] = [];
const alive = () => members.filter((member) => member.swarm.state === 'running');

before(async () => {
  for (let number = 0; number < NODES; number += 2) {
    const batch = Array.from({ length: 2 }, (_, i) => startMember(number + i));
    members.push(...(await Promise.all(batch)));
  }
  // A few random links for each; gossip and the DHT make the others.
  for (const [index, member] of members.entries()) {
    const others = [1, 7, 19].map((back) => members[(index + NODES - (back % NODES)) % NODES]!);
    for (const other of others) if (other !== member) await connect(member, other);
  }
});

after(async () => {
  console.table(table);
  await Promise.all(members.map((member) => member.kill()));
  members = [];
});

/** On a machine that is busy with all these nodes a handshake may take longer than a node waits. */
async function connect(from: Member, to: Member): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await from.swarm.dial(to.swarm.addresses[0]!, { deadlineMs: 30_000 });
      return;
    } catch (error) {
      if (attempt === 5) throw error;
    }
  }
}

const know = (member: Member, other: Member) => member.registry.get(other.peer, MODEL) !== null;

test('all come to know all', async () => {
  const start = performance.now();
  for (const [index, member] of members.entries())
    member.discovery.offer([offerOf({ blocks: [THIRDS[index % 3]!] })]);
  await until('all know all', () => members.every((one) => members.every((other) => know(one, other))));
  row(`${NODES} nodes start to announce: all know all, s`, ((performance.now() - start) / 1000).toFixed(1));
});

test('an announcement reaches every node', async () => {
  const times: number[] = [];
  const missed: Member[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const index = (round * 5) % NODES;
    const publisher = members[index]!;
    const region = `round-${round}`;
    const heard = new Map<Member, number>();
    const watching = members.map((member) =>
      member.registry.watch((one) => {
        if (one.peer === publisher.peer && one.regions[0] === region) heard.set(member, performance.now());
      }),
    );
    const start = performance.now();
    publisher.discovery.offer([offerOf({ blocks: [THIRDS[index % 3]!], regions: [region] })]);
    await until('all heard it', () => heard.size === NODES).catch(() =>
      missed.push(...members.filter((one) => !heard.has(one))),
    );
    for (const one of watching) one[Symbol.dispose]();
    for (const [member, at] of heard) if (member !== publisher) times.push(at - start);
  }
  row('deliveries after more than a second', times.filter((ms) => ms > 1000).length);
  times.sort((a, b) => a - b);
  const quantile = (share: number) =>
    times[Math.min(times.length - 1, Math.floor(share * times.length))]!.toFixed(1);
  row('deliveries', times.length);
  row('missed', missed.length);
  row('announcement to every node, p50 ms', quantile(0.5));
  row('announcement to every node, p95 ms', quantile(0.95));
  row('announcement to every node, max ms', quantile(1));
  const state = await Promise.all(
    missed.map(async ({ swarm, registry }) => ({
      links: (await swarm.links()).length,
      subscribers: (await swarm.subscribers(`kith/ann/1/${MODEL}`)).length,
      counters: swarm.counters(),
      refused: registry.refused,
    })),
  );
  assert.deepEqual(state, []);
});

test('no node believes a forger', async () => {
  const forger = await startMember(100);
  try {
    for (const member of members) await connect(forger, member);
    const victim = members[NODES >> 1]!;
    const now = systemClock.now();
    const of = (peer: string, seq: number): Announcement => ({ ...offerOf(), peer, seq, exp: seq + 60_000 });
    const body = encodeAnnouncement(of(victim.peer, now + 30_000));
    const own = encodeAnnouncement(of(forger.peer, now + 30_000));
    const old = victim.registry.get(victim.peer, MODEL)!.seq - 1;
    const attacks: Record<string, Uint8Array> = {
      wrong_peer: encodeEnvelope({ body, signature: forger.identity.sign('announcement', body) }, 2048),
      bad_signature: encodeEnvelope({ body: own, signature: new Uint8Array(64) }, 2048),
      expired: signAnnouncement(of(forger.peer, now - 60_001), forger.identity),
      oversized: new Uint8Array(3000),
    };
    const replayed = signAnnouncement(of(victim.peer, old), victim.identity);
    for (const member of members.filter((one) => one !== victim)) {
      for (const [refusal, bytes] of Object.entries(attacks)) {
        const offered = member.registry.offer(bytes, { author: forger.peer, sender: forger.peer });
        assert.ok(!offered.ok && offered.refusal === refusal, refusal);
      }
      const offered = member.registry.offer(replayed, { author: victim.peer, sender: forger.peer });
      assert.ok(!offered.ok && offered.refusal === 'replayed');
    }
    const known = members.map((member) => member.registry.get(victim.peer, MODEL)!.seq);
    const refused = () => members.reduce((sum, { swarm }) => sum + swarm.counters().gossipRefused, 0);
    for (const bytes of Object.values(attacks)) {
      const count = refused();
      await forger.swarm.publish(`kith/ann/1/${MODEL}`, bytes).catch(() => 0);
      await until(
        'it was refused, or the forger was cut',
        async () => refused() > count || (await forger.swarm.links()).length < NODES / 2,
      );
    }
    for (const [index, member] of members.entries()) {
      assert.ok(member.registry.get(victim.peer, MODEL)!.seq <= Math.max(known[index]!, systemClock.now()));
      assert.equal(member.registry.get(forger.peer, MODEL), null);
    }
    row('kinds of bad record refused by every node', Object.keys(attacks).length + 1);
  } finally {
    await forger.kill();
  }
});

test('with 30 % of the nodes killed no lookup fails', async () => {
  const doomed = members.filter((_, index) => index % 10 < 3);
  await Promise.all(doomed.map((member) => member.kill()));
  const living = new Set(alive().map(({ peer }) => peer));
  row('nodes killed', doomed.length);

  let lookups = 0;
  let attempts = 0;
  for (const [index, member] of alive().entries()) {
    const blocks = THIRDS[index % 3]!;
    const { candidates } = findPeers(
      member.registry,
      { model: MODEL, serves: 'blocks', blocks },
      views,
      systemClock.now(),
    );
    assert.ok(candidates.length > 0);
    let answered = false;
    for (const { peer } of candidates) {
      attempts++;
      const reply = await member.swarm
        .call(peer, SNAPSHOT_METHOD, { v: 1, limit: 1 }, undefined, { deadlineMs: 5000 })
        .catch(() => null);
      if (reply === null) continue;
      assert.ok(living.has(peer));
      answered = true;
      break;
    }
    assert.ok(answered, 'no candidate of the lookup answered');
    lookups++;
  }
  row('lookups in the registry that led to a living server', `${lookups} of ${living.size}`);
  row('calls for each, the dead included', (attempts / lookups).toFixed(2));

  let found = 0;
  const newcomers = 3;
  const times: number[] = [];
  for (let number = 0; number < newcomers; number++) {
    const late = await startMember(200 + number);
    try {
      await connect(late, alive()[(number * 5) % alive().length]!);
      const start = performance.now();
      const report = await late.discovery.fill(MODEL);
      times.push(performance.now() - start);
      const known = [...late.registry.byPeer()].filter(([peer]) => living.has(peer)).length;
      assert.ok(report.answered > 0 && known === living.size, JSON.stringify({ ...report, known }));
      found++;
    } finally {
      await late.kill();
    }
  }
  row('newcomers that learned of every living server', `${found} of ${newcomers}`);
  row('cold start by providers and snapshots, ms', times.map((ms) => ms.toFixed(0)).join(', '));
});
