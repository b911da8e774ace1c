import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom } from '../../base/index.ts';
import { simulate } from './testing/simulation.ts';

const HOUR = 3_600_000;
/** Until the slowest of the nodes has its bytes. */
const DOWNLOADED = 12 * 60_000;

test('whoever comes, leaves or dies: gaps close by themselves, and nodes come to rest', () => {
  const node = fc.record({
    capacity: fc.integer({ min: 3, max: 8 }),
    msPerBlock: fc.integer({ min: 1, max: 20 }),
  });
  const event = fc.record({
    who: fc.nat(30),
    dies: fc.boolean(),
    joins: fc.boolean(),
    after: fc.nat(600_000),
  });
  const input = fc.record({
    seed: fc.integer(),
    blocks: fc.integer({ min: 2, max: 16 }),
    nodes: fc.array(node, { minLength: 1, maxLength: 16 }),
    events: fc.array(event, { maxLength: 8 }),
  });
  fc.assert(
    fc.property(input, ({ seed, blocks, nodes, events }) => {
      const swarm = simulate(blocks, createSeededRandom(seed));
      for (const { capacity, msPerBlock } of nodes) swarm.join(capacity, msPerBlock);
      swarm.run(60_000);
      for (const { who, dies, joins, after } of events) {
        const names = [...swarm.nodes.keys()];
        if (joins) swarm.join(3 + (who % 6), 1 + (who % 20));
        else if (names.length > 1) swarm.remove(names[who % names.length]!, dies);
        swarm.run(after);
      }
      const before = swarm.moves;
      swarm.run(12 * HOUR);
      const count = swarm.nodes.size;
      const moved = swarm.moves - before;
      assert.ok(moved <= 4 * (count + blocks), `${moved} moves of ${count} nodes`);
      const rest = swarm.moves;
      swarm.run(12 * HOUR);
      assert.equal(swarm.moves, rest, 'nodes went on moving');
      // Then some node has only blocks that others have too.
      const capacity = [...swarm.nodes.values()].reduce((sum, one) => sum + one.capacity, 0);
      if (capacity >= 3 * blocks && count > 2) assert.deepEqual(swarm.gaps(), []);
    }),
    { numRuns: 150 },
  );
});

test('when the only holder of a stretch dies, another takes it within minutes', () => {
  const swarm = simulate(12, createSeededRandom(7));
  for (let i = 0; i < 6; i++) swarm.join(4, 5);
  swarm.run(2 * HOUR);
  assert.deepEqual(swarm.gaps(), []);
  const [first, ...rest] = [...swarm.nodes.values()];
  const alike = [first!, ...rest].filter(({ span }) => span!.from === first!.span!.from);
  for (const { name } of alike) swarm.remove(name, true);
  assert.notDeepEqual(swarm.gaps(), []);
  swarm.run(5 * 60_000);
  assert.deepEqual(swarm.gaps(), []);
});

test('downloads that take longer than a turn let hardly ever two nodes take the same blocks', () => {
  let gaps = 0;
  let doubled = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const random = createSeededRandom(seed);
    const swarm = simulate(12, random);
    // Each third of the model twice: one move closes the gap, and a second one would be of no use.
    for (let i = 0; i < 6; i++) swarm.join(4, 5, 40_000 + Math.floor(400_000 * random.float()));
    swarm.run(3 * HOUR);
    assert.deepEqual(swarm.gaps(), []);
    const [first] = swarm.nodes.values();
    const lost = [...swarm.nodes.values()].filter(({ span }) => span!.from === first!.span!.from);
    for (const { name } of lost) swarm.remove(name, true);
    const before = swarm.moves;
    swarm.run(DOWNLOADED);
    assert.deepEqual(swarm.gaps(), [], `seed ${seed}`);
    gaps++;
    if (swarm.moves - before > 1) doubled++;
  }
  assert.ok(doubled <= gaps / 10, `${doubled} of ${gaps} gaps were closed by several nodes`);
});
