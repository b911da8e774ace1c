/** Circuits whose every step two paths compute, over real swarms: what a liar alters is found before it is given. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { createEngine } from '../../src/engine/index.ts';
import {
  type CircuitsOptions,
  openCircuits,
  planPath,
  planSecond,
  planSubstitute,
  type ShardCandidate,
  serveShards,
  type Verdict,
} from '../../src/shards/index.ts';
import type { Swarm } from '../../src/swarm/index.ts';
import { swarmOnLoopback } from '../../src/swarm/testing/nodes.ts';
import { testModel } from '../models/index.ts';
import { liar } from './liar.ts';

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
  ] as const)
    await engine.load({
      id: `blocks ${from}-${to}`,
      path: file,
      range: { from, to, embed: false, head: false },
    });
  owner = await swarmOnLoopback(900, { gate });
  // The first path, the second, and who settles.
  for (const ms of [1, 2, 3]) for (const from of [0, 3]) await startPeer(from, from + 3, ms);
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
function circuitsOver(among: readonly number[], more: Partial<CircuitsOptions> = {}) {
  const verdicts: Verdict[] = [];
  const here = [...among];
  const free = (without: ReadonlySet<string> = new Set()) =>
    here.map((k) => peers[k]!.candidate).filter(({ peer }) => !without.has(peer));
  const circuits = openCircuits({
    ...{ engine, swarm: owner, redundancy: 2, limits: { lookMs: 0 } },
    choose({ span, cells, via, exclude }) {
      const named = via?.flatMap(({ peer }) => free().filter((one) => one.peer === peer)) ?? free(exclude);
      return { plan: planPath({ span, cells }, named), leftOut: [] };
    },
    substitute: ({ cells }, span, lost) => planSubstitute({ span, cells }, free(), lost),
    second: ({ cells }, span, without) => planSecond({ span, cells }, free(), without),
    unmet: () => null,
    audit: { share: 0, onVerdict: (verdict) => verdicts.push(verdict) },
    ...{ clock: systemClock, random: systemRandom, log: silentLogger },
    ...more,
  });
  const model = {
    id: 'stories',
    sha256: HASH,
    blocks: 6,
    context: 256,
    template: null,
    ends: async () => file,
  };
  const take = () =>
    circuits.take(
      { model, requirements: {}, own: 0, cells: 256, name: null, conversation: null },
      new AbortController().signal,
    );
  return { circuits, verdicts, take, here };
}

const numbersOf = (shards: readonly { readonly peer: string }[] = []) =>
  shards.map(({ peer }) => peers.findIndex(({ candidate }) => candidate.peer === peer));

test('every step is computed by two peers for each range, and honest ones give the tokens of the whole model', async () => {
  const { circuits, take, verdicts } = circuitsOver([0, 1, 2, 3]);
  await using _ = circuits;
  using use = await take();
  assert.deepEqual(await answer(use.loaded.id), whole);
  const { shards, others } = use.view();
  assert.deepEqual(
    [numbersOf(shards), numbersOf(others)],
    [
      [0, 1],
      [2, 3],
    ],
  );
  const { steps, twice } = use.since();
  assert.deepEqual(twice, { compared: steps, alone: 0, unsettled: 0 });
  assert.deepEqual(verdicts, []);
});

for (const [who, wrong] of [
  ['first shard of the first path', 0],
  ['last shard of the first path', 1],
  ['last shard of the second path', 3],
] as const)
  test(`when the ${who} begins to lie in the middle it leaves before its rows are given`, async () => {
    const { circuits, take, verdicts } = circuitsOver([0, 1, 2, 3, 4, 5]);
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
    assert.equal(others.length, 2);
    assert.equal(use.since().twice?.unsettled, 0);
  });

test('where nobody else can settle it nobody is condemned, and the figures say so', async () => {
  const { circuits, take, verdicts } = circuitsOver([0, 1, 2, 3]);
  await using _ = circuits;
  using use = await take();
  await answer(use.loaded.id, (count) => {
    if (count === 4) peers[3]!.lie.share = 1;
  });
  peers[3]!.lie.share = 0;
  assert.deepEqual(numbersOf(use.view().shards), [0, 1]);
  assert.ok(use.since().twice!.unsettled > 0);
  assert.ok(verdicts.every(({ kind }) => kind === 'passed' || kind === 'contested'));
});

test("this node's own copy settles it alone", async () => {
  const verdicts: Verdict[] = [];
  const { circuits, take } = circuitsOver([0, 1, 2, 3], {
    audit: {
      ...{ share: 0, onVerdict: (verdict) => verdicts.push(verdict), build: async () => 'one' },
      own: (_model, { from, to }, cells) => engine.lease(`blocks ${from}-${to}`, cells),
    },
  });
  await using _ = circuits;
  using use = await take();
  const tokens = await answer(use.loaded.id, (count) => {
    if (count === 4) peers[0]!.lie.share = 1;
  });
  peers[0]!.lie.share = 0;
  assert.deepEqual(tokens, whole);
  const wrong = verdicts.filter(({ kind }) => kind !== 'passed');
  assert.deepEqual([wrong[0]?.kind, wrong[0]?.by], ['altered', [null]]);
  assert.deepEqual(numbersOf(wrong[0]?.peers.map((peer) => ({ peer }))), [0]);
});

test('when one of the two paths is lost the answer goes on over the other, and is said to be computed once', async () => {
  const extra = [await startPeer(0, 3, 0.5), await startPeer(3, 6, 0.5)];
  const numbers = extra.map((one) => peers.indexOf(one));
  const { circuits, take, here } = circuitsOver([...numbers, 2, 3]);
  await using _ = circuits;
  using use = await take();
  assert.deepEqual(numbersOf(use.view().shards), numbers);
  const tokens = await answer(use.loaded.id, async (count) => {
    if (count !== 4) return;
    here.splice(0, 2);
    await extra[0]!.swarm[Symbol.asyncDispose]();
  });
  assert.deepEqual(tokens, whole);
  assert.deepEqual([numbersOf(use.view().shards), use.view().others], [[2, 3], []]);
  const { steps, twice } = use.since();
  assert.ok(twice!.alone > 0 && twice!.compared > 0);
  assert.equal(twice!.alone + twice!.compared, steps);
});

test('without others an answer is computed once and says so; when others have come the next one is computed twice', async () => {
  const { circuits, take, here } = circuitsOver([0, 1]);
  await using _ = circuits;
  {
    using use = await take();
    assert.deepEqual(await answer(use.loaded.id), whole);
    const { steps, twice } = use.since();
    assert.deepEqual([use.view().others, twice], [[], { compared: 0, alone: steps, unsettled: 0 }]);
  }
  here.push(2, 3);
  using use = await take();
  assert.deepEqual(numbersOf(use.view().others), [2, 3]);
});
