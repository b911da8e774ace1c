/** Nodes that serve parts of a model: what they tell of it, and a node that takes the blocks of one that was killed. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import type { CoverageListView, ServedView, ServingView, SwarmView } from '../../src/server/index.ts';
import { type SwarmNode, startSwarmNode, until } from '../swarm-support.ts';
import {
  type Call,
  coverage,
  homeWithModel,
  kith,
  type NodeProcess,
  nodeInProcess,
  ranges,
  serve,
} from './covering-nodes.ts';

const homes: string[] = [];
let near: SwarmNode;
let moving: SwarmNode;
let child: NodeProcess;
let killed: Call;

before(async () => {
  const [a, b, c] = await Promise.all([homeWithModel(), homeWithModel(), homeWithModel()]);
  homes.push(a, b, c);
  [near, moving, child] = await Promise.all([startSwarmNode(a), startSwarmNode(b), nodeInProcess(c)]);
  killed = child.call;
  const { addresses } = await near.view();
  for (const call of [moving.call, killed]) await call('POST', '/connect', { target: addresses[0] });
});
after(async () => {
  child.kill();
  await Promise.all([near, moving].map(({ node }) => node.close()));
  await Promise.all(homes.map((home) => rm(home, { recursive: true, force: true })));
});

test('blocks of a killed node are taken by one that chose its own by itself', {
  timeout: 60_000,
}, async () => {
  const nothing = (await coverage(near.call, '&propose=true')).models[0]!;
  assert.deepEqual([nothing.blocks, nothing.blocksFrom, nothing.gaps], [6, 'model', [[0, 6]]]);
  assert.deepEqual(nothing.proposal?.blocks, [0, 6]);
  assert.match(nothing.proposal!.command!, /^kith shard serve --model stories --start-block 0 --blocks 6$/);
  const missing = await kith(near, 'gap', 'stories', '--json');
  assert.equal(missing.code, 1, missing.err);
  assert.deepEqual((JSON.parse(missing.out) as CoverageListView).models[0]!.gaps, [[0, 6]]);

  await Promise.all([serve(near.call, 5, 1), serve(killed, 2, 3)]);
  await until(
    async () => (await coverage(moving.call)).models[0]!,
    ({ gaps }) => JSON.stringify(gaps) === '[[0,2]]',
  );
  const chosen = await moving.call<ServedView>('POST', '/../shards/serving', {
    model: 'stories',
    auto: true,
  });
  assert.equal(chosen.from, 0);
  const whole = await until(
    async () => (await coverage(moving.call)).models[0]!,
    ({ gaps, peers }) => gaps.length === 0 && peers.length === 3,
  );
  const { peer } = await killed<SwarmView>('GET', '');
  const holder = whole.peers.find((one) => one.peer === peer)!;
  assert.deepEqual([holder.blocks, holder.usable, holder.state], [[[2, 5]], true, 'online']);
  assert.ok(holder.tokensPerSecond! > 0 && holder.freeCells > 0);

  const drawn = await kith(near, 'chain', 'stories');
  assert.equal(drawn.code, 0, drawn.err);
  assert.match(drawn.out, /^stories F16, 6 blocks\n/);
  assert.match(drawn.out, new RegExp(`··███· +2-4 +${peer} +unknown .* yes\n`));
  assert.match(drawn.out, /·····█ +5 +\S+ \(this node\)/);
  assert.match(drawn.out, /Every block is served\. The weakest: /);
  assert.equal((await kith(moving, 'gap')).code, 0);

  const { rebalancing } = await until(
    () => moving.call<ServingView>('GET', '/../shards/serving'),
    (view) => view.rebalancing?.looks.length === 1,
  );
  const [look] = rebalancing!.looks;
  assert.deepEqual([look!.model, look!.from], ['stories', 0]);
  assert.ok(look!.reasons.length > 0 && rebalancing!.nextLookMs <= 400, JSON.stringify(rebalancing));
  assert.match(
    (await kith(moving, 'status')).out,
    /stories: the node (stays with|would take|takes) blocks .* It looks again in /,
  );

  child.kill();
  const gone = await until(
    async () => (await coverage(near.call)).models[0]!.peers.find((one) => one.peer === peer)!,
    ({ usable }) => !usable,
  );
  assert.match(gone.reason!, /^Its connection broke \d+ s ago, and it does not answer since\.$/);
  await until(
    () => ranges(moving.call),
    (served) => [2, 3, 4].every((block) => served.some(([from, to]) => from! <= block && block < to!)),
  );
  // What it had before is not given up for that.
  const [[from]] = (await ranges(moving.call)) as [[number, number]];
  assert.equal(from, 0);
  const { rebalancing: late } = await moving.call<ServingView>('GET', '/../shards/serving');
  const { decision, from: before, wanted } = late!.lastMove!;
  assert.deepEqual([decision, before], ['move', 0]);
  assert.ok(wanted!.to >= 5, JSON.stringify(wanted));
  assert.match((await kith(moving, 'status')).out, /ago it went from blocks 0-\d to 0-\d of stories: .*\./);
});
