/** A node with memory for its blocks alone: it gives them up before it takes others. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, test } from 'node:test';
import { coverage, homeWithModel, ranges, serve } from '../shards/covering-nodes.ts';
import { type SwarmNode, startSwarmNode, until } from '../swarm-support.ts';

const homes: string[] = [];
const nodes: SwarmNode[] = [];
after(async () => {
  await Promise.all(nodes.map(({ node }) => node.close()));
  await Promise.all(homes.map((home) => rm(home, { recursive: true, force: true })));
});

test('blocks that do not fit beside those that a node has take their place', {
  timeout: 120_000,
}, async () => {
  homes.push(...(await Promise.all([homeWithModel(), homeWithModel()])));
  nodes.push(...(await Promise.all(homes.map(startSwarmNode))));
  const [near, other] = nodes as [SwarmNode, SwarmNode];
  await other.call('POST', '/connect', { target: (await near.view()).addresses[0] });
  await serve(near.call, 5, 1);
  // 3 blocks of 2 MB with 512 cells of 1152 bytes each, beside the work space of the engine.
  const small = await homeWithModel({ 'engine.memoryBytes': (64 << 20) + 8_600_000 });
  homes.push(small);
  const tight = await startSwarmNode(small);
  nodes.push(tight);
  await tight.call('POST', '/connect', { target: (await near.view()).addresses[0] });
  await until(
    async () => (await coverage(tight.call)).models[0]!,
    ({ gaps }) => JSON.stringify(gaps) === '[[0,5]]',
  );
  await tight.call('POST', '/../shards/serving', { model: 'stories', auto: true });
  const [first] = (await until(
    () => ranges(tight.call),
    (served) => served.length === 1,
  )) as [[number, number]];
  assert.equal(first[1] - first[0], 3);
  await serve(other.call, first[0], 3);
  const all = await until(
    async () => [...(await ranges(tight.call)), ...(await ranges(other.call)), [5, 6]],
    (served) => [0, 1, 2, 3, 4].every((block) => served.some(([from, to]) => from! <= block && block < to!)),
  );
  assert.equal(all.length, 3);
});
