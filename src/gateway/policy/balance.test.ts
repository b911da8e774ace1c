import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom } from '../../base/index.ts';
import type { Balancing } from './index.ts';
import { createBench, needs, nodes } from './testing/candidates.ts';

/**
 * `asks` calls against counting backends, `width` of them under way at a time; node i takes `ms[i]` for each. Returns
 * the calls that each node got.
 */
async function spread(
  balancing: Balancing,
  {
    count,
    asks,
    width,
    ms = [],
    seed = 1,
  }: { count: number; asks: number; width: number; ms?: number[]; seed?: number },
) {
  const { policy, conditions, clock } = createBench({ balancing }, seed);
  const rows = nodes(count);
  const counts = new Array<number>(count).fill(0);
  const underWay: { readonly node: number; readonly due: number; readonly took: number }[] = [];
  for (let ask = 0; ask < asks; ask++) {
    while (underWay.length >= width) {
      underWay.sort((a, b) => a.due - b.due);
      const { node, due, took } = underWay.shift()!;
      if (due > clock.monotonic()) await clock.advance(due - clock.monotonic());
      conditions.of(`n${node}`).firstToken(took);
      conditions.of(`n${node}`).end('success');
    }
    const node = rows.indexOf(policy.decide(rows, needs())[0]!);
    counts[node]!++;
    conditions.of(`n${node}`).begin();
    const took = ms[node] ?? 10;
    underWay.push({ node, due: clock.monotonic() + took, took });
  }
  return counts;
}

test('round-robin gives each node the same number of calls, to within one', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 200 }),
      async (count, asks) => {
        const counts = await spread('round-robin', { count, asks, width: 4 });
        assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, counts.join(' '));
      },
    ),
    { numRuns: 50 },
  );
});

test('least-connections never lets a node have two calls more under way than another', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 6 }), fc.array(fc.nat(100), { maxLength: 200 }), (count, moves) => {
      const { policy, conditions } = createBench({ balancing: 'least-connections' });
      const rows = nodes(count);
      for (const move of moves) {
        const least = Math.min(...rows.map(({ backend }) => conditions.of(backend.name).inFlight));
        const condition = conditions.of(`n${move % count}`);
        // Some calls end, those of any node; the next goes to one of the least busy.
        if (move > 50 && condition.inFlight > 0) condition.end('success');
        else {
          const { backend } = policy.decide(rows, needs())[0]!;
          assert.equal(conditions.of(backend.name).inFlight, least);
          conditions.of(backend.name).begin();
        }
      }
    }),
  );
  const idle = await spread('least-connections', { count: 4, asks: 400, width: 1 });
  assert.deepEqual(idle, [100, 100, 100, 100], 'in turn among equals');
});

test('least-connections: beside a node that is busy for long, the others have equal shares', () => {
  const { policy, conditions } = createBench({ balancing: 'least-connections' });
  const rows = nodes(4);
  conditions.of('n1').begin();
  const counts = rows.map(() => 0);
  for (let ask = 0; ask < 300; ask++) counts[rows.indexOf(policy.decide(rows, needs())[0]!)]!++;
  assert.deepEqual(counts, [100, 0, 100, 100]);
});

test('least-connections gives a node that is four times slower a quarter of the calls', async () => {
  const [slow, ...fast] = await spread('least-connections', {
    count: 3,
    asks: 3000,
    width: 12,
    ms: [40, 10, 10],
  });
  const ratio = fast.reduce((sum, count) => sum + count, 0) / fast.length / slow!;
  assert.ok(ratio > 3 && ratio < 5, String(ratio));
});

test('random gives each node its share by chance, and the same seed the same choices', async () => {
  const counts = await spread('random', { count: 5, asks: 5000, width: 1, seed: 9 });
  // Chi-squared with 4 degrees of freedom: over 18.5 once in a thousand seeds.
  const chi = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  assert.ok(chi < 18.5, counts.join(' '));
  assert.deepEqual(await spread('random', { count: 5, asks: 5000, width: 1, seed: 9 }), counts);
  assert.notDeepEqual(await spread('random', { count: 5, asks: 5000, width: 1, seed: 10 }), counts);
});

test('latency-adaptive leaves a slow node to few calls, but does not forget it', async () => {
  const counts = await spread('latency', { count: 4, asks: 4000, width: 8, ms: [200, 10, 10, 10] });
  assert.ok(counts[0]! < 4000 * 0.05, counts.join(' '));
  assert.ok(counts[0]! > 0);
  assert.ok(Math.max(...counts.slice(1)) < 1.3 * Math.min(...counts.slice(1)), counts.join(' '));
});

test('the order of all nodes is complete, whatever the balancing', () => {
  const random = createSeededRandom(4);
  for (const balancing of ['round-robin', 'least-connections', 'random', 'latency'] as const) {
    const { policy, conditions } = createBench({ balancing, random });
    const rows = nodes(5);
    for (let ask = 0; ask < 50; ask++) {
      const order = policy.decide(rows, needs());
      assert.equal(new Set(order).size, 5);
      conditions.of(order[0]!.backend.name).begin();
    }
  }
});
