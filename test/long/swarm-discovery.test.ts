/**
 * 48 nodes over real libp2p on loopback: how fast an announcement reaches all, what the DHT takes, what a forger achieves,
 * and what is left when 30 % of the nodes are killed. Prints a table; asserts what holds on any machine.
 *
 * The nodes live in three processes and share their threads: a user's machine runs one node and one thread for its swarm,
 * and 48 threads on two cores would measure how V8 warms 48 heaps up. All else is what a node runs.
 *
 * @module test/long/swarm-discovery
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { systemClock } from '../../src/base/index.ts';
import type { BlockRange } from '../../src/swarm/index.ts';
import { encodeAnnouncement, signAnnouncement } from '../../src/swarm/records/announcement.ts';
import { encodeEnvelope } from '../../src/swarm/records/envelope.ts';
import { type Announcement, REFUSALS } from '../../src/swarm/records/types.ts';
import { createDirect } from '../swarm/direct.ts';
import { Herd, type HerdMember } from '../swarm/herd.ts';
import { MODEL, offerOf, startMember, until } from '../swarm/members.ts';

/** `KITH_TEST_NODES` chooses another size, for small machines. */
const NODES = Number(process.env.KITH_TEST_NODES ?? 48);
const DOOMED = Math.ceil(NODES * 0.3);
const ROUNDS = 24;
const KEYS = 24;
const TOPIC = `kith/ann/1/${MODEL}`;
/** Each node serves a third of the model. */
const THIRDS: readonly BlockRange[] = [
  [0, 8],
  [8, 16],
  [16, 24],
];

const table: Record<string, string | number>[] = [];
const row = (what: string, value: string | number) => table.push({ what, value });
let herds: Herd[] = [];
const living = () => herds.filter(({ alive }) => alive);
const members = () => living().flatMap((herd) => herd.members);
const blocksOf = ({ number }: HerdMember) => THIRDS[number % 3]!;
const keyOf = (index: number) => createHash('sha256').update(`key ${index}`).digest('hex');

async function all<T>(ask: (herd: Herd) => Promise<T[]>): Promise<T[]> {
  return (await Promise.all(living().map(ask))).flat();
}

function spread(times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return `${at(0.5).toFixed(1)} / ${at(0.95).toFixed(1)} / ${at(1).toFixed(1)}`;
}

/** Processor time of all over a span, as cores. */
async function load(ms: number): Promise<number> {
  const begin = await Promise.all(living().map((herd) => herd.tell('usage')));
  await new Promise((resolve) => setTimeout(resolve, ms));
  const end = await Promise.all(living().map((herd) => herd.tell('usage')));
  return end.reduce((sum, one, i) => sum + (one.cpuMs - begin[i]!.cpuMs) / (one.atMs - begin[i]!.atMs), 0);
}

before(async () => {
  const start = performance.now();
  const numbers = Array.from({ length: NODES }, (_, number) => number);
  const half = DOOMED + ((NODES - DOOMED) >> 1);
  const parts = [numbers.slice(0, DOOMED), numbers.slice(DOOMED, half), numbers.slice(half)];
  herds = await Promise.all(parts.map((part) => Herd.start(part)));
  row(
    `${NODES} nodes in ${parts.length} processes listen, s`,
    ((performance.now() - start) / 1000).toFixed(1),
  );
  const listed = members();
  // A few links for each; gossip and the DHT make the others.
  for (const [index, { number, herd }] of listed.entries())
    for (const back of [1, 7, 19]) {
      const other = listed[(index + NODES - (back % NODES)) % NODES]!;
      if (other.number !== number) await herd.tell('dial', number, other.address);
    }
  row('each has dialled three, s', ((performance.now() - start) / 1000).toFixed(1));
});

after(async () => {
  console.table(table);
  await Promise.all(herds.map((herd) => herd.kill()));
});

test('all come to know all', async () => {
  const start = performance.now();
  const peers = members().map(({ peer }) => peer);
  await Promise.all(members().map((one) => one.herd.tell('offer', one.number, blocksOf(one), 'first')));
  await until('all know all', async () =>
    (await all((herd) => herd.tell('known', peers))).every((count) => count === NODES),
  );
  row('from the first announcements until all know all, s', ((performance.now() - start) / 1000).toFixed(1));
});

test('an announcement reaches every node', async () => {
  // The first minute is busy: nodes walk the DHT, provide, connect. What is of interest is the time after.
  for (let look = 0; look < 12 && (await load(5000)) > 0.6; look++);
  const times: number[] = [];
  let missed = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const publisher = members()[(round * 5) % NODES]!;
    const region = `round-${round}`;
    const start = await publisher.herd.tell('offer', publisher.number, blocksOf(publisher), region);
    const heard = await all((herd) => herd.tell('heard', region, 30_000));
    missed += NODES - heard.length;
    for (const [number, at] of heard) if (number !== publisher.number) times.push(at - start);
  }
  row('deliveries; missed', `${times.length}; ${missed}`);
  row('announcement to every node, p50 / p95 / max ms', spread(times));
  row('deliveries after more than a second', times.filter((ms) => ms > 1000).length);
  assert.equal(missed, 0);
});

test('nodes at rest', async () => {
  const cores = await load(60_000);
  const usage = await Promise.all(living().map((herd) => herd.tell('usage')));
  const sum = (values: readonly number[]) => values.reduce((one, other) => one + other, 0);
  row('processor of a node at rest, % of a core', ((cores / NODES) * 100).toFixed(2));
  row('memory of a node, MB', (sum(usage.map(({ rssBytes }) => rssBytes)) / NODES / 1e6).toFixed(1));
  row('links of a node, mean', (sum(usage.flatMap(({ links }) => links)) / NODES).toFixed(1));
  // Nobody is taken for an attacker by honest nodes that are merely busy.
  assert.equal(sum(usage.flatMap(({ counters }) => counters.map(({ misbehaviours }) => misbehaviours))), 0);
});

test('the DHT finds who provides a key', async () => {
  const provided: number[] = [];
  const first: number[] = [];
  const whole: number[] = [];
  for (let key = 0; key < KEYS; key++) {
    const { herd, number } = members()[DOOMED + ((key * 7) % (NODES - DOOMED))]!;
    provided.push(await herd.tell('provide', number, keyOf(key)));
  }
  for (let key = 0; key < KEYS; key++) {
    const { herd, number } = members()[key % DOOMED]!;
    const found = await herd.tell('find', number, keyOf(key));
    assert.ok(found.peers.length > 0);
    first.push(found.firstMs);
    whole.push(found.allMs);
  }
  row('DHT: provide, p50 / p95 / max ms', spread(provided));
  row('DHT: first provider found, p50 / p95 / max ms', spread(first));
  row('DHT: walk ended, p50 / p95 / max ms', spread(whole));
});

test('no node believes a forger', async () => {
  const forger = await startMember(1000, {}, createDirect);
  try {
    for (const { address } of members()) await forger.swarm.dial(address, { deadlineMs: 30_000 });
    await until('all hear the forger', async () => (await forger.swarm.subscribers(TOPIC)).length === NODES);
    const victim = members()[NODES >> 1]!;
    const now = systemClock.now();
    const of = (peer: string, seq: number): Announcement => ({ ...offerOf(), peer, seq, exp: seq + 60_000 });
    // An honest record first, so that an older one of the same peer is a replay.
    const honest = signAnnouncement(of(forger.peer, now), forger.identity);
    await forger.swarm.publish(TOPIC, honest);
    await until('all believe an honest record', async () =>
      (await all((herd) => herd.tell('known', [forger.peer]))).every((count) => count === 1),
    );
    const body = encodeAnnouncement(of(victim.peer, now + 30_000));
    const own = encodeAnnouncement(of(forger.peer, now + 30_000));
    // Refused without blame first: by the third of the others its neighbours cut the forger.
    const attacks = {
      expired: signAnnouncement(of(forger.peer, now - 60_001), forger.identity),
      replayed: signAnnouncement(of(forger.peer, now - 1000), forger.identity),
      wrong_peer: encodeEnvelope({ body, signature: forger.identity.sign('announcement', body) }, 2048),
      bad_signature: encodeEnvelope({ body: own, signature: new Uint8Array(64) }, 2048),
      oversized: new Uint8Array(3000),
    };
    const known = await all((herd) => herd.tell('numbersOf', victim.peer));
    for (const [refusal, bytes] of Object.entries(attacks)) {
      const kind = REFUSALS.find((one) => one === refusal)!;
      const before = await all((herd) => herd.tell('refused'));
      // By gossip, to each as its neighbour.
      await forger.swarm.publish(TOPIC, bytes);
      const refusing = async () =>
        (await all((herd) => herd.tell('refused'))).filter((one, i) => one[kind] > before[i]![kind]).length;
      await until(`every node refuses what is ${kind}`, async () => (await refusing()) === NODES);
      row(`nodes that refused a record from gossip as ${kind}`, await refusing());
      // And straight to the registry of each, as a snapshot would bring it.
      const hex = Buffer.from(bytes).toString('hex');
      const verdicts = await all((herd) => herd.tell('judge', hex, forger.peer, forger.peer));
      assert.deepEqual(new Set(verdicts), new Set([kind]));
    }
    const later = await all((herd) => herd.tell('numbersOf', victim.peer));
    for (const [index, seq] of later.entries())
      assert.ok(seq <= Math.max(known[index]!, systemClock.now()), 'nobody believes the forged number');
    await until('its neighbours cut the forger', async () => (await forger.swarm.links()).length === 0);
  } finally {
    await forger.kill();
  }
});

test('with 30 % of the nodes killed no lookup fails', async () => {
  await herds[0]!.kill();
  const alive = new Set(members().map(({ peer }) => peer));
  row('nodes killed at once, without a word', NODES - alive.size);

  const lookups: number[] = [];
  let asked = 0;
  let failed = 0;
  for (const { herd, number } of members()) {
    const found = await herd.tell('lookup', number, THIRDS[number % 3]!);
    lookups.push(found.ms);
    asked += found.asked;
    if (found.peer === null || !alive.has(found.peer)) failed++;
  }
  row('lookups in the registry; failed', `${lookups.length}; ${failed}`);
  row('nodes asked for each, the dead included', (asked / lookups.length).toFixed(2));
  row('lookup until a living server answered, p50 / p95 / max ms', spread(lookups));

  const first: number[] = [];
  let missed = 0;
  for (let key = 0; key < KEYS; key++) {
    const provider = DOOMED + ((key * 7) % (NODES - DOOMED));
    const { herd } = members().find((one) => one.number === provider)!;
    const others = members().filter((one) => one.herd !== herd);
    const other = others[key % others.length]!;
    const found = await other.herd.tell('find', other.number, keyOf(key));
    if (found.peers.length === 0) missed++;
    else first.push(found.firstMs);
  }
  row('lookups in the DHT; failed', `${first.length + missed}; ${missed}`);
  row('DHT: first provider found, p50 / p95 / max ms (after the deaths)', spread(first));

  const cold: number[] = [];
  for (let number = 0; number < 3; number++) {
    const late = await startMember(2000 + number, {}, createDirect);
    try {
      await late.swarm.dial(members()[(number * 5) % alive.size]!.address, { deadlineMs: 30_000 });
      const start = performance.now();
      const report = await late.discovery.fill(MODEL);
      cold.push(performance.now() - start);
      const known = [...late.registry.byPeer()].filter(([peer]) => alive.has(peer)).length;
      assert.ok(report.answered > 0 && known === alive.size, JSON.stringify({ ...report, known }));
    } finally {
      await late.kill();
    }
  }
  row('a newcomer knows every living server after ms', cold.map((ms) => ms.toFixed(0)).join(', '));
  assert.deepEqual({ failed, missed }, { failed: 0, missed: 0 });
});
