/** Answers that two paths compute, over peers in processes: a liar of one percent leaves, and a killed path costs no token. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { createEngine } from '../../src/engine/index.ts';
import type { ShardCandidate } from '../../src/shards/index.ts';
import type { Swarm } from '../../src/swarm/index.ts';
import { swarmOnLoopback } from '../../src/swarm/testing/nodes.ts';
import { testModel } from '../models/index.ts';
import type { Lie } from '../shards/liar.ts';
import { forkShardPeer, type ShardPeer } from '../shards/peers.ts';
import { twiceCircuits } from '../shards/twice-circuits.ts';

const MODEL = 'af'.repeat(32);
const engine = createEngine({
  ...{ threads: 1, device: 'cpu', log: silentLogger, clock: systemClock, random: systemRandom },
});
const peers: ShardPeer[] = [];
let owner: Swarm;
let file = '';
let number = 530;

interface Started extends ShardPeer {
  readonly candidate: ShardCandidate;
}

/** @param msPerBlock who is faster is on the first path */
async function start(from: number, msPerBlock: number, build: string, lie?: Lie): Promise<Started> {
  const settings = { number: ++number, path: file, model: MODEL, from, to: from + 3, context: 1024, build };
  const peer = await forkShardPeer({ ...settings, ...(lie !== undefined && { lie }) });
  peers.push(peer);
  return { ...peer, candidate: { ...peer.offer, msPerBlock, load: 0, rttMs: 1, freeCells: 4096 } };
}

const honest: Started[] = [];
before(async () => {
  file = await testModel('stories15m-q8_0');
  await engine.load({ id: 'whole', path: file });
  owner = await swarmOnLoopback(530, { gate: { tierOf: () => 'trusted' } });
  for (const [ms, build] of [
    [2, 'one'],
    [3, 'another'],
    [4, 'third'],
  ] as const)
    for (const from of [0, 3]) honest.push(await start(from, ms, build));
});
after(async () => {
  await owner[Symbol.asyncDispose]();
  for (const peer of peers) await peer.kill();
  await engine[Symbol.asyncDispose]();
});

async function answer(model: string, maxTokens: number, onToken: (count: number) => unknown = () => {}) {
  const tokens: number[] = [];
  for await (const event of engine.generate({
    ...{ model, maxTokens, stop: [], sampler: { temperature: 0, topLogprobs: 0 }, cachePrompt: false },
    prompt: {
      kind: 'text',
      text: 'Once upon a time, there was a little robot who liked to walk to the big house',
    },
  }))
    if (event.type === 'text') {
      tokens.push(...event.logprobs!.map(({ token }) => token));
      await onToken(tokens.length);
    }
  return tokens;
}
const over = (...among: readonly Started[]) =>
  twiceCircuits(
    { engine, owner, model: MODEL, file },
    among.map(({ candidate }) => candidate),
  );

for (const from of [0, 3])
  for (const build of ['one', 'made up'])
    test(`a shard of block ${from} on that alters all steps by 1 % as build "${build}" leaves in the first answers, and nobody else`, async () => {
      const bad = await start(from, 1, build, { kind: 'noise', size: 0.01, share: 1 });
      const { circuits, take, verdicts } = over(bad, ...honest);
      await using _ = circuits;
      using use = await take();
      assert.ok(use.view().shards.some(({ peer }) => peer === bad.offer.peer));
      for (let i = 0; i < 3 && verdicts.every(({ kind }) => kind !== 'altered'); i++)
        await answer(use.loaded.id, 24);
      const accused = verdicts.filter(({ kind }) => kind === 'altered' || kind === 'link');
      const told = verdicts.map(({ kind, why }) => `${kind}: ${why}`).join('; ');
      assert.deepEqual(
        accused.map(({ kind, peers: named }) => [kind, named]),
        [['altered', [bad.offer.peer]]],
        told,
      );
      // Of few rows a third that rounds otherwise cannot tell which of two is right.
      const open = verdicts.filter(({ kind }) => kind === 'contested');
      assert.ok(
        open.every(({ peers: named }) => named.includes(bad.offer.peer)),
        told,
      );
      const { shards, others = [] } = use.view();
      assert.ok([...shards, ...others].every(({ peer }) => peer !== bad.offer.peer));
      assert.deepEqual(await answer(use.loaded.id, 24), await answer('whole', 24));
      console.log(`    found after ${accused[0]!.affected} rows: ${accused[0]!.why}`);
      await bad.kill();
    });

test('both shards of the first path are killed in the middle, and the other path goes on', async () => {
  const first = [await start(0, 1, 'one'), await start(3, 1, 'one')];
  const { circuits, take, here } = over(...first, ...honest.slice(2, 4));
  await using _ = circuits;
  using use = await take();
  const tokens = await answer(use.loaded.id, 24, async (count) => {
    if (count !== 6) return;
    here.splice(0, 2);
    for (const one of first) await one.kill();
  });
  assert.deepEqual(tokens, await answer('whole', 24));
  assert.deepEqual(use.view().others, []);
  assert.ok(use.since().twice!.alone > 0);
});
