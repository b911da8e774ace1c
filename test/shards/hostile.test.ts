/** What a peer may not do at a shard, over real connections: none of it ends the node or changes another's rows. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  type CborMap,
  createSeededRandom,
  silentLogger,
  systemClock,
  systemRandom,
} from '../../src/base/index.ts';
import { createEngine } from '../../src/engine/index.ts';
import { type ShardService, serveShards } from '../../src/shards/index.ts';
import { encodeKv } from '../../src/shards/wire/kv.ts';
import {
  EXACT,
  encodeOpening,
  encodeStep,
  FEED_METHOD,
  KV_METHOD,
  type Opening,
  SHARD_METHOD,
  type Step,
} from '../../src/shards/wire/messages.ts';
import type { Session, SessionMessage, Swarm } from '../../src/swarm/index.ts';
import { swarmOnLoopback } from '../../src/swarm/testing/nodes.ts';
import { testModel } from '../models/index.ts';
import { readMangled, sendMangled } from './mangled-run.ts';

const MODEL = '12'.repeat(32);
const WIDTH = 288;
const engine = createEngine({
  threads: 1,
  device: 'cpu',
  context: 256,
  kvCells: 512,
  log: silentLogger,
  clock: systemClock,
  random: systemRandom,
});
const gate = { tierOf: () => 'known' as const, strikes: 1000 };
let shard: Swarm;
let owner: Swarm;
let stranger: Swarm;
let service: ShardService;

before(async () => {
  const path = await testModel('stories15m-f16');
  await engine.load({ id: 'blocks', path, range: { from: 0, to: 3, embed: false, head: false } });
  [shard, owner, stranger] = await Promise.all([
    swarmOnLoopback(71, { gate }),
    swarmOnLoopback(72, { gate }),
    swarmOnLoopback(73, { gate }),
  ]);
  service = serveShards({
    swarm: shard,
    engine,
    shards: () => [{ model: MODEL, from: 0, to: 3, id: 'blocks', width: WIDTH }],
    admit: () => {},
    log: silentLogger,
  });
  for (const one of [owner, stranger]) await one.learn(shard.peer, shard.addresses);
});
after(async () => {
  for (const one of [owner, stranger, shard]) await one[Symbol.asyncDispose]();
  await engine[Symbol.asyncDispose]();
});

const sessionOf = (value: number) => new Uint8Array(16).fill(value);
const openingOf = (changes: Partial<Opening> = {}): Opening => ({
  model: MODEL,
  from: 0,
  to: 3,
  cells: 64,
  session: sessionOf(1),
  feeder: null,
  donor: null,
  last: true,
  types: EXACT,
  ...changes,
});

async function open(by: Swarm, opening: CborMap): Promise<Session> {
  return by.openSession(shard.peer, SHARD_METHOD, opening);
}

/** Opens and waits until the shard is ready, or for what it says instead. */
async function ready(by: Swarm, changes: Partial<Opening> = {}): Promise<Session> {
  const session = await open(by, encodeOpening(openingOf(changes)));
  assert.equal((await session.receive())!.metadata.k, 'ready');
  return session;
}

const rowOf = (seed: number) => Float32Array.from({ length: WIDTH }, (_, i) => Math.sin(seed + i));
const stepOf = (
  n: number,
  cell: number,
  changes: Partial<Step['parts'][number]> = {},
  hidden = rowOf(n),
): Step => ({
  n,
  replay: false,
  parts: [{ start: 0, count: 1, after: -1, cells: Int32Array.of(cell), outputs: 'all', ...changes }],
  hidden,
});

async function send(session: Session, step: Step): Promise<void> {
  const { metadata, payload } = encodeStep(step, WIDTH, EXACT);
  await session.send(metadata, payload);
}

const answerOf = async (session: Session): Promise<SessionMessage> => (await session.receive())!;

/** The error with which the session ends. */
async function endOf(session: Session): Promise<string> {
  try {
    while ((await session.receive()) !== null);
    return 'ended';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

test('an opening that is malformed, of other blocks, or for more cells than there are, is refused by name', async () => {
  const refused = async (opening: CborMap) => endOf(await open(owner, opening));
  const sound = encodeOpening(openingOf());
  assert.equal(await refused({}), 'shard_malformed');
  assert.equal(await refused({ ...sound, more: true }), 'shard_malformed');
  assert.equal(await refused({ ...sound, cells: 2 ** 40 }), 'shard_malformed');
  assert.equal(await refused({ ...sound, to: 4 }), 'shard_not_served');
  assert.equal(await refused({ ...sound, model: '13'.repeat(32) }), 'shard_not_served');
  assert.equal(await refused({ ...sound, cells: 513 }), 'limit_reached');
  assert.deepEqual(service.sessions(), []);
});

test('steps that do not fit are refused one by one, and the session and its rows stay as they are', async () => {
  await using session = await ready(owner);
  await send(session, stepOf(1, 0));
  const first = await answerOf(session);
  assert.equal(first.metadata.k, 'rows');
  const bad: [Step, string][] = [
    [stepOf(2, 64), 'cells_invalid'],
    [stepOf(3, 1, { start: 5, after: 0 }), 'cells_invalid'],
    [stepOf(4, 1, { start: 1, after: 7 }), 'cells_invalid'],
    [stepOf(5, 0, { start: 1, after: 0 }), 'cells_invalid'],
    [stepOf(6, 1, {}, rowOf(1).fill(Number.NaN)), 'forward_invalid'],
    [stepOf(7, 1, {}, rowOf(1).fill(Number.POSITIVE_INFINITY)), 'forward_invalid'],
    [
      stepOf(8, 1, { count: 600, cells: new Int32Array(600) }, new Float32Array(600 * WIDTH)),
      'forward_invalid',
    ],
  ];
  for (const [step, code] of bad) {
    await send(session, step);
    const { metadata } = await answerOf(session);
    assert.deepEqual([metadata.k, metadata.n, metadata.code], ['fail', step.n, code]);
  }
  await send(session, { ...stepOf(9, 0), hidden: rowOf(1) });
  const again = await answerOf(session);
  assert.deepEqual(again.payload, first.payload);
});

test('bytes that are no step end the session with the reason', async () => {
  const messages: [CborMap, Uint8Array][] = [
    [{ k: 'step', n: 1, t: 'f32', p: [[0, 1, -1, 2]] }, new Uint8Array(7)],
    [{ k: 'step', n: 1, t: 'f32', p: [[0, 4_000_000_000, -1, 2]] }, new Uint8Array(4)],
    [{ k: 'step', n: -1, t: 'f32', p: [] }, new Uint8Array(0)],
    [{ k: 'rows', n: 1 }, new Uint8Array(0)],
    [
      { k: 'next', peer: 'x', session: sessionOf(1), addresses: [], replay: false, from: 0 },
      new Uint8Array(0),
    ],
    [{ what: 1 }, new Uint8Array(0)],
  ];
  for (const [metadata, payload] of messages) {
    await using session = await ready(owner);
    await session.send(metadata, payload);
    assert.equal(await endOf(session), 'shard_malformed', JSON.stringify(metadata.k));
  }
});

test('nobody but the feeder that the owner named feeds a session, and its number is no key to it', async () => {
  await using session = await ready(owner, { session: sessionOf(9), feeder: owner.peer });
  const feed = async (by: Swarm, id: Uint8Array) =>
    endOf(await by.openSession(shard.peer, FEED_METHOD, { session: id }));
  assert.equal(await feed(stranger, sessionOf(9)), 'swarm_denied');
  assert.equal(await feed(stranger, sessionOf(8)), 'shard_session_unknown');
  assert.equal(await feed(stranger, new Uint8Array(3)), 'shard_malformed');
  // Who opens the same number has nothing of the first one.
  assert.equal(
    await endOf(await open(stranger, encodeOpening(openingOf({ session: sessionOf(9) })))),
    'shard_malformed',
  );
  await using own = await owner.openSession(shard.peer, FEED_METHOD, { session: sessionOf(9) });
  await send(own, stepOf(1, 3));
  assert.equal((await answerOf(session)).metadata.k, 'rows');
});

test('when sessions end their cells are free again, however they end', async () => {
  for (let round = 0; round < 6; round++) {
    const session = await ready(owner, { cells: 400, session: sessionOf(20 + round) });
    await send(session, stepOf(1, 399));
    if (round % 2 === 0) await answerOf(session);
    if (round % 3 === 0) session.cancel();
    else await session.end();
    while (service.sessions().length > 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await using last = await ready(owner, { cells: 512 });
  assert.equal(last.peer, shard.peer);
});

test('mangled messages by the thousand are refused with typed errors, and change nobody else', async () => {
  const random = createSeededRandom(Number(process.env.KITH_TEST_SEED ?? 7));
  const { read, refused } = readMangled(random, 10_000);
  assert.ok(read > 10 && refused > 10);
  await sendMangled(random, 400, 74);
});

test('KV rows come from the donor that the owner named alone, once, before the first step, and only sound ones', async () => {
  await using other = await ready(owner, { session: sessionOf(60) });
  await send(other, stepOf(1, 0));
  const before = (await answerOf(other)).payload;
  const terms = await (async () => {
    await using lease = await engine.lease('blocks', 4);
    return lease.terms;
  })();
  const bytes = terms.cellBytes;
  const sound = { session: sessionOf(61), type: terms.kvType, bytes };
  const rows = (count: number, fill = 0) => new Uint8Array(count * bytes).fill(fill);
  const kv = (cells: number[], positions: number[], after: number[], values = rows(cells.length)) =>
    encodeKv({
      cells: Int32Array.from(cells),
      positions: Int32Array.from(positions),
      after: Int32Array.from(after),
      rows: values,
    });
  /** What a donor hears who brings this to a session of its own. */
  const bring = async (
    messages: { readonly metadata: CborMap; readonly payload: Uint8Array }[],
    { by = stranger, opening = sound as CborMap, stepFirst = false } = {},
  ) => {
    const session = await ready(owner, { session: sessionOf(61), donor: stranger.peer });
    if (stepFirst) {
      await send(session, stepOf(1, 0));
      await answerOf(session);
    }
    const way = await by.openSession(shard.peer, KV_METHOD, opening);
    for (const { metadata, payload } of messages) await way.send(metadata, payload).catch(() => {});
    await way.end().catch(() => {});
    try {
      return (await way.receive())?.metadata.k ?? 'ended';
    } catch (error) {
      return (error as { code: string }).code;
    } finally {
      session.cancel();
      while (service.sessions().length > 1) await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  // Payloads are moved when they are sent.
  const one = () => kv([0], [0], [-1]);
  assert.equal(await bring([one()]), 'taken');
  assert.equal(await bring([one()], { by: owner }), 'swarm_denied');
  assert.equal(
    await bring([one()], { opening: { ...sound, session: sessionOf(62) } }),
    'shard_session_unknown',
  );
  assert.equal(await bring([one()], { opening: { ...sound, type: 'f32' } }), 'kv_unlike');
  assert.equal(await bring([one()], { opening: { ...sound, bytes: bytes + 2 } }), 'kv_unlike');
  assert.equal(await bring([one()], { stepFirst: true }), 'shard_malformed');
  assert.equal(await bring([kv([64], [0], [-1])]), 'cells_invalid');
  assert.equal(await bring([kv([-1], [0], [-1])]), 'cells_invalid');
  assert.equal(await bring([kv([1], [64], [0])]), 'cells_invalid');
  assert.equal(await bring([kv([1], [1], [1])]), 'cells_invalid');
  assert.equal(await bring([kv([0, 0], [0, 0], [-1, -1])]), 'cells_invalid');
  // All bits set: not a number in any of the types.
  assert.equal(await bring([kv([0], [0], [-1], rows(1, 0xff))]), 'kv_invalid');
  assert.equal(
    await bring([{ metadata: one().metadata, payload: one().payload.slice(1) }]),
    'shard_malformed',
  );
  assert.equal(await bring(Array.from({ length: 65 }, one)), 'shard_malformed');
  // A last shard has no log of rows.
  assert.equal(await bring([encodeStep(stepOf(1, 0), WIDTH, EXACT)]), 'shard_malformed');
  await send(other, { ...stepOf(2, 0), hidden: rowOf(1) });
  assert.deepEqual((await answerOf(other)).payload, before);
});
