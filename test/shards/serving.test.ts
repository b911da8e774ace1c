/** A node that serves blocks to a friend: through a real node, its settings and its announcements. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import {
  createSeededRandom,
  isKithError,
  silentLogger,
  systemClock,
  systemRandom,
} from '../../src/base/index.ts';
import { createEngine } from '../../src/engine/index.ts';
import { createIdentity } from '../../src/identity/index.ts';
import { createModelStore } from '../../src/models/index.ts';
import type { FindView, ServedView, ServingView } from '../../src/server/index.ts';
import { openPath, type Path } from '../../src/shards/index.ts';
import { EXACT, encodeOpening, type Opening, SHARD_METHOD } from '../../src/shards/wire/messages.ts';
import { createSwarm, type Swarm } from '../../src/swarm/index.ts';
import { testModel } from '../models/index.ts';
import { type SwarmNode, startSwarmNode, swarmHome, until } from '../swarm-support.ts';

const BLOCKS = 6;
const seeds = [31, 32].map((seed) => createSeededRandom(seed).bytes(32)) as [Uint8Array, Uint8Array];
const friendId = createIdentity(seeds[0]).peerId;
const engine = createEngine({
  threads: 1,
  device: 'cpu',
  log: silentLogger,
  clock: systemClock,
  random: systemRandom,
});
let home: string;
let askingHome: string;
let serving: SwarmNode;
let asking: SwarmNode;
let friend: Swarm;
let stranger: Swarm;
let model: string;
let through = 0;

before(async () => {
  const path = await testModel('stories15m-f16');
  [home, askingHome] = await Promise.all([
    swarmHome({
      'swarm.friends': friendId,
      'engine.threads': 1,
      'engine.device': 'cpu',
      'engine.context': 256,
      'engine.kvCells': 1024,
      'shards.sessions': 2,
      'shards.drainMs': 300,
    }),
    swarmHome(),
  ]);
  await using store = createModelStore({ home });
  model = (await store.add(path, { id: 'stories', link: true, task: 'chat' })).manifest.sha256;
  [serving, asking] = await Promise.all([startSwarmNode(home), startSwarmNode(askingHome)]);
  [friend, stranger] = (await Promise.all(
    seeds.map((seed) =>
      createSwarm({ seed, listen: ['/ip4/127.0.0.1/tcp/0'], network: 'lan', dht: 'off', log: silentLogger }),
    ),
  )) as [Swarm, Swarm];
  await engine.load({ id: 'whole', path });
});
after(async () => {
  await engine[Symbol.asyncDispose]();
  await Promise.all([friend, stranger].map((host) => host[Symbol.asyncDispose]()));
  await Promise.all([serving.node.close(), asking.node.close()]);
  await Promise.all([home, askingHome].map((path) => rm(path, { recursive: true, force: true })));
});

const view = (): Promise<ServingView> => serving.call('GET', '/../shards/serving');
const serve = (body: object): Promise<ServedView> => serving.call('POST', '/../shards/serving', body);
const stop = (body: object): Promise<{ stopping: readonly ServedView[] }> =>
  serving.call('POST', '/../shards/serving/stop', body);
const settled = (count: number): Promise<ServingView> =>
  until(view, ({ served }) => served.length === count && served.every(({ state }) => state === 'ready'));

async function answer(id: string): Promise<number[]> {
  const tokens: number[] = [];
  for await (const event of engine.generate({
    model: id,
    prompt: { kind: 'text', text: 'Once upon a time' },
    sampler: { temperature: 0, topLogprobs: 0 },
    maxTokens: 8,
    stop: [],
  }))
    if (event.type === 'text') tokens.push(...event.logprobs!.map(({ token }) => token));
  return tokens;
}

async function pathOf(from: number, to: number, by: Swarm = friend, cells = 256): Promise<Path> {
  const { peer, addresses } = await view();
  return openPath({
    swarm: by,
    model,
    shards: [{ peer, addresses, from, to }],
    cells,
    substitute: async () => null,
    ...{ clock: systemClock, random: systemRandom, log: silentLogger },
  });
}

/** The tokens of an answer whose blocks [from, to) the node computes. */
async function answerThrough(from: number, to: number): Promise<number[]> {
  await using path = await pathOf(from, to);
  // Another path has other cells: nothing of the one before may be taken for its own.
  const id = `through ${++through}`;
  const elsewhere = { from, to, kvCells: 256 };
  await engine.load({ id, path: await testModel('stories15m-f16'), elsewhere }, { carry: path.carry });
  return await answer(id);
}

async function refused(work: Promise<unknown>): Promise<[string, number | undefined]> {
  try {
    await work;
  } catch (error) {
    if (isKithError(error)) return [error.code, error.retryAfter];
    throw error;
  }
  throw new Error('It was not refused.');
}

test('a node that serves blocks loads and measures them, and a friend computes with all or some of them', async () => {
  const begun = await serve({ model: 'stories', from: 1, blocks: 4 });
  assert.deepEqual([begun.from, begun.to, begun.blocks], [1, 5, BLOCKS]);
  const { served, announced, problems, access } = await settled(1);
  assert.ok(served[0]!.tokenMs! > 0 && served[0]!.memory!.weightBytes > 0);
  assert.equal(served[0]!.freeCells, 1024);
  assert.deepEqual(access, { friends: 1, minTier: null, hours: null });
  assert.deepEqual(problems, []);
  assert.deepEqual(
    announced.map(({ model, blocks, freeCacheTokens, maxBatch, state }) => [
      model,
      blocks,
      freeCacheTokens,
      maxBatch,
      state,
    ]),
    [['stories', [[1, 5]], 1024, 2, 'online']],
  );
  assert.ok(announced[0]!.tokensPerSecond! > 0);
  const whole = await answer('whole');
  assert.deepEqual(await answerThrough(1, 5), whole);
  assert.deepEqual(await answerThrough(2, 4), whole);
  assert.deepEqual(await refused(pathOf(0, 5)), ['shard_not_served', undefined]);
});

test('other nodes learn which blocks it serves, and to how many tokens of context', async () => {
  const { addresses, peer } = await view();
  await asking.call('POST', '/connect', { target: addresses[0]! });
  const told = await until(
    () => asking.call<FindView>('GET', `/find?model=${model}&serves=blocks&blocks=1-4`),
    ({ found }) => found.length === 1,
  );
  assert.equal(told.found[0]!.peer, peer);
});

test('a stranger is refused before anything is looked up, whatever it asks for', async () => {
  assert.deepEqual(await refused(pathOf(1, 5, stranger)), ['shard_denied', undefined]);
  assert.deepEqual(await refused(pathOf(0, 2, stranger)), ['shard_denied', undefined]);
  assert.deepEqual((await view()).sessions, []);
});

test('a friend that finds no room is told when there will be some, and what runs goes on', async () => {
  await using one = await pathOf(1, 5);
  const two = await pathOf(1, 5);
  const { sessions, announced } = await view();
  assert.deepEqual(
    sessions.map(({ peer, friend: isFriend, cells, model: id }) => [peer, isFriend, cells, id]),
    Array(2).fill([friendId, true, 256, 'stories']),
  );
  // Full: others are told to ask elsewhere.
  assert.equal(announced[0]!.freeCacheTokens, 0);
  const [code, retryAfter] = await refused(pathOf(1, 5));
  assert.equal(code, 'shard_busy');
  assert.ok(retryAfter! > 0 && retryAfter! <= 300);
  await two[Symbol.asyncDispose]();
  await until(view, ({ sessions }) => sessions.length === 1);
  await (await pathOf(1, 5))[Symbol.asyncDispose]();
  assert.equal(one.closed, false);
});

test('more cells than there are is no question of time', async () => {
  assert.deepEqual(await refused(pathOf(1, 5, friend, 2048)), ['shard_quota', undefined]);
});

test('openings that are not what they should be are refused and hold nothing', async () => {
  const { peer } = await view();
  const sound: Opening = {
    ...{ model, from: 1, to: 5, cells: 64, session: new Uint8Array(16).fill(7) },
    ...{ feeder: null, donor: null, last: true, types: EXACT },
  };
  const bad = [
    { ...encodeOpening(sound), cells: -1 },
    { ...encodeOpening(sound), to: 1 },
    { ...encodeOpening(sound), session: new Uint8Array(3) },
    { ...encodeOpening(sound), model: 7 },
    {},
  ];
  for (const opening of bad) {
    const session = await friend.openSession(peer, SHARD_METHOD, opening);
    assert.equal((await refused(session.receive()))[0], 'shard_malformed');
  }
  assert.deepEqual((await view()).sessions, []);
});

test('ranges that meet, none at all, or too much are refused by name', async () => {
  const code = (body: object) =>
    serve(body).then(
      () => 'served',
      (error: { code: string }) => error.code,
    );
  assert.equal(await code({ model: 'stories', from: 5, blocks: 1 }), 'shard_served_already');
  assert.equal(await code({ model: 'stories', from: 5, blocks: 9 }), 'shard_range_invalid');
  assert.equal(await code({ model: 'nobody' }), 'model_not_found');
  assert.equal(await code({ model: 'stories', from: 1, blocks: 4 }), 'served');
  assert.equal((await view()).served.length, 1);
});

test('when the engine process dies its sessions end with the reason, and the blocks are served again', async () => {
  const path = await pathOf(1, 5);
  const { pid } = (await serving.node.engineStatus()) as { pid: number };
  process.kill(pid, 'SIGKILL');
  await until(
    async () => path.closed,
    (closed) => closed,
  );
  await path[Symbol.asyncDispose]();
  await settled(1);
  assert.deepEqual(await answerThrough(1, 5), await answer('whole'));
});

test('after a restart it serves the same again, and what was stopped stays so', async () => {
  await serving.node.close();
  serving = await startSwarmNode(home);
  await serving.view();
  const { served } = await settled(1);
  assert.deepEqual([served[0]!.from, served[0]!.to], [1, 5]);
  assert.deepEqual(await answerThrough(1, 5), await answer('whole'));
  const path = await pathOf(1, 5);
  const { stopping } = await stop({ model: 'stories' });
  assert.equal(stopping[0]!.state, 'draining');
  // Its sessions had their time.
  await until(
    async () => path.closed,
    (closed) => closed,
  );
  await until(view, (now) => now.served.length === 0 && now.announced.length === 0);
  await path[Symbol.asyncDispose]();
  assert.deepEqual(await refused(pathOf(1, 5)), ['shard_not_served', undefined]);
  await serving.node.close();
  serving = await startSwarmNode(home);
  await serving.view();
  assert.deepEqual((await view()).served, []);
});
