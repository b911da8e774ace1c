/**
 * Peers of a path are killed (kill -9) and frozen (SIGSTOP) at random moments of an answer. Each answer must be the one of
 * the whole model, token by token. Prints how long the pauses were.
 *
 * @module test/long/shards-kill
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createSeededRandom, silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { createEngine } from '../../src/engine/index.ts';
import { openPath, type PathEvent } from '../../src/shards/index.ts';
import type { Swarm } from '../../src/swarm/index.ts';
import { swarmOnLoopback } from '../../src/swarm/testing/nodes.ts';
import { testModel } from '../models/index.ts';
import { forkShardPeer, type ShardPeer } from '../shards/peers.ts';

const MODEL = 'cd'.repeat(32);
const RUNS = Number(process.env.KITH_TEST_KILLS ?? 20);
const TOKENS = 60;
const SPANS = [
  { from: 0, to: 3 },
  { from: 3, to: 6 },
] as const;
const random = createSeededRandom(Number(process.env.KITH_TEST_SEED ?? 1));
const engine = createEngine({
  threads: 1,
  device: 'cpu',
  context: 256,
  log: silentLogger,
  clock: systemClock,
  random: systemRandom,
});
let owner: Swarm;
let file: string;
let started = 100;
/** By place: the one in use, and one that waits. */
const places: ShardPeer[][] = [[], []];

async function fill(): Promise<void> {
  for (const [place, span] of SPANS.entries())
    while (places[place]!.length < 2)
      places[place]!.push(
        await forkShardPeer({ ...span, number: ++started % 250, path: file, model: MODEL, context: 256 }),
      );
}

before(async () => {
  file = await testModel('stories15m-f16');
  owner = await swarmOnLoopback(99, { gate: { tierOf: () => 'trusted' } });
  await engine.load({ id: 'whole', path: file });
  await fill();
});
after(async () => {
  await owner[Symbol.asyncDispose]();
  for (const peer of places.flat()) await peer.kill();
  await engine[Symbol.asyncDispose]();
});

async function answer(model: string, seed: number, onToken: (count: number) => void = () => {}) {
  const tokens: number[] = [];
  let last = performance.now();
  let pause = 0;
  for await (const event of engine.generate({
    model,
    prompt: { kind: 'text', text: 'Once upon a time, there was a little robot who' },
    sampler: { temperature: 0.8, seed, topLogprobs: 0 },
    maxTokens: TOKENS,
    stop: [],
    cachePrompt: false,
  }))
    if (event.type === 'text') {
      const now = performance.now();
      if (tokens.length > 0) pause = Math.max(pause, now - last);
      last = now;
      tokens.push(...event.logprobs!.map(({ token }) => token));
      onToken(tokens.length);
    }
  return { tokens, pause };
}

for (const signal of ['SIGKILL', 'SIGSTOP'] as const)
  for (const [place, which] of ['first', 'last'].entries())
    test(`${signal} of the ${which} shard at ${RUNS} random moments: every answer is whole and the same`, async () => {
      const pauses: number[] = [];
      for (let run = 0; run < RUNS; run++) {
        await fill();
        const events: PathEvent[] = [];
        await using path = await openPath({
          swarm: owner,
          model: MODEL,
          shards: places.map((peers) => peers[0]!.offer),
          cells: 256,
          type: 'f32',
          limits: { stallMs: 1000, probeMs: 1000 },
          substitute: async ({ from }, lost) =>
            places[from === 0 ? 0 : 1]!.map(({ offer }) => offer)
              .filter((one) => !lost.has(one.peer))
              .slice(0, 1),
          onEvent: (event) => events.push(event),
          clock: systemClock,
          random: systemRandom,
          log: silentLogger,
        });
        const elsewhere = { from: 0, to: 6, kvCells: 256 };
        await engine.load({ id: 'path', path: file, elsewhere }, { carry: path.carry });
        const victim = places[place]!.shift()!;
        const moment = 1 + (random.uint32() % (TOKENS - 2));
        const { tokens, pause } = await answer('path', run, (count) => {
          if (count === moment) victim.child.kill(signal);
        });
        const { tokens: expected } = await answer('whole', run);
        assert.deepEqual(tokens, expected, `run ${run}, at token ${moment}`);
        if (tokens.length > moment + 1)
          assert.ok(
            events.some(({ type }) => type === 'recovered'),
            JSON.stringify(events),
          );
        pauses.push(pause);
        await victim.kill();
        await engine.unload('path');
      }
      pauses.sort((a, b) => a - b);
      const median = pauses[Math.floor(pauses.length / 2)]!;
      console.log(
        `${signal} of the ${which}: pause median ${median.toFixed(0)} ms, worst ${pauses.at(-1)!.toFixed(0)} ms`,
      );
    });

for (const signal of ['SIGKILL', 'SIGSTOP'] as const)
  for (const whom of ['leaves', 'takes over'] as const)
    test(`${signal} of the one that ${whom}, while KV rows move, at ${RUNS} random moments: every answer is whole and the same`, async () => {
      const pauses: number[] = [];
      for (let run = 0; run < RUNS; run++) {
        await fill();
        await using path = await openPath({
          swarm: owner,
          model: MODEL,
          shards: places.map((peers) => peers[0]!.offer),
          cells: 256,
          limits: { stallMs: 1000, probeMs: 1000 },
          substitute: async ({ from }, lost) =>
            places[from === 0 ? 0 : 1]!.map(({ offer }) => offer)
              .filter((one) => !lost.has(one.peer))
              .slice(0, 1),
          clock: systemClock,
          random: systemRandom,
          log: silentLogger,
        });
        const elsewhere = { from: 0, to: 6, kvCells: 256 };
        await engine.load({ id: 'path', path: file, elsewhere }, { carry: path.carry });
        const place = run % 2;
        const [old, next] = places[place] as [ShardPeer, ShardPeer];
        const victim = whom === 'leaves' ? old : next;
        const moment = 1 + (random.uint32() % (TOKENS - 2));
        const within = random.uint32() % 25;
        let moving: Promise<unknown> = Promise.resolve();
        const { tokens, pause } = await answer('path', run, (count) => {
          if (count !== moment) return;
          moving = path.move(place, next.offer).catch(() => false);
          setTimeout(() => victim.child.kill(signal), within);
        });
        const { tokens: expected } = await answer('whole', run);
        assert.deepEqual(tokens, expected, `run ${run}, at token ${moment}, ${within} ms after`);
        pauses.push(pause);
        places[place] = [old, next].filter((one) => one !== victim);
        await victim.kill();
        await moving;
        await engine.unload('path');
      }
      pauses.sort((a, b) => a - b);
      const median = pauses[Math.floor(pauses.length / 2)]!;
      console.log(
        `${signal} of the one that ${whom}: pause median ${median.toFixed(0)} ms, worst ${pauses.at(-1)!.toFixed(0)} ms`,
      );
    });
