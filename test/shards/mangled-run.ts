/**
 * What is done with mangled messages: they are read by everything that reads, and sent to a shard.
 *
 * @module test/shards/mangled-run
 */
import assert from 'node:assert/strict';
import { KithError, type Random, silentLogger } from '../../src/base/index.ts';
import { serveShards } from '../../src/shards/index.ts';
import { decodeControl } from '../../src/shards/wire/control.ts';
import { decodeKv, decodeKvOpening, decodeTaken } from '../../src/shards/wire/kv.ts';
import {
  decodeOpening,
  decodeRows,
  decodeStep,
  EXACT,
  encodeOpening,
  encodeStep,
  FEED_METHOD,
  KV_METHOD,
  SHARD_METHOD,
} from '../../src/shards/wire/messages.ts';
import type { Session, Swarm } from '../../src/swarm/index.ts';
import { swarmOnLoopback } from '../../src/swarm/testing/nodes.ts';
import { loadHalves, newEngine } from './lab.ts';
import { type Mangled, mangler } from './mangled.ts';

const MODEL = '77'.repeat(32);

export function readMangled(random: Random, count: number): { read: number; refused: number } {
  const width = 8;
  const next = mangler(random, MODEL, width);
  const readers: readonly ((message: Mangled) => unknown)[] = [
    (message) => decodeStep(message, width),
    (message) => decodeRows(message, width, () => 1),
    (message) => decodeKv(message, 64),
    ({ metadata }) => decodeControl(metadata),
    ({ metadata }) => decodeOpening(metadata),
    ({ metadata }) => decodeKvOpening(metadata),
    ({ metadata }) => decodeTaken(metadata),
  ];
  let read = 0;
  let refused = 0;
  for (let i = 0; i < count; i++) {
    const message = next();
    for (const reader of readers)
      try {
        reader(message);
        read++;
      } catch (error) {
        if (!(error instanceof KithError)) throw error;
        refused++;
      }
  }
  return { read, refused };
}

/** @param number of the seeds of its nodes */
export async function sendMangled(
  random: Random,
  count: number,
  number: number,
): Promise<{ sent: number; sessions: number }> {
  const gate = { tierOf: () => 'trusted' as const, strikes: 1e9 };
  const [shard, owner, stranger] = (await Promise.all(
    [0, 1, 2].map((i) => swarmOnLoopback(number + i, { gate })),
  )) as [Swarm, Swarm, Swarm];
  await using engine = newEngine({ context: 256, kvCells: 1024 });
  try {
    await loadHalves(engine);
    const blocks = [{ model: MODEL, from: 0, to: 3, id: 'blocks 0-3', width: 288 }];
    serveShards({ swarm: shard, engine, shards: () => blocks, admit: () => undefined, log: silentLogger });
    for (const one of [owner, stranger]) await one.learn(shard.peer, shard.addresses);
    const opening = (id: number, feeder: string | null = null) => {
      const session = new Uint8Array(16).fill(id);
      const sound = { model: MODEL, from: 0, to: 3, cells: 64, session, feeder, donor: feeder };
      return encodeOpening({ ...sound, last: true, types: EXACT });
    };
    const fed = new Uint8Array(16).fill(201);
    void drain(await stranger.openSession(shard.peer, SHARD_METHOD, opening(201, stranger.peer)));
    await using watched = await owner.openSession(shard.peer, SHARD_METHOD, opening(200));
    assert.equal((await watched.receive())!.metadata.k, 'ready');
    let asked = 0;
    const rows = async (): Promise<Uint8Array> => {
      const n = ++asked;
      const part = { start: 0, count: 1, after: -1, cells: Int32Array.of(0), outputs: 'all' as const };
      const hidden = Float32Array.from({ length: 288 }, (_, i) => Math.cos(i));
      const { metadata, payload } = encodeStep({ n, replay: false, parts: [part], hidden }, 288, EXACT);
      await watched.send(metadata, payload);
      const answer = (await watched.receive())!;
      assert.equal(answer.metadata.k, 'rows');
      return answer.payload;
    };
    const expected = await rows();
    const next = mangler(random, MODEL, 288);
    let sessions = 0;
    let sent = 0;
    let one: Session | null = null;
    while (sent < count) {
      const message = next();
      if (one === null || one.signal.aborted) {
        const [{ method, metadata }] = [
          [
            { method: SHARD_METHOD, metadata: opening((sessions % 100) + 1) },
            { method: FEED_METHOD, metadata: { session: fed } },
            { method: SHARD_METHOD, metadata: message.metadata },
            { method: FEED_METHOD, metadata: { session: new Uint8Array(16).fill(200) } },
            { method: KV_METHOD, metadata: message.metadata },
          ][sessions % 5]!,
        ];
        sessions++;
        one = await stranger.openSession(shard.peer, method, metadata).catch(() => null);
        if (one !== null) void drain(one);
        sent++;
        continue;
      }
      sent++;
      await one.send(message.metadata, message.payload).catch(() => {});
      // What was wrong ends the session a moment later.
      if (sent % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (sent % 500 === 0) assert.ok(Buffer.from(expected).equals(await rows()), `after ${sent} messages`);
    }
    one?.cancel();
    assert.ok(Buffer.from(expected).equals(await rows()));
    return { sent, sessions };
  } finally {
    for (const one of [owner, stranger, shard]) await one[Symbol.asyncDispose]();
  }
}

async function drain(session: Session): Promise<void> {
  try {
    for await (const _ of session);
  } catch {
    // Why it ended is the shard's to say.
  }
}
