import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../../base/index.ts';
import { encodeAnnouncement } from '../records/announcement.ts';
import { encodeEnvelope } from '../records/envelope.ts';
import { announcementOf, identityOf, MODEL, NOW, recordOf, signedBytes } from '../records/testing/samples.ts';
import type { Refusal } from '../records/types.ts';
import { coverageOf } from '../registry/coverage.ts';
import { findPeers } from '../registry/find.ts';
import { type Bus, createBus } from './testing/bus.ts';
import { nodeOn, offerOf, settle, type TestNode } from './testing/nodes.ts';
import { topicOf } from './topics.ts';

const NODES = 48;
const BLOCKS = 24;
/** Longer than in earnest, for fewer signatures. */
const INTERVAL_MS = 240_000;
const views = {
  standing: () => ({ tier: 'unknown', score: 0, pledge: false }) as const,
  latencyMs: () => null,
};

/** Each node serves a third of the model. */
function blocksOf(index: number): [number, number] {
  const start = (index % 3) * 8;
  return [start, start + 8];
}

async function swarm() {
  const clock = createManualClock(NOW);
  const bus = createBus();
  const nodes = Array.from({ length: NODES }, (_, i) =>
    nodeOn(bus.join(identityOf(i).peerId), i, clock, INTERVAL_MS),
  );
  for (const node of nodes) await node.discovery.watch(MODEL);
  for (const [index, node] of nodes.entries()) node.discovery.offer([offerOf({ blocks: [blocksOf(index)] })]);
  await settle();
  return { clock, bus, nodes };
}

/** Without farewells, which would be two thousand signatures to verify. */
async function end(bus: Bus, nodes: readonly TestNode[]): Promise<void> {
  for (const node of nodes) bus.kill(node.peer);
  await Promise.all(nodes.map((node) => node.discovery.close()));
}

function served(node: TestNode, now: number): number {
  return findPeers(node.registry, { model: MODEL, serves: 'blocks' }, views, now).candidates.length;
}

test('48 nodes know each other; with 30 % of them killed no lookup fails, and the dead are forgotten', async () => {
  const { clock, bus, nodes } = await swarm();
  for (const node of nodes) assert.equal(served(node, NOW), NODES - 1);

  const dead = nodes.filter((_, index) => index % 10 < 3);
  const alive = nodes.filter((node) => !dead.includes(node));
  assert.equal(dead.length, 15);
  for (const node of dead) bus.kill(node.peer);

  // Nobody heard a farewell: whoever looks still finds every block at a living node.
  for (const node of alive) {
    const { candidates } = findPeers(
      node.registry,
      { model: MODEL, serves: 'blocks', blocks: [8, 16] },
      views,
      clock.now(),
    );
    assert.ok(candidates.some(({ peer }) => alive.some((other) => other.peer === peer)));
  }
  // One that comes now asks providers, half of whom may be dead.
  const late = nodeOn(bus.join(identityOf(500).peerId), 500, clock, INTERVAL_MS);
  await late.discovery.watch(MODEL);
  const report = await late.discovery.fill(MODEL);
  assert.ok(report.answered > 0, JSON.stringify(report));
  assert.ok(served(late, clock.now()) >= alive.length);

  await clock.advance(365_000);
  for (const node of [...alive, late]) {
    node.registry.sweep();
    assert.equal(served(node, clock.now()), alive.length - (node === late ? 0 : 1));
    const query = { model: MODEL, serves: 'blocks', blocks: [0, BLOCKS], cover: 'some' } as const;
    const { candidates } = findPeers(node.registry, query, views, clock.now());
    const coverage = coverageOf(
      candidates.flatMap(({ announcement }) => announcement.blocks),
      BLOCKS,
    );
    assert.deepEqual(coverage.gaps, []);
    assert.ok(coverage.least >= 10);
  }
  await end(bus, [...nodes, late]);
});

test('forged, expired, replayed and oversized records are refused by every one of 48 nodes', async () => {
  const { bus, nodes } = await swarm();
  const victim = identityOf(7);
  const forger = identityOf(900);
  const topic = topicOf(MODEL);
  const before = nodes.map((node) => node.registry.get(victim.peerId, MODEL));
  const body = encodeAnnouncement(announcementOf(victim, { seq: NOW + 1000, blocks: [[0, 24]] }));
  const forged = encodeEnvelope({ body, signature: forger.sign('announcement', body) }, 2048);
  const ofHimself = encodeAnnouncement(announcementOf(forger));
  const attacks: [what: string, from: string, bytes: Uint8Array, refusal: Refusal][] = [
    ['forged, as its victim', victim.peerId, forged, 'bad_signature'],
    ['forged, as himself', forger.peerId, forged, 'wrong_peer'],
    [
      'signed for another purpose',
      forger.peerId,
      encodeEnvelope({ body: ofHimself, signature: forger.sign('message', ofHimself) }, 2048),
      'bad_signature',
    ],
    ['of another, passed off as his own', forger.peerId, recordOf(victim, { seq: NOW + 2000 }), 'wrong_peer'],
    ['expired', forger.peerId, recordOf(forger, { seq: NOW - 1000, exp: NOW }), 'expired'],
    ['from the future', forger.peerId, recordOf(forger, { seq: NOW + 3_600_000 }), 'too_far_ahead'],
    ['older', victim.peerId, recordOf(victim, { seq: NOW - 5 }), 'replayed'],
    ['oversized', forger.peerId, signedBytes(forger, new Uint8Array(2040)), 'oversized'],
    ['rubbish', forger.peerId, new Uint8Array(100).fill(0xa2), 'malformed'],
  ];
  for (const [what, from, bytes, refusal] of attacks) {
    const counts = nodes.map((node) => node.registry.refused[refusal]);
    const heard = await bus.inject(from, topic, bytes, forger.peerId);
    for (const [index, node] of nodes.entries()) {
      if (node.peer === from) continue;
      assert.notEqual(heard.get(node.peer), 'accept', what);
      assert.equal(node.registry.refused[refusal], counts[index]! + 1, what);
    }
  }
  assert.deepEqual(
    nodes.map((node) => node.registry.get(victim.peerId, MODEL)),
    before,
  );
  for (const node of nodes) assert.equal(node.registry.get(forger.peerId, MODEL), null);
  await end(bus, nodes);
});
