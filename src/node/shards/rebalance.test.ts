/** A node that lacks the bytes of blocks that it is to take: it fetches them first, and looks again when they are there. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import {
  createManualClock,
  createSeededRandom,
  KithError,
  resolveConfig,
  silentLogger,
} from '../../base/index.ts';
import type { ServedView } from '../../server/index.ts';
import type { BlockSpan, ServedBlocks } from '../../shards/index.ts';
import { startRebalancing } from './rebalance.ts';

const SHA = 'a'.repeat(64);
const served = (peer: string, from: number, to: number): ServedBlocks => ({
  ...{ peer, ranges: [{ from, to }], tokensPerSecond: 10 },
});

/** Serves blocks 0 to 3 of 12, as another does; nobody has the last four. */
async function swarmOf() {
  const home = await mkdtemp(join(tmpdir(), 'kith-rebalance-'));
  const clock = createManualClock();
  const others = [served('one', 0, 4), served('two', 4, 8)];
  const moves: BlockSpan[] = [];
  const fetched: BlockSpan[] = [];
  const onDisk: BlockSpan[] = [{ from: 0, to: 4 }];
  let answer: (error: Error | null) => void = () => {};
  const manifest = { id: 'm', sha256: SHA, blocks: 12, bytes: 12_000_000, embedding: 64, context: 256 };
  const own = {
    ...{ model: 'm', sha256: SHA, from: 0, to: 4, blocks: 12, auto: true, most: 4, state: 'ready' },
    ...{ tokenMs: 100, memory: { weightBytes: 4_000_000, kvBytes: 1_000_000 } },
  } as ServedView;
  const rebalancing = startRebalancing({
    ...{ clock, random: createSeededRandom(1), log: silentLogger, lookMs: 1000 },
    config: resolveConfig({ home, env: {}, flags: {} }).config,
    engine: { models: () => [], state: () => ({ pid: null }) } as never,
    models: {
      get: async () => ({ manifest, path: null, blocks: { spans: onDisk } }),
      holding: async () => null,
      tensorList: async () => null,
      ensureBlocks: (_id: string, { from, to }: BlockSpan) => {
        fetched.push({ from, to });
        return new Promise<void>((resolve, reject) => {
          answer = (error) => (error === null ? resolve() : reject(error));
        });
      },
    } as never,
    swarm: { peer: 'self', state: 'running', ping: async () => 1 },
    presence: { note: () => {} },
    othersOf: () => others,
    serving: {
      ranges: () => [own],
      move: async (_old, to) => void moves.push({ from: to.from, to: to.to }),
      swap: async () => assert.fail('both fit'),
    },
    limits: { turnMs: 2000 },
  });
  return {
    ...{ rebalancing, others, moves, fetched },
    has(error: Error | null = null) {
      if (error === null) onDisk.push(...fetched);
      answer(error);
    },
    decision: () => rebalancing.view().looks[0]?.decision,
    /** Lets time go by until it fits; what reads files in between takes its own. */
    async until(fits: () => boolean) {
      for (let i = 0; i < 20_000 && !fits(); i++) {
        await setImmediate();
        if (i % 20 === 19) await clock.advance(100);
      }
      assert.ok(fits(), JSON.stringify(rebalancing.view()));
    },
    async [Symbol.asyncDispose]() {
      answer(new KithError('aborted', 'Over.'));
      await rebalancing[Symbol.asyncDispose]();
      await rm(home, { recursive: true, force: true });
    },
  };
}

test('the bytes come first; then the move is made, when it is still worth it', async () => {
  await using swarm = await swarmOf();
  await swarm.until(() => swarm.decision() === 'fetch');
  assert.deepEqual([swarm.fetched, swarm.moves], [[{ from: 8, to: 12 }], []]);
  await swarm.until(() => /on their way/.test(swarm.rebalancing.view().looks[0]!.reasons.join()));
  swarm.has();
  await swarm.until(() => swarm.moves.length > 0);
  assert.deepEqual([swarm.fetched.length, swarm.moves], [1, [{ from: 8, to: 12 }]]);
  assert.equal(swarm.rebalancing.view().lastMove?.decision, 'move');
});

test('a gap that another closed while bytes came is left to him', async () => {
  await using swarm = await swarmOf();
  await swarm.until(() => swarm.fetched.length === 1);
  swarm.others.push(served('three', 8, 12));
  swarm.has();
  await swarm.until(() => swarm.decision() === 'stay');
  assert.deepEqual([swarm.fetched.length, swarm.moves], [1, []]);
});

test('bytes that cannot be had are asked for again after a while', async () => {
  await using swarm = await swarmOf();
  await swarm.until(() => swarm.fetched.length === 1);
  swarm.has(new KithError('blocks_unobtainable', 'Nobody has them.', { status: 502 }));
  await swarm.until(() => /could not be had/.test(swarm.rebalancing.view().looks[0]!.reasons.join()));
  await swarm.until(() => swarm.fetched.length === 2);
  assert.deepEqual(swarm.moves, []);
});
