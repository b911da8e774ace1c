import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Views } from '../../swarm/index.ts';
import { identityOf, MODEL, NOW, recordOf } from '../../swarm/records/testing/samples.ts';
import type { Announcement } from '../../swarm/records/types.ts';
import { registryFor } from '../../swarm/registry/testing/registries.ts';
import { isPath, planThrough } from './candidates.ts';

const names = [1, 2, 3, 4].map((number) => identityOf(number).peerId);
const trusted = new Set(names.slice(0, 3));
const views: Views = {
  standing: (peer) => ({ tier: trusted.has(peer) ? 'trusted' : 'unknown', score: 0, pledge: false }),
  latencyMs: (peer) => (peer === names[2] ? 5 : null),
};

function registryOf(says: readonly Partial<Announcement>[]) {
  const { registry } = registryFor();
  for (const [index, one] of says.entries()) {
    const offered = registry.offer(recordOf(identityOf(index + 1), one));
    assert.ok(offered.ok, JSON.stringify(offered));
  }
  return registry;
}

const query = { model: MODEL, span: { from: 0, to: 8 }, cells: 64 };

test('a path goes through those who announce the blocks and may be asked; the others are told with a reason', () => {
  const registry = registryOf([
    { blocks: [[0, 4]], tokensPerSecond: 100, latencyMs: 10 },
    { blocks: [[4, 8]], tokensPerSecond: null, latencyMs: null },
    { blocks: [[4, 8]], tokensPerSecond: 50 },
    { blocks: [[0, 8]], tokensPerSecond: 1000 },
  ]);
  const { plan, leftOut } = planThrough(registry, { ...query, minTier: 'trusted' }, views, NOW);
  assert.ok(isPath(plan));
  assert.deepEqual(
    plan.shards.map(({ peer, from, to, computeMs }) => [names.indexOf(peer) + 1, from, to, computeMs]),
    [
      [1, 0, 4, 10],
      [3, 4, 8, 20],
    ],
  );
  assert.deepEqual(
    leftOut.map(({ peer, reason }) => [names.indexOf(peer) + 1, reason]),
    [[4, 'tier']],
  );
  const open = planThrough(registry, query, views, NOW).plan;
  assert.ok(isPath(open) && open.shards.length === 1 && open.shards[0]!.peer === names[3]);
});

test('blocks that only those have who may not be asked are a gap', () => {
  const registry = registryOf([{ blocks: [[0, 4]] }]);
  const { plan } = planThrough(registry, query, views, NOW);
  assert.deepEqual(plan, { gaps: [{ from: 4, to: 8 }] });
  const full = planThrough(registry, { ...query, cells: 10_000_000 }, views, NOW);
  assert.deepEqual(full.plan, { gaps: [{ from: 0, to: 8 }] });
  assert.equal(full.leftOut[0]!.reason, 'cache_full');
});
