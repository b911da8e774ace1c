/** Circuits whose every step two paths compute, over real swarms: what a liar alters is found before it is given. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { createEngine } from '../../src/engine/index.ts';
import { type CircuitsOptions, type ShardCandidate, serveShards } from '../../src/shards/index.ts';
import type { Swarm } from '../../src/swarm/index.ts';
import { swarmOnLoopback } from '../../src/swarm/testing/nodes.ts';
import { testModel } from '../models/index.ts';
import { liar } from './liar.ts';
import { twiceCircuits } from './twice-circuits.ts';

const HASH = 'ce'.repeat(32);
const engine = createEngine({
  ...{ threads: 1, device: 'cpu', log: silentLogger, clock: systemClock, random: systemRandom },
});
const gate = { tierOf: () => 'trusted' as const };

interface Peer {
  readonly swarm: Swarm;
  readonly candidate: ShardCandidate;
  /** In `share` of its steps it alters its rows. */
  readonly lie: { kind: 'noise'; size: number; share: number };
}
const peers: Peer[] = [];
let owner: Swarm;
let file = '';
let whole: number[];

/** @param msPerBlock who is faster is on the first path */
async function startPeer(from: number, to: number, msPerBlock: number): Promise<Peer> {
  const swarm = await swarmOnLoopback(901 + peers.length, { gate });
  const lie = { kind: 'noise' as const, size: 0.3, share: 0 };
  serveShards({
    ...{ swarm, engine: liar(engine, lie), admit: () => undefined, log: silentLogger },
    shards: () => [{ model: HASH, from, to, id: `blocks ${from}-${to}`, width: 288 }],
    build: async () => 'one',
  });
  const { peer, addresses } = swarm;
  const candidate = { peer, addresses, from, to, msPerBlock, load: 0, rttMs: 1, freeCells: 4096 };
  const one = { swarm, lie, candidate };
  peers.push(one);
  return one;
}

before(async () => {
  file = await testModel('stories15m-f16');
  await engine.load({ id: 'whole', path: file });
  for (const [from, to] of [
    [0, 3],
    [3, 6],
    [0, 6],
  ] as const)
    await engine.load({
      id: `blocks ${from}-${to}`,
      path: file,
      range: { from, to, embed: false, head: false },
    });
  owner = await swarmOnLoopback(900, { gate });
  // The first path, the second, and who settles.
  await startPeer(0, 3, 1);
  await startPeer(3, 6, 1);
  await startPeer(0, 6, 2);
  await startPeer(0, 6, 3);
  whole = await answer('whole');
});
after(async () => {
  await owner[Symbol.asyncDispose]();
  for (const { swarm } of peers) await swarm[Symbol.asyncDispose]();
  await engine[Symbol.asyncDispose]();
});

async function answer(model: string, onToken: (count: number) => void | Promise<void> = () => {}) {
  const tokens: number[] = [];
  for await (const event of engine.generate({
    ...{ model, maxTokens: 12, stop: [], sampler: { temperature: 0, topLogprobs: 0 } },
    prompt: { kind: 'text', text: 'Once upon a time, there was a little robot who liked to' },
    cachePrompt: false,
  }))
    if (event.type === 'text') {
      tokens.push(...event.logprobs!.map(({ token }) => token));
      await onToken(tokens.length);
    }
  return tokens;
}

/** Circuits over the peers of these numbers, two paths each. */
const circuitsOver = (among: readonly number[], more: Partial<CircuitsOptions> = {}) =>
  twiceCircuits(
    { engine, owner, model: HASH, file },
    among.map((k) => peers[k]!.candidate),
    more,
  );

const numbersOf = (shards: readonly { readonly peer: string }[] = []) =>
  shards.map(({ peer }) => peers.findIndex(({ candidate }) => candidate.peer === peer));

test('every step is computed by two peers, and honest ones give the tokens of the whole model', async () => {
  const { circuits, take, verdicts } = circuitsOver([0, 1, 2]);
  await using _ = circuits;
  using use = await take();
  assert.deepEqual(await answer(use.loaded.id), whole);
  const { shards, others } = use.view();
  assert.deepEqual([numbersOf(shards), numbersOf(others)], [[0, 1], [2]]);
  const { steps, twice } = use.since();
  assert.deepEqual(twice, { compared: steps, alone: 0, unsettled: 0 });
  assert.deepEqual(verdicts, []);
});

for (const [who, wrong] of [
  ['last shard of the first path', 1],
  ['second path', 2],
] as const)
  test(`when the ${who} begins to lie in the middle it leaves before its rows are given`, async () => {
    const { circuits, take, verdicts } = circuitsOver([0, 1, 2, 3]);
    await using _ = circuits;
    using use = await take();
    const { lie, candidate } = peers[wrong]!;
    const tokens = await answer(use.loaded.id, (count) => {
      if (count === 4) lie.share = 1;
    });
    lie.share = 0;
    assert.deepEqual(tokens, whole);
    const accused = verdicts.filter(({ kind }) => kind !== 'passed');
    assert.deepEqual(
      accused.map(({ kind, peers: named }) => [kind, named]),
      [['altered', [candidate.peer]]],
    );
    const { shards, others = [] } = use.view();
    assert.ok(!numbersOf([...shards, ...others]).includes(wrong));
    assert.equal(use.since().twice?.unsettled, 0);
  });

test('where nobody else can settle it nobody is condemned, and the figures say so', async () => {
  const { circuits, take, verdicts } = circuitsOver([0, 1, 2]);
  await using _ = circuits;
  using use = await take();
  await answer(use.loaded.id, (count) => {
    if (count === 4) peers[2]!.lie.share = 1;
  });
  peers[2]!.lie.share = 0;
  assert.deepEqual(numbersOf(use.view().shards), [0, 1]);
  assert.ok(use.since().twice!.unsettled > 0);
  assert.ok(verdicts.every(({ kind }) => kind === 'passed' || kind === 'contested'));
});

test("this node's own copy settles it alone, and without others an answer is computed once until they come", async () => {
  const { circuits, take, verdicts, here } = circuitsOver([0, 1], {
    audit: {
      ...{ share: 0, onVerdict: () => {}, build: async () => 'one' },
      own: (_model, span, cells) => engine.lease('blocks 0-6', cells, { span }),
    },
  });
  await using _ = circuits;
  {
    using alone = await take();
    assert.deepEqual(await answer(alone.loaded.id), whole);
    const { steps, twice } = alone.since();
    assert.deepEqual([alone.view().others, twice], [[], { compared: 0, alone: steps, unsettled: 0 }]);
  }
  here.push(peers[2]!.candidate);
  using use = await take();
  assert.deepEqual(numbersOf(use.view().others), [2]);
  const tokens = await answer(use.loaded.id, (count) => {
    if (count === 4) peers[2]!.lie.share = 1;
  });
  peers[2]!.lie.share = 0;
  assert.deepEqual(tokens, whole);
  const wrong = verdicts.filter(({ kind }) => kind !== 'passed');
  assert.deepEqual(
    wrong.map(({ kind, by, peers: named }) => [kind, by, named]),
    [['altered', [null], [peers[2]!.candidate.peer]]],
  );
});
