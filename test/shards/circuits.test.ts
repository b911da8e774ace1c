/** Circuits over real swarms: shared, bounded, closed in time, replaced when a better path is there. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Clock, KithError, silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { createEngine } from '../../src/engine/index.ts';
import {
  type CircuitModel,
  type CircuitRequest,
  type Circuits,
  type CircuitsOptions,
  openCircuits,
  planPath,
  planSubstitute,
  type ShardCandidate,
  serveShards,
} from '../../src/shards/index.ts';
import type { Swarm } from '../../src/swarm/index.ts';
import { swarmOnLoopback, until } from '../../src/swarm/testing/nodes.ts';
import { testModel } from '../models/index.ts';

const HASH = 'cd'.repeat(32);
const engine = createEngine({
  threads: 1,
  device: 'cpu',
  log: silentLogger,
  clock: systemClock,
  random: systemRandom,
});
const gate = { tierOf: () => 'trusted' as const };
let owner: Swarm;
let peers: { swarm: Swarm; candidate: ShardCandidate; busy: boolean }[];
let model: CircuitModel;
/** ms by which the clock of the circuits is ahead. */
let ahead = 0;
const clock: Clock = {
  now: () => systemClock.now() + ahead,
  monotonic: () => systemClock.monotonic() + ahead,
  sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 5), signal),
};

before(async () => {
  const path = await testModel('stories15m-f16');
  await engine.load({ id: 'whole', path });
  const spans = [
    [0, 3],
    [3, 6],
    [0, 6],
  ] as const;
  for (const [from, to] of spans)
    await engine.load({ id: `blocks ${from}-${to}`, path, range: { from, to, embed: false, head: false } });
  owner = await swarmOnLoopback(80, { gate });
  peers = await Promise.all(
    spans.map(async ([from, to], index) => {
      const swarm = await swarmOnLoopback(81 + index, { gate });
      const peer = {
        swarm,
        busy: false,
        candidate: {
          ...{ peer: swarm.peer, addresses: swarm.addresses, from, to },
          ...{ msPerBlock: 1, load: 0, rttMs: 1, freeCells: 4096 },
        },
      };
      serveShards({
        swarm,
        engine,
        shards: () => [{ model: HASH, from, to, id: `blocks ${from}-${to}`, width: 288 }],
        admit() {
          if (peer.busy) throw new KithError('shard_busy', 'No room.', { status: 503, retryAfter: 3 });
          return undefined;
        },
        log: silentLogger,
      });
      return peer;
    }),
  );
  model = {
    ...{ id: 'stories', sha256: HASH, blocks: 6, context: 256, template: null },
    ends: async () => path,
  };
});
after(async () => {
  await owner[Symbol.asyncDispose]();
  for (const { swarm } of peers) await swarm[Symbol.asyncDispose]();
  await engine[Symbol.asyncDispose]();
});

/** Circuits through those of the peers that `among` names. */
function circuitsOver(
  among: () => readonly number[],
  more: Partial<CircuitsOptions> = {},
): { circuits: Circuits; trouble: string[] } {
  const trouble: string[] = [];
  const given = (exclude: ReadonlySet<string>) =>
    among()
      .map((index) => peers[index]!.candidate)
      .filter(({ peer }) => !exclude.has(peer));
  const circuits = openCircuits({
    engine,
    swarm: owner,
    choose({ span, cells, via, exclude }) {
      const free = given(exclude);
      const named = via?.flatMap(({ peer }) => free.filter((one) => one.peer === peer)) ?? free;
      return { plan: planPath({ span, cells }, named), leftOut: [] };
    },
    substitute: ({ cells }, span, lost) => planSubstitute({ span, cells }, given(new Set()), lost),
    unmet: (_peer, { pledge }) => (pledge ? 'it gave no pledge' : null),
    onTrouble: (peer, what, waitMs) =>
      trouble.push(`${peers.findIndex(({ swarm }) => swarm.peer === peer)} ${what} ${waitMs}`),
    ...{ clock, random: systemRandom, log: silentLogger },
    ...more,
  });
  return { circuits, trouble };
}

const ask = (more: Partial<CircuitRequest> = {}): CircuitRequest => ({
  ...{ model, requirements: {}, own: 0, cells: 256, name: null, conversation: null },
  ...more,
});
const { signal } = new AbortController();

async function answer(id: string): Promise<string> {
  let text = '';
  for await (const event of engine.generate({
    model: id,
    prompt: { kind: 'text', text: 'Once upon a time there was a boat' },
    sampler: { temperature: 0 },
    maxTokens: 10,
    stop: [],
  }))
    if (event.type === 'text') text += event.text;
  return text;
}

test('requests share a circuit, and its figures tell what went through it', async () => {
  const { circuits } = circuitsOver(() => [0, 1]);
  await using _ = circuits;
  const [one, two] = await Promise.all([circuits.take(ask(), signal), circuits.take(ask(), signal)]);
  assert.equal(one.name, two.name);
  assert.equal(circuits.list()[0]!.inUse, 2);
  assert.equal(await answer(one.loaded.id), await answer('whole'));
  const { steps, rows, bytes, lost } = one.since();
  assert.ok(steps >= 2 && rows > steps, `${steps} steps, ${rows} rows`);
  // Each row goes out whole; of the prompt one comes back.
  assert.ok(bytes > rows * 288 * 4 && bytes <= 2 * rows * 288 * 4, `${bytes} bytes, ${rows} rows`);
  assert.deepEqual(lost, []);
  one[Symbol.dispose]();
  two[Symbol.dispose]();
  assert.equal(circuits.list()[0]!.inUse, 0);
});

test('blocks at the ends that this node keeps are computed here, and nothing changes', async () => {
  const { circuits } = circuitsOver(() => [0, 1]);
  await using _ = circuits;
  using use = await circuits.take(ask({ own: 1 }), signal);
  const { span, shards } = use.view();
  assert.deepEqual(span, { from: 1, to: 5 });
  assert.deepEqual(
    shards.map(({ from, to }) => [from, to]),
    [
      [1, 3],
      [3, 5],
    ],
  );
  assert.equal(await answer(use.loaded.id), await answer('whole'));
  // Longer ends do for whoever asks for shorter ones, and not the other way round.
  using same = await circuits.take(ask(), signal);
  assert.equal(same.name, use.name);
  using other = await circuits.take(ask({ own: 2 }), signal);
  assert.notEqual(other.name, use.name);
  await assert.rejects(circuits.take(ask({ own: 3 }), signal), { code: 'path_invalid' });
});

test('no more circuits than are allowed: one that rests makes room, one that is used or ordered does not', async () => {
  const { circuits } = circuitsOver(() => [0, 1], { limits: { most: 2 } });
  await using _ = circuits;
  const order = { model, requirements: {}, own: 0, cells: 256, name: 'kept', ttlMs: 60_000 };
  await circuits.create(order, signal);
  await assert.rejects(circuits.create(order, signal), { code: 'circuit_exists', status: 409 });
  const use = await circuits.take(ask({ cells: 512 }), signal);
  await assert.rejects(circuits.take(ask({ cells: 1024 }), signal), { code: 'circuits_full', status: 503 });
  use[Symbol.dispose]();
  using larger = await circuits.take(ask({ cells: 1024 }), signal);
  assert.equal(larger.loaded.kvCells, 1024);
  assert.deepEqual(
    circuits
      .list()
      .map(({ name }) => name)
      .sort(),
    [larger.name, 'kept'].sort(),
  );
});

test('circuits end when their time is over, or when nobody used them for long', async () => {
  const { circuits } = circuitsOver(() => [0, 1]);
  await using _ = circuits;
  const order = { model, requirements: {}, own: 0, cells: 256 };
  await circuits.create({ ...order, name: 'short', ttlMs: 1000 }, signal);
  await circuits.create({ ...order, name: 'long', ttlMs: 3_600_000 }, signal);
  using named = await circuits.take(ask({ name: 'long' }), signal);
  const made = await circuits.take(ask({ own: 1 }), signal);
  ahead += 2000;
  await until('the short one is gone', () => !circuits.list().some(({ name }) => name === 'short'));
  await assert.rejects(circuits.take(ask({ name: 'short' }), signal), {
    code: 'circuit_unknown',
    status: 404,
  });
  made[Symbol.dispose]();
  ahead += 301_000;
  await until('the idle one is gone', () => circuits.list().length === 1);
  assert.equal(circuits.list()[0]!.name, named.name);
  await assert.rejects(circuits.take(ask({ name: 'long', requirements: { pledge: true } }), signal), {
    code: 'circuit_unfit',
    status: 403,
  });
});

test('a clearly better path is taken between requests, and not by a conversation that has its own', async () => {
  let among = [0, 1];
  const { circuits } = circuitsOver(() => among, { limits: { lookMs: 0 } });
  await using _ = circuits;
  const first = await circuits.take(ask({ conversation: 'a' }), signal);
  first[Symbol.dispose]();
  // One way less, but twice the time for a block: not better enough.
  const far = peers[2]!.candidate;
  peers[2]!.candidate = { ...far, msPerBlock: 2 };
  among = [0, 1, 2];
  const still = await circuits.take(ask(), signal);
  assert.equal(still.name, first.name);
  still[Symbol.dispose]();
  peers[2]!.candidate = { ...far, msPerBlock: 0.1 };
  const kept = await circuits.take(ask({ conversation: 'a' }), signal);
  assert.equal(kept.name, first.name);
  kept[Symbol.dispose]();
  using better = await circuits.take(ask(), signal);
  assert.deepEqual(
    better.view().shards.map(({ peer }) => peer),
    [far.peer],
  );
  await until('the worse one is gone', () => circuits.list().length === 1);
  assert.equal(await answer(better.loaded.id), await answer('whole'));
  peers[2]!.candidate = far;
});

test('who refuses is passed over for another path; when all do, the least time that they named is told', async () => {
  const { circuits, trouble } = circuitsOver(() => [0, 1, 2]);
  await using _ = circuits;
  peers[2]!.busy = true;
  using use = await circuits.take(ask(), signal);
  assert.equal(use.view().shards.length, 2);
  assert.deepEqual(trouble, ['2 refused 3000']);
  for (const peer of peers) peer.busy = true;
  await assert.rejects(circuits.take(ask({ own: 1 }), signal), {
    code: 'path_busy',
    status: 503,
    retryAfter: 3,
  });
  for (const peer of peers) peer.busy = false;
});
