/** Audits over real swarms and peers in processes: who alters rows is found and leaves the path, and nobody else is accused. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createSeededRandom, silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { createEngine } from '../../src/engine/index.ts';
import { type AuditorOptions, createAuditor, openPath, type Verdict } from '../../src/shards/index.ts';
import type { Swarm } from '../../src/swarm/index.ts';
import { swarmOnLoopback } from '../../src/swarm/testing/nodes.ts';
import { testModel } from '../models/index.ts';
import type { Lie } from '../shards/liar.ts';
import { forkShardPeer, type ShardPeer } from '../shards/peers.ts';

const MODEL = 'ad'.repeat(32);
const CELLS = 256;
const engine = createEngine({
  threads: 1,
  device: 'cpu',
  log: silentLogger,
  clock: systemClock,
  random: systemRandom,
});
const peers: ShardPeer[] = [];
let owner: Swarm;
let file = '';
let number = 500;

async function start(from: number, to: number, lie?: Lie, build = 'one'): Promise<ShardPeer> {
  const settings = { number: ++number, path: file, model: MODEL, from, to, context: 1024, build };
  const peer = await forkShardPeer({ ...settings, ...(lie !== undefined && { lie }) });
  peers.push(peer);
  return peer;
}

before(async () => {
  file = await testModel('stories15m-q8_0');
  await engine.load({ id: 'whole', path: file });
  owner = await swarmOnLoopback(500, { gate: { tierOf: () => 'trusted' } });
  for (const [from, to] of [
    [0, 3],
    [3, 6],
    [0, 3],
    [3, 6],
  ] as const)
    await start(from, to);
});
after(async () => {
  await owner[Symbol.asyncDispose]();
  for (const peer of peers) await peer.kill();
  await engine[Symbol.asyncDispose]();
});

async function answer(model: string, text: string): Promise<number[]> {
  const tokens: number[] = [];
  for await (const event of engine.generate({
    model,
    prompt: { kind: 'text', text },
    sampler: { temperature: 0, topLogprobs: 0 },
    maxTokens: 16,
    stop: [],
    cachePrompt: false,
  }))
    if (event.type === 'text') tokens.push(...event.logprobs!.map(({ token }) => token));
  return tokens;
}

/** A path through the shards, whose audits may ask `others`. */
async function audited(
  id: string,
  shards: readonly ShardPeer[],
  others: readonly ShardPeer[],
  changes: Partial<AuditorOptions> = {},
) {
  const verdicts: Verdict[] = [];
  const find = ({ from, to }: { from: number; to: number }, without: ReadonlySet<string>) =>
    others
      .map(({ offer }) => offer)
      .find((one) => one.from === from && one.to === to && !without.has(one.peer)) ?? null;
  const parts = { swarm: owner, model: MODEL, cells: CELLS, random: systemRandom, log: silentLogger };
  const auditor = createAuditor({
    ...parts,
    random: createSeededRandom(7),
    share: 1,
    second: async (span, without) => find(span, without),
    onVerdict: (verdict) => verdicts.push(verdict),
    ...changes,
  });
  const path = await openPath({
    ...parts,
    shards: shards.map(({ offer }) => offer),
    async substitute(span, lost) {
      const one = find(span, lost);
      return one === null ? null : [one];
    },
    observer: auditor.observer,
    clock: systemClock,
  });
  auditor.watch(path);
  await engine.load({ id, path: file, elsewhere: { from: 0, to: 6, kvCells: CELLS } }, { carry: path.carry });
  return {
    path,
    auditor,
    verdicts,
    async [Symbol.asyncDispose]() {
      await auditor[Symbol.asyncDispose]();
      await path[Symbol.asyncDispose]();
      await engine.unload(id);
    },
  };
}

const promptOf = (i: number) =>
  `The little robot number ${i} walked to the big house, and there it saw a `.repeat(2);

test('honest peers pass every audit, whatever builds they name, and the budget holds', async () => {
  const other = await start(3, 6, undefined, 'another');
  await using one = await audited('honest', peers.slice(0, 2), [peers[2]!, other]);
  // Whose audits are refused by peers that are busy has fewer.
  let asked = 0;
  while (one.verdicts.length < 6 && asked < 40) {
    await answer('honest', promptOf(asked++));
    await one.auditor.idle();
  }
  assert.ok(one.verdicts.length >= 6, `${one.verdicts.length} audits`);
  assert.deepEqual(new Set(one.verdicts.map(({ kind }) => kind)), new Set(['passed']));
  assert.equal(new Set(one.verdicts.flatMap((verdict) => verdict.peers)).size, 2);
  const { computed, audited: again } = one.auditor.figures;
  assert.ok(again <= computed + 5 * CELLS * 6, `${again} of ${computed} in ${asked} answers`);
});

// One step in ten is measured by bench/audits.ts: it takes more audits than a test has time for.
for (const lie of [
  { kind: 'noise', size: 0.01, share: 1 },
  { kind: 'scale', size: 0.01, share: 1 },
  { kind: 'noise', size: 0.01, share: 0.3 },
] as const)
  for (const build of ['one', 'made up'])
    if ((lie.kind === 'scale') === (build === 'made up'))
      test(`a shard that alters ${lie.share * 100} % of its steps by 1 % (${lie.kind}) as build "${build}" is found, and its place taken`, async () => {
        // Of a first shard every row is seen, of a last one those that were wanted.
        const isFirst = lie.share < 1;
        const bad = await (isFirst ? start(0, 3, lie, build) : start(3, 6, lie, build));
        const id = `${lie.kind} ${lie.share} ${build}`;
        await using one = await audited(
          id,
          isFirst ? [bad, peers[1]!] : [peers[0]!, bad],
          isFirst ? [peers[0]!, peers[2]!, peers[3]!] : peers.slice(1, 4),
        );
        let asked = 0;
        const found = () => one.verdicts.find(({ kind }) => kind === 'altered');
        // A share of 2 % of the rows finds it within 8,000 (equal builds) and 50,000 rows in 95 of 100 cases: bench/audits.ts.
        while (found() === undefined && asked < 200) {
          await answer(id, promptOf(asked++));
          await one.auditor.idle();
        }
        const verdict = found();
        const seen = one.verdicts.map((v) => `${v.kind} ${v.peers.length} ${v.rows} ${v.why}`);
        assert.ok(verdict !== undefined, `not found: ${seen.join('; ')}`);
        assert.deepEqual(verdict.peers, [bad.offer.peer]);
        assert.equal(verdict.by.length, 2);
        assert.ok(verdict.affected > 0);
        assert.match(verdict.evidence, /^[0-9a-f]{64}$/);
        console.log(`    found by audit ${one.verdicts.indexOf(verdict) + 1}: ${verdict.why}`);
        assert.deepEqual(await answer(id, promptOf(99)), await answer('whole', promptOf(99)));
        assert.ok(one.path.shards().every(({ peer }) => peer !== bad.offer.peer));
        // Others may be named beside it where two peers contradict each other and no third was asked in time.
        const accused = one.verdicts.filter(({ kind }) => kind === 'altered').flatMap((v) => v.peers);
        assert.deepEqual(new Set(accused), new Set([bad.offer.peer]), seen.join('; '));
        await bad.kill();
      });

test('where only one other peer has the blocks nobody is condemned, and both are named', async () => {
  const bad = await start(3, 6, { kind: 'scale', size: 0.01, share: 1 });
  await using one = await audited('two', [peers[0]!, bad], [peers[2]!, peers[3]!]);
  for (let i = 0; i < 40 && one.verdicts.every(({ kind }) => kind !== 'contested'); i++) {
    await answer('two', promptOf(i));
    await one.auditor.idle();
  }
  const contested = one.verdicts.find(({ kind }) => kind === 'contested');
  assert.deepEqual(new Set(contested?.peers), new Set([bad.offer.peer, peers[3]!.offer.peer]));
  assert.ok(one.verdicts.every(({ kind }) => kind === 'passed' || kind === 'contested'));
  await bad.kill();
});

test("this node's own copy of the blocks settles it alone", async () => {
  // Of equal builds, as those of peers on the same release mostly are.
  const build = 'one';
  const bad = await start(3, 6, { kind: 'noise', size: 0.01, share: 1 }, build);
  for (const [from, to] of [
    [0, 3],
    [3, 6],
  ] as const)
    await engine.load({ id: `own ${from}`, path: file, range: { from, to, embed: false, head: false } });
  await using one = await audited('own', [peers[0]!, bad], [peers[3]!], {
    own: ({ from }, cells) => engine.lease(`own ${from}`, cells),
    build: async () => build,
  });
  for (let i = 0; i < 40 && one.verdicts.every(({ kind }) => kind === 'passed'); i++) {
    await answer('own', promptOf(i));
    await one.auditor.idle();
  }
  const verdict = one.verdicts.find(({ kind }) => kind !== 'passed');
  assert.deepEqual([verdict?.kind, verdict?.peers, verdict?.by], ['altered', [bad.offer.peer], [null]]);
  await bad.kill();
});

test('a shard whose blocks nobody else serves any more is held against rows on which others agreed', async () => {
  const first = await start(3, 6, undefined, 'two');
  const bad = await start(3, 6, { kind: 'noise', size: 0.01, share: 1 }, 'made up');
  const asked = [peers[2]!, peers[3]!];
  await using one = await audited('canary', [peers[0]!, first], [bad, peers[3]!], {
    second: async ({ from, to }, without) =>
      asked.map(({ offer }) => offer).find((o) => o.from === from && o.to === to && !without.has(o.peer)) ??
      null,
  });
  for (let i = 0; i < 8; i++) {
    await answer('canary', promptOf(i));
    await one.auditor.idle();
  }
  assert.ok(one.verdicts.every(({ kind }) => kind === 'passed'));
  asked.length = 0;
  await first.kill();
  for (let i = 0; i < 200 && one.verdicts.every(({ kind }) => kind === 'passed'); i++) {
    await answer('canary', promptOf(20 + i));
    await one.auditor.idle();
  }
  const verdict = one.verdicts.find(({ kind }) => kind !== 'passed');
  assert.deepEqual([verdict?.kind, verdict?.peers], ['altered', [bad.offer.peer]]);
  // On the word of those who agreed on the rows.
  assert.deepEqual(new Set(verdict?.by), new Set([first.offer.peer, peers[3]!.offer.peer]));
  await bad.kill();
});
