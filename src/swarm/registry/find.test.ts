import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { TIERS, type Tier } from '../../base/index.ts';
import { identityOf, MODEL, NOW, OTHER_MODEL, recordOf } from '../records/testing/samples.ts';
import type { Announcement, BlockRange } from '../records/types.ts';
import { coverageOf } from './coverage.ts';
import { findPeers, type PeerQuery, type Views } from './find.ts';
import { registryFor } from './testing/registries.ts';

interface Peer {
  readonly says?: Partial<Announcement>;
  readonly tier?: Tier;
  readonly pledge?: boolean;
  readonly measured?: number;
}

/** A registry of peers 1, 2, ... and what this node thinks of them. */
function swarmOf(peers: readonly Peer[]) {
  const { registry, clock } = registryFor();
  const byId = new Map(peers.map((peer, index) => [identityOf(index + 1).peerId, peer]));
  for (const [index, peer] of peers.entries()) {
    const offered = registry.offer(recordOf(identityOf(index + 1), peer.says ?? {}));
    assert.ok(offered.ok, JSON.stringify(offered));
  }
  const views: Views = {
    standing: (peer) => ({
      tier: byId.get(peer)?.tier ?? 'unknown',
      score: 0,
      pledge: byId.get(peer)?.pledge ?? false,
    }),
    latencyMs: (peer) => byId.get(peer)?.measured ?? null,
  };
  return { registry, clock, views };
}

const nameOf = new Map(Array.from({ length: 40 }, (_, i) => [identityOf(i).peerId, i]));

function ask(peers: readonly Peer[], query: Partial<PeerQuery>) {
  const { registry, views } = swarmOf(peers);
  const found = findPeers(registry, { model: MODEL, serves: 'blocks', ...query }, views, NOW);
  return {
    order: found.candidates.map(({ peer }) => nameOf.get(peer)),
    reasons: Object.fromEntries(found.leftOut.map(({ peer, reason }) => [nameOf.get(peer)!, reason])),
    found,
  };
}

const chat = { serves: ['chat'], blocks: [] };

test('each peer is a candidate or left out with one reason', () => {
  const peers: Peer[] = [
    {},
    { says: { blocks: [[0, 4]] } },
    { says: chat },
    { says: { state: 'draining' } },
    { says: { state: 'offline' } },
    { says: { model: { hash: OTHER_MODEL, quant: 'F16' } } },
    { says: { freeCacheTokens: 10 } },
    { says: { seq: NOW - 100, exp: NOW + 1 } },
    { says: { model: null, serves: [], blocks: [], state: 'offline' } },
  ];
  const { order, reasons } = ask(peers, {
    blocks: [2, 8],
    cacheTokens: 11,
    exclude: new Set([identityOf(8).peerId]),
  });
  assert.deepEqual(order, [1]);
  assert.deepEqual(reasons, {
    2: 'blocks_missing',
    3: 'not_served',
    4: 'not_ready',
    5: 'offline',
    6: 'other_model',
    7: 'cache_full',
    8: 'excluded',
    9: 'offline',
  });
});

test('a whole model, and storage that needs none, are asked for by what peers serve', () => {
  const peers: Peer[] = [
    { says: chat },
    { says: { serves: ['embeddings'], blocks: [] } },
    { says: { model: null, serves: ['storage'], blocks: [] } },
  ];
  assert.deepEqual(ask(peers, { serves: 'chat' }).order, [1]);
  assert.deepEqual(ask(peers, { serves: 'embeddings' }).order, [2]);
  assert.deepEqual(ask(peers, { serves: 'storage', model: null }).order, [3]);
});

test('requirements leave out by tier, pledge, region and latency, and an expired record is none', () => {
  const peers: Peer[] = [
    { tier: 'trusted', pledge: true, measured: 30, says: { regions: ['de', 'eu'] } },
    { tier: 'known', pledge: true, measured: 30 },
    { tier: 'trusted', measured: 30 },
    { tier: 'trusted', pledge: true, measured: 30, says: { regions: ['us'] } },
    { tier: 'trusted', pledge: true, measured: 51, says: { latencyMs: 1 } },
    { tier: 'trusted', pledge: true, says: { latencyMs: 51 } },
    { tier: 'trusted', pledge: true, says: { latencyMs: null } },
    { tier: 'verified', pledge: true, says: { latencyMs: 50 } },
  ];
  const asked = { minTier: 'verified', pledge: true, regions: ['eu', 'ch'], maxLatencyMs: 50 } as const;
  const { order, reasons, found } = ask(peers, asked);
  assert.deepEqual(order, [1, 8]);
  assert.deepEqual(reasons, {
    2: 'tier',
    3: 'pledge',
    4: 'region',
    5: 'latency',
    6: 'latency',
    7: 'latency_unknown',
  });
  assert.deepEqual(
    found.candidates.map(({ latency }) => latency),
    [
      { ms: 30, source: 'measured' },
      { ms: 50, source: 'claimed' },
    ],
  );
  const { registry, views } = swarmOf(peers);
  const later = findPeers(registry, { model: MODEL, serves: 'blocks', ...asked }, views, NOW + 360_000);
  assert.deepEqual([...new Set(later.leftOut.map(({ reason }) => reason))], ['expired']);
});

test('nobody below the tier asked for is ever a candidate, whatever they announce', () => {
  const tiers = fc.array(fc.constantFrom(...TIERS), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(tiers, fc.constantFrom(...TIERS), (given, minTier) => {
      const { found } = ask(
        given.map((tier) => ({ tier, says: { latencyMs: 0, tokensPerSecond: 1e6 } })),
        { minTier },
      );
      const least = TIERS.indexOf(minTier);
      assert.equal(found.candidates.length, given.filter((tier) => TIERS.indexOf(tier) >= least).length);
      for (const { standing } of found.candidates) assert.ok(TIERS.indexOf(standing.tier) >= least);
      assert.equal(found.candidates.length + found.leftOut.length, given.length);
    }),
    { numRuns: 40 },
  );
});

test('candidates come by tier, then by latency, where claims count for less than measurements', () => {
  const peers: Peer[] = [
    { measured: 45, says: { latencyMs: 0 } },
    { says: { latencyMs: 0 } },
    { tier: 'known', measured: 300 },
    { measured: 60 },
    { says: { latencyMs: 40 } },
    { says: { latencyMs: null } },
    { measured: 60, says: { tokensPerSecond: 99 } },
  ];
  assert.deepEqual(ask(peers, {}).order, [3, 1, 2, 7, 4, 5, 6]);
});

test('this node is never its own candidate', () => {
  const { registry, views } = swarmOf([]);
  registry.offer(recordOf(identityOf(0)));
  const found = findPeers(registry, { model: MODEL, serves: 'blocks' }, views, NOW);
  assert.deepEqual(
    found.leftOut.map(({ reason }) => reason),
    ['self'],
  );
});

test('coverage counts every block as often as it is served, whatever the ranges', () => {
  const range = fc
    .tuple(fc.nat(30), fc.nat(30))
    .map(([a, b]): BlockRange => [Math.min(a, b), Math.max(a, b)]);
  fc.assert(
    fc.property(fc.array(range, { maxLength: 12 }), fc.nat(24), (ranges, blocks) => {
      const coverage = coverageOf(ranges, blocks);
      const counted = Array.from(
        { length: blocks },
        (_, block) => ranges.filter(([start, end]) => start <= block && block < end).length,
      );
      const told = coverage.stretches.flatMap(({ start, end, times }) => Array(end - start).fill(times));
      assert.deepEqual(told, counted);
      const missing = coverage.gaps.flatMap(([start, end]) =>
        Array.from({ length: end - start }, (_, i) => start + i),
      );
      assert.deepEqual(
        missing,
        counted.flatMap((times, block) => (times === 0 ? [block] : [])),
      );
      assert.equal(coverage.least, blocks === 0 ? 0 : Math.min(...counted));
      for (let i = 1; i < coverage.stretches.length; i++) {
        assert.equal(coverage.stretches[i]!.start, coverage.stretches[i - 1]!.end);
        assert.notEqual(coverage.stretches[i]!.times, coverage.stretches[i - 1]!.times);
      }
    }),
  );
});

test('peers that serve some of the blocks and fit are found for a coverage, which names the gaps', () => {
  const { registry, views } = swarmOf([
    { tier: 'known', says: { blocks: [[0, 8]] } },
    {
      tier: 'known',
      says: {
        blocks: [
          [4, 12],
          [14, 16],
        ],
      },
    },
    { says: { blocks: [[0, 16]] } },
  ]);
  const coverageFrom = (minTier: 'unknown' | 'known') => {
    const query = { model: MODEL, serves: 'blocks', blocks: [0, 16], cover: 'some', minTier } as const;
    const { candidates } = findPeers(registry, query, views, NOW);
    return coverageOf(
      candidates.flatMap(({ announcement }) => announcement.blocks),
      16,
    );
  };
  const coverage = coverageFrom('known');
  assert.deepEqual(coverage.gaps, [[12, 14]]);
  assert.equal(coverage.least, 0);
  assert.deepEqual(coverage.stretches[1], { start: 4, end: 8, times: 2 });
  assert.equal(coverageFrom('unknown').least, 1);
});
