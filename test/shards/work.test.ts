/** Receipts of work over real swarms and a real engine: what was computed is what both sides signed, whoever dies or lies. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type CborMap, silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { type Carry, createEngine } from '../../src/engine/index.ts';
import { createIdentity } from '../../src/identity/index.ts';
import {
  openPath,
  openWorkBook,
  type Path,
  type ShardOffer,
  serveShards,
  type WorkBook,
  type WorkBookOptions,
  type WorkFacts,
} from '../../src/shards/index.ts';
import {
  decodeOpening,
  decodeStep,
  EXACT,
  encodeOpening,
  encodeRows,
  type Opening,
  SHARD_METHOD,
} from '../../src/shards/wire/messages.ts';
import { digestOf } from '../../src/shards/work/chain.ts';
import { encodeWork, signWork } from '../../src/shards/work/receipt.ts';
import type { Session, Swarm } from '../../src/swarm/index.ts';
import { seedOf, swarmOnLoopback, until } from '../../src/swarm/testing/nodes.ts';
import { testModel } from '../models/index.ts';
import { forkShardPeer } from './peers.ts';

const MODEL = 'ab'.repeat(32);
const CELLS = 256;
const WIDTH = 288;
const engine = createEngine({
  threads: 1,
  device: 'cpu',
  log: silentLogger,
  clock: systemClock,
  random: systemRandom,
});
const gate = { tierOf: () => 'trusted' as const, strikes: 1000 };
let folder: string;
let owner: Peer;
/** One for each half of the model, and one that may take the place of the second. */
let peers: Peer[];

interface Peer {
  readonly swarm: Swarm;
  readonly book: WorkBook;
  readonly offer: ShardOffer;
}

const bookOf = (number: number, more: Partial<WorkBookOptions> = {}): WorkBook =>
  openWorkBook({
    ...{ path: ':memory:', identity: createIdentity(seedOf(number)), clock: systemClock },
    ...{ random: systemRandom, log: silentLogger, ...more },
  });

async function startPeer(number: number, from: number, to: number): Promise<Peer> {
  const swarm = await swarmOnLoopback(number, { gate });
  const book = bookOf(number, { accounts: { rows: 40 } });
  serveShards({
    ...{ swarm, engine, log: silentLogger, admit: () => undefined, work: book },
    shards: () => [{ model: MODEL, from, to, id: `blocks ${from}-${to}`, width: WIDTH }],
  });
  return { swarm, book, offer: { peer: swarm.peer, addresses: swarm.addresses, from, to } };
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kith-work-'));
  const path = await testModel('stories15m-f16');
  for (const [from, to] of [
    [0, 3],
    [3, 6],
  ] as const)
    await engine.load({ id: `blocks ${from}-${to}`, path, range: { from, to, embed: false, head: false } });
  const swarm = await swarmOnLoopback(80, { gate });
  owner = { swarm, book: bookOf(80), offer: { peer: swarm.peer, addresses: [], from: 0, to: 0 } };
  peers = [await startPeer(81, 0, 3), await startPeer(82, 3, 6), await startPeer(83, 3, 6)];
});
after(async () => {
  for (const { swarm, book } of [owner, ...peers]) {
    await swarm[Symbol.asyncDispose]();
    book[Symbol.dispose]();
  }
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const pathThrough = (shards: readonly ShardOffer[], work: WorkBook, spare: ShardOffer | null = null) =>
  openPath({
    ...{ swarm: owner.swarm, model: MODEL, shards, cells: CELLS, type: 'f32', work },
    substitute: async (_, lost) => (spare !== null && !lost.has(spare.peer) ? [spare] : null),
    ...{ clock: systemClock, random: systemRandom, log: silentLogger },
  });

/** Carries the row of one position. */
function carryRow(path: Path, at: number, signal = new AbortController().signal): Promise<Float32Array> {
  const hidden = Float32Array.from({ length: WIDTH }, (_, i) => Math.sin(at + i));
  const parts = [{ start: at, count: 1, after: at - 1, cells: Int32Array.of(at), outputs: 'last' as const }];
  return path.carry(parts, hidden, signal);
}

const all = (book: WorkBook, peer?: string) =>
  book.store.list({ limit: 500, ...(peer !== undefined && { peer }) }).receipts;
const sums = (book: WorkBook, peer: string) =>
  book.store.totals.list({ peer }).map(({ agreed, prompt, decode, replayed, rowBlocks }) => ({
    ...{ agreed, rows: prompt + decode, replayed, rowBlocks },
  }));

test('the receipts of both sides are the same, and their sums are what was carried', async () => {
  let rows = 0;
  {
    await using path = await pathThrough([peers[0]!.offer, peers[1]!.offer], owner.book);
    const carry: Carry = (parts, hidden, signal) => {
      for (const { count } of parts) rows += count;
      return path.carry(parts, hidden, signal);
    };
    const elsewhere = { from: 0, to: 6, kvCells: CELLS };
    await engine.load({ id: 'over', path: await testModel('stories15m-f16'), elsewhere }, { carry });
    for await (const event of engine.generate({
      ...{ model: 'over', maxTokens: 30, stop: [], sampler: { temperature: 0 } },
      prompt: { kind: 'text', text: 'Once upon a time, there was a little robot who '.repeat(3) },
    }))
      assert.notEqual(event.type, 'error');
  }
  assert.ok(rows > 60);
  const last: WorkFacts[] = [];
  for (const { book, swarm } of peers.slice(0, 2)) {
    const expected = [{ agreed: true, rows, replayed: 0, rowBlocks: rows * 3 }];
    await until('the owner has signed all', () => all(book).every(({ state }) => state === 'signed'));
    assert.deepEqual(sums(book, owner.swarm.peer), expected);
    assert.deepEqual(sums(owner.book, swarm.peer), expected);
    const [given, taken] = [all(book), all(owner.book, swarm.peer)];
    assert.ok(given.length > 1, 'a long session has several');
    assert.ok(given.every(({ isMissingOne }) => !isMissingOne));
    const bytes = (list: typeof given) =>
      list.map((one) => [one.receipt, one.shardSignature, one.ownerSignature]);
    assert.deepEqual(bytes(given), bytes(taken));
    last.push(given[0]!.facts);
  }
  // Between the two stood nobody: what the one sent on is what the other got.
  assert.deepEqual(last[0]!.sent, last[1]!.received);
});

test('a shard takes the place of another in mid-path: each is signed for what it computed', async () => {
  using taken = bookOf(80);
  const [first, second, spare] = peers as [Peer, Peer, Peer];
  const before = peers.map(({ book }) => all(book).length);
  {
    await using path = await pathThrough([first.offer, second.offer], taken, spare.offer);
    for (let at = 0; at < 50; at++) {
      await carryRow(path, at);
      if (at === 44) await second.swarm[Symbol.asyncDispose]();
    }
    assert.equal(path.shards()[1]!.peer, spare.swarm.peer);
  }
  await until('all is signed', () => all(spare.book).every(({ state }) => state === 'signed'));
  const since = (k: number) => {
    const { book } = peers[k]!;
    return all(book).slice(0, all(book).length - before[k]!);
  };
  const count = (k: number, what: 'decode' | 'replayed') =>
    since(k).reduce((sum, { facts }) => sum + facts[what], 0);
  assert.deepEqual([count(0, 'decode'), count(0, 'replayed')], [50, 0]);
  assert.deepEqual([count(2, 'replayed'), count(2, 'decode')], [45, 5]);
  // What it had accounted for before it was lost, and the rest, which nobody can sign any more.
  assert.deepEqual(
    since(1).map(({ state, facts }) => [state, facts.decode]),
    [
      ['half', 5],
      ['signed', 40],
    ],
  );
  assert.ok(all(taken).every(({ state }) => state === 'signed'));
  assert.equal(all(taken, second.swarm.peer).length, 1);
  peers[1] = spare;
});

test('a path that closes while steps are under way leaves no dispute', async () => {
  using taken = bookOf(80);
  const path = await pathThrough([peers[0]!.offer], taken);
  const left = new AbortController();
  const steps = Array.from({ length: 12 }, (_, at) => carryRow(path, at, left.signal).catch(() => null));
  await steps[3];
  await path[Symbol.asyncDispose]();
  await Promise.all(steps);
  const receipts = all(taken);
  assert.ok(receipts.length > 0);
  assert.deepEqual([...new Set(receipts.map(({ state }) => state))], ['signed']);
});

test('kill -9 of a shard: what it accounted for is there on both sides, bit by bit', async () => {
  const file = join(folder, 'shard.sqlite');
  const path = await testModel('stories15m-f16');
  const settings = { number: 84, path, model: MODEL, from: 3, to: 6, context: CELLS };
  const peer = await forkShardPeer({ ...settings, work: { path: file, rows: 4 } });
  using taken = bookOf(80);
  const way = await pathThrough([peer.offer], taken);
  for (let at = 0; at < 10; at++) await carryRow(way, at);
  await until('two accounts were signed', () => all(taken).length === 2);
  await peer.kill();
  await assert.rejects(carryRow(way, 10), { code: 'path_lost' });
  await way[Symbol.asyncDispose]();
  using given = bookOf(84, { path: file });
  const bytes = (book: WorkBook) => all(book).map(({ receipt, shardSignature }) => [receipt, shardSignature]);
  assert.deepEqual(bytes(given), bytes(taken));
  assert.deepEqual(sums(taken, peer.offer.peer), [{ agreed: true, rows: 8, replayed: 0, rowBlocks: 24 }]);
});

test('kill -9 of an owner: the shard keeps what was signed, and the rest as a half', async () => {
  const file = join(folder, 'owner.sqlite');
  const [shard] = peers as [Peer];
  const before = all(shard.book).length;
  const child = fork(new URL('./owner-process.ts', import.meta.url), {
    env: {
      ...process.env,
      KITH_TEST_OWNER: JSON.stringify({
        number: 85,
        work: file,
        model: MODEL,
        offer: shard.offer,
        width: WIDTH,
        steps: 45,
      }),
    },
  });
  const gone = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  assert.equal(await gone, 'SIGKILL');
  const since = () => all(shard.book).slice(0, all(shard.book).length - before);
  await until('the session has ended', () => since().length === 2);
  assert.deepEqual(
    since().map(({ state, facts }) => [state, facts.decode]),
    [
      ['half', 5],
      ['signed', 40],
    ],
  );
  using taken = bookOf(85, { path: file });
  assert.deepEqual(
    all(taken).map(({ receipt, ownerSignature }) => [receipt, ownerSignature]),
    since()
      .slice(1)
      .map(({ receipt, ownerSignature }) => [receipt, ownerSignature]),
  );
});

test('an owner that says what it likes of receipts changes none, and nonsense ends its own session', async () => {
  const [{ swarm, offer, book }] = peers as [Peer];
  const before = all(book).map(({ state }) => state);
  const opening: Opening = {
    ...{ model: MODEL, from: offer.from, to: offer.to, cells: 8, session: new Uint8Array(16).fill(3) },
    ...{ feeder: null, donor: null, last: true, types: EXACT },
  };
  const session = await owner.swarm.openSession(swarm.peer, SHARD_METHOD, encodeOpening(opening));
  const [newest] = all(book);
  const name = digestOf(newest!.receipt);
  for (const told of [
    { k: 'signed', h: new Uint8Array(32), g: new Uint8Array(64) },
    { k: 'disputed', h: name, what: 'that is not so' },
    { k: 'account', r: newest!.receipt, g: newest!.shardSignature },
    { k: 'settle' },
  ])
    await session.send(told);
  assert.equal((await session.receive())!.metadata.k, 'ready');
  assert.deepEqual((await session.receive())!.metadata, { k: 'settled' });
  await session.send({ k: 'signed', h: new Uint8Array(3), g: 0 });
  await assert.rejects(session.receive(), { code: 'shard_malformed' });
  assert.deepEqual(
    all(book).map(({ state }) => state),
    before,
  );
});

/** A shard that computes nothing, and says of it what the test wants. */
async function startLiar(
  number: number,
  lies: (session: Session, facts: WorkFacts) => Promise<void>,
): Promise<Peer> {
  const swarm = await swarmOnLoopback(number, { gate });
  const identity = createIdentity(seedOf(number));
  swarm.handle(SHARD_METHOD, {
    caps: { maxPayloadBytes: 1 << 24, maxMetadataBytes: 1 << 14, maxConcurrent: 4 },
    async session(session) {
      const { from, to, session: id } = decodeOpening(session.metadata);
      await session.send({ k: 'ready', width: WIDTH, cells: CELLS, rows: 256 });
      for await (const message of session) {
        if (message.metadata.k === 'settle') await session.send({ k: 'settled' });
        if (message.metadata.k === 'ping')
          await session.send({ ...message.metadata, k: 'pong', seen: 0, done: 0 });
        if (message.metadata.k !== 'step') continue;
        const { n, hidden } = decodeStep(message, WIDTH);
        const rows = encodeRows({ n, rows: hidden, ms: 0 }, WIDTH, 'f32');
        await lies(session, {
          ...{ shard: identity.peerId, owner: session.peer, model: MODEL, from, to, session: digestOf(id) },
          ...{
            part: 1,
            book: new Uint8Array(16),
            sequence: 1,
            previous: null,
            prompt: 0,
            decode: 1,
            replayed: 0,
          },
          ...{ steps: 1, ms: 0, begun: 0, ended: 0, received: new Uint8Array(32), sent: new Uint8Array(32) },
        });
        await session.send(rows.metadata, rows.payload);
      }
    },
  });
  return {
    swarm,
    book: bookOf(number),
    offer: { peer: swarm.peer, addresses: swarm.addresses, from: 0, to: 6 },
  };
}

test('a shard that lies of its work gets no signature, and the path goes on', async () => {
  const identity = createIdentity(seedOf(86));
  const told: string[] = [];
  const account = (facts: WorkFacts, by = identity): CborMap => {
    const receipt = encodeWork(facts);
    return { k: 'account', r: receipt, g: signWork(receipt, by) };
  };
  let step = 0;
  const liar = await startLiar(86, async (session, facts) => {
    step++;
    if (step === 1) {
      // More than it was given; the same part told otherwise; and what belongs to somebody else.
      await session.send(account({ ...facts, decode: 2 ** 32 }));
      await session.send(account({ ...facts, decode: 2 }));
      await session.send({ k: 'account', r: new Uint8Array(1024), g: new Uint8Array(64) });
      for (let k = 0; k < 100; k++)
        await session.send(account({ ...facts, decode: k }, createIdentity(seedOf(1))));
    }
    if (step === 2) await session.send({ k: 'signed', h: new Uint8Array(32), g: new Uint8Array(64) });
  });
  using taken = bookOf(80, { onContradiction: ({ peer }) => told.push(peer) });
  const path = await pathThrough([liar.offer], taken);
  for (let at = 0; at < 4; at++) assert.equal((await carryRow(path, at)).length, WIDTH);
  await path[Symbol.asyncDispose]();
  assert.deepEqual(
    all(taken).map(({ state, facts }) => [state, facts.decode]),
    [['disputed', 2 ** 32]],
  );
  assert.deepEqual(told, [liar.swarm.peer]);
  const [pair] = taken.store.contradictions();
  assert.notDeepEqual(pair!.first.receipt, pair!.second.receipt);
  // Bytes that are no account end the session, as any other.
  const noisy = await startLiar(87, (session) =>
    session.send({ k: 'account', r: new Uint8Array(2000), g: 1 }),
  );
  const other = await pathThrough([noisy.offer], taken);
  await assert.rejects(carryRow(other, 0), { code: 'path_lost' });
  for (const { swarm, book } of [liar, noisy]) {
    await swarm[Symbol.asyncDispose]();
    book[Symbol.dispose]();
  }
});
