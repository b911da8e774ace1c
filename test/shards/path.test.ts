/** A path over real swarms and a real engine: the tokens of the whole, whatever happens to its shards. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { createEngine, type GenerateRequest } from '../../src/engine/index.ts';
import { openPath, type Path, type PathEvent, type ShardOffer, serveShards } from '../../src/shards/index.ts';
import type { Swarm } from '../../src/swarm/index.ts';
import { swarmOnLoopback } from '../../src/swarm/testing/nodes.ts';
import { testModel } from '../models/index.ts';

const MODEL = 'ab'.repeat(32);
const CELLS = 256;
const engine = createEngine({
  threads: 1,
  device: 'cpu',
  log: silentLogger,
  clock: systemClock,
  random: systemRandom,
});
const gate = { tierOf: () => 'trusted' as const };
let owner: Swarm;
/** Two nodes for each half of the model. */
let peers: { swarm: Swarm; offer: ShardOffer }[] = [];
let last = 60;

async function startPeer(from: number, to: number): Promise<(typeof peers)[number]> {
  const swarm = await swarmOnLoopback(++last, { gate });
  serveShards({
    swarm,
    engine,
    shards: () => [{ model: MODEL, from, to, id: `blocks ${from}-${to}`, width: 288 }],
    admit: () => {},
    log: silentLogger,
  });
  return { swarm, offer: { peer: swarm.peer, addresses: swarm.addresses, from, to } };
}

before(async () => {
  const path = await testModel('stories15m-f16');
  await engine.load({ id: 'whole', path });
  for (const [from, to] of [
    [0, 3],
    [3, 6],
  ] as const)
    await engine.load({ id: `blocks ${from}-${to}`, path, range: { from, to, embed: false, head: false } });
  owner = await swarmOnLoopback(60, { gate });
  peers = [await startPeer(0, 3), await startPeer(3, 6)];
});
after(async () => {
  await owner[Symbol.asyncDispose]();
  for (const { swarm } of peers) await swarm[Symbol.asyncDispose]();
  await engine[Symbol.asyncDispose]();
});

async function answer(
  model: string,
  request: Partial<GenerateRequest> = {},
  onToken: (count: number) => void | Promise<void> = () => {},
): Promise<number[]> {
  const tokens: number[] = [];
  for await (const event of engine.generate({
    model,
    prompt: { kind: 'text', text: 'Once upon a time, there was a little robot who' },
    sampler: { temperature: 0, topLogprobs: 0 },
    maxTokens: 24,
    stop: [],
    ...request,
  }))
    if (event.type === 'text') {
      tokens.push(...event.logprobs!.map(({ token }) => token));
      await onToken(tokens.length);
    }
  return tokens;
}

/** A model `id` of this node whose blocks are all on the path. */
async function overPath(id: string, events: PathEvent[] = []): Promise<Path> {
  const path = await openPath({
    swarm: owner,
    model: MODEL,
    shards: peers.slice(0, 2).map(({ offer }) => offer),
    cells: CELLS,
    type: 'f32',
    substitute: async ({ from, to }, lost) =>
      peers
        .map(({ offer }) => offer)
        .find((one) => one.from === from && one.to === to && !lost.has(one.peer)) ?? null,
    onEvent: (event) => events.push(event),
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
  });
  const file = await testModel('stories15m-f16');
  const elsewhere = { from: 0, to: 6, kvCells: CELLS };
  await engine.load({ id, path: file, elsewhere }, { carry: path.carry });
  return path;
}

const sampled = { sampler: { temperature: 0.9, seed: 3, topLogprobs: 0 } };

test('answers over two peers have the tokens of the whole, greedy, sampled, and several at once', async () => {
  await using path = await overPath('over');
  assert.equal(path.width, 288);
  assert.deepEqual(await answer('over'), await answer('whole'));
  assert.deepEqual(await answer('over', sampled), await answer('whole', sampled));
  const long = {
    prompt: { kind: 'text' as const, text: 'The little robot walked to the big house. '.repeat(18) },
  };
  assert.deepEqual(await answer('over', long), await answer('whole', long));
  const some = await Promise.all([answer('over'), answer('over', sampled), answer('over')]);
  assert.deepEqual(some[0], some[2]);
});

for (const [place, which] of ['first', 'last'].entries()) {
  test(`the ${which} shard dies in mid-answer: another takes its place and no token changes`, async () => {
    const events: PathEvent[] = [];
    await using path = await overPath(`dies ${which}`, events);
    const victim = peers[place]!;
    peers.push(await startPeer(victim.offer.from, victim.offer.to));
    const tokens = await answer(`dies ${which}`, {}, async (count) => {
      if (count === 10) await victim.swarm[Symbol.asyncDispose]();
    });
    assert.deepEqual(tokens, await answer('whole'));
    assert.deepEqual(
      events.map(({ type }) => type),
      ['lost', 'joined', 'recovered'],
    );
    assert.equal(path.shards()[place]!.peer, peers.at(-1)!.swarm.peer);
    // The path goes on with what it has.
    assert.deepEqual(await answer(`dies ${which}`, sampled), await answer('whole', sampled));
    peers[place] = peers.pop()!;
  });
}

test('both shards die at once: two others take their places', async () => {
  const events: PathEvent[] = [];
  await using path = await overPath('both', events);
  const victims = peers.slice(0, 2);
  const others = [await startPeer(0, 3), await startPeer(3, 6)];
  peers.push(...others);
  const tokens = await answer('both', {}, async (count) => {
    if (count === 12) for (const { swarm } of victims) await swarm[Symbol.asyncDispose]();
  });
  assert.deepEqual(tokens, await answer('whole'));
  assert.deepEqual(
    path.shards().map(({ peer }) => peer),
    others.map(({ swarm }) => swarm.peer),
  );
  peers = others;
});

test('nobody can take the place: the answer ends with what there is and a clear error', async () => {
  const events: PathEvent[] = [];
  await using path = await overPath('lost', events);
  const victim = peers[0]!;
  const tokens: number[] = [];
  await assert.rejects(
    answer('lost', {}, async (count) => {
      tokens.push(count);
      if (count === 9) await victim.swarm[Symbol.asyncDispose]();
    }),
    { code: 'path_lost', status: 503 },
  );
  assert.ok(tokens.length >= 9);
  assert.equal(path.closed, true);
  peers[0] = await startPeer(0, 3);
});
