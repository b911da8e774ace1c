import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { createSeededRandom, type KithError } from '../../src/base/index.ts';
import { encodeHead, FRAME, MAX_PAYLOAD_BYTES, MORE, WINDOW_BYTES } from '../../src/swarm/frames/format.ts';
import type { Misbehaviour, Swarm } from '../../src/swarm/index.ts';
import { helloOf, LANE_METHOD, type LaneTerms, offerOf, readAnswer } from '../../src/swarm/lane/agreement.ts';
import { createLaneIdentity } from '../../src/swarm/lane/certificate.ts';
import { dialLane } from '../../src/swarm/lane/secure.ts';
import { decodeMetadata, encodeRequest } from '../../src/swarm/rpc/envelope.ts';
import { decodeWireError } from '../../src/swarm/rpc/errors.ts';
import { BarePeer, swarmOnLoopback, until } from '../../src/swarm/testing/nodes.ts';

const MIB = 1024 * 1024;
const told: [string, Misbehaviour][] = [];
const own = createLaneIdentity();
const signal = AbortSignal.timeout(120_000);
const seeded = createSeededRandom(7);
let swarm: Swarm;
let friend: Swarm;
let nextSeed = 90;
let ran = 0;

const kindsOf = (peer: string) => told.filter(([who]) => who === peer).map(([, kind]) => kind);
const code = (expected: string) => (error: unknown) => {
  assert.equal((error as KithError).code, expected, String(error));
  return true;
};
const head = (id: number, method: string, payload: number, flags = 0) =>
  encodeHead(
    { type: FRAME.request, id, flags },
    encodeRequest(method, new Uint8Array(16).fill(id), {}),
    payload,
  );

/** What the swarm answers to the call for a lane of a peer that is no Kith. */
async function agree(peer: BarePeer, fingerprint = own.fingerprint): Promise<LaneTerms> {
  const stream = await peer.open(swarm);
  const envelope = encodeRequest(LANE_METHOD, seeded.bytes(16), offerOf(fingerprint));
  stream.send(encodeHead({ type: FRAME.request, id: 1 }, envelope, 0));
  await until('the swarm answers', () => stream.frames.length > 0);
  const { header, metadata } = stream.frames[0]!;
  if (header.type === FRAME.error) throw new Error(decodeWireError(metadata)!.code);
  return readAnswer(decodeMetadata(metadata));
}

/** A lane of a peer that is no Kith, in the hands of a test. */
async function laneOf(peer: BarePeer): Promise<TLSSocket> {
  return dialLane('127.0.0.1', await agree(peer), own, signal);
}

function raw(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  return socket;
}

/** Only who reads learns of an end. */
async function closed(...sockets: Socket[]): Promise<void> {
  for (const socket of sockets) socket.resume();
  await until('the connection is closed', () =>
    sockets.every((socket) => socket.destroyed || socket.readableEnded),
  );
}

before(async () => {
  const onMisbehaviour = (peer: string, kind: Misbehaviour) => void told.push([peer, kind]);
  [swarm, friend] = await Promise.all([
    swarmOnLoopback(
      86,
      { onMisbehaviour, gate: { requestsPerSecond: 5000, strikes: 10, maxBytesInFlight: 128 * MIB } },
      { frameMs: 2000, stallMs: 2000 },
    ),
    swarmOnLoopback(87, { gate: { requestsPerSecond: 5000 } }),
  ]);
  swarm.handle('echo', {
    caps: { maxPayloadBytes: 16 * MIB },
    handler: ({ payload, metadata }) => {
      ran++;
      return { payload, metadata };
    },
  });
  swarm.handle('big', { handler: () => ({ payload: new Uint8Array(8 * MIB) }) });
  swarm.handle('steps', {
    caps: { maxPayloadBytes: 16 * MIB },
    session: async (session) => {
      for await (const { metadata, payload } of session) await session.send(metadata, payload);
    },
  });
  swarm.handle('hold', {
    session: (session) => new Promise((resolve) => session.signal.addEventListener('abort', () => resolve())),
  });
  await friend.dial(swarm.addresses[0]!);
});

after(async () => {
  await Promise.all([swarm[Symbol.asyncDispose](), friend[Symbol.asyncDispose]()]);
});

/** After each attack others are served over lanes, and nothing of the attacker is held. */
async function unharmed(): Promise<void> {
  await using session = await friend.openSession(swarm.peer, 'steps');
  assert.equal(session.path, 'lane');
  await session.send({ n: 1 }, new Uint8Array(100_000).fill(5));
  const answer = await session.receive();
  assert.deepEqual(
    [answer!.metadata, answer!.payload.length, answer!.payload[99_999]],
    [{ n: 1 }, 100_000, 5],
  );
  session.cancel();
  await until('the bytes are let go', () => swarm.counters().bytesInFlight === 0);
}

describe('a lane', () => {
  test('carries sessions, and large messages as they are', async () => {
    const session = await friend.openSession(swarm.peer, 'steps', { hello: true });
    assert.equal(session.path, 'lane');
    assert.ok((await friend.links()).some((link) => link.peer === swarm.peer && link.lanes > 0));
    for (const size of [0, 1, 1023, 1024, 65_537, 5 * MIB, MAX_PAYLOAD_BYTES]) {
      await session.send({ size }, new Uint8Array(size).fill(size % 251));
      const { metadata, payload } = (await session.receive())!;
      assert.deepEqual(metadata, { size });
      assert.ok(payload.length === size && payload.every((byte) => byte === size % 251));
    }
    await session.end();
    assert.equal(await session.receive(), null);
    await unharmed();
  });

  test('carries calls once they are worth it, and what was asked over the link is not run again', async () => {
    const id = new Uint8Array(16).fill(1);
    const before = ran;
    const { lanesOut } = friend.counters();
    const first = await friend.call(swarm.peer, 'echo', { n: 1 }, undefined, { id });
    await friend.call(swarm.peer, 'echo', {}, new Uint8Array(MIB));
    await until('a lane for calls stands', () => friend.counters().lanesOut > lanesOut);
    await until('calls go over it', async () => {
      const sent = friend.counters().bytesOut;
      await friend.call(swarm.peer, 'echo', {}, new Uint8Array(100));
      // The counters of the swarm thread do not know of it.
      return friend.counters().bytesOut > sent;
    });
    const under = ran;
    assert.deepEqual(await friend.call(swarm.peer, 'echo', { n: 2 }, undefined, { id }), first);
    assert.deepEqual([ran, under > before], [under, true]);
    await assert.rejects(friend.call(swarm.peer, 'nothing'), code('swarm_unknown_method'));
    await assert.rejects(
      friend.call(swarm.peer, 'echo', {}, new Uint8Array(5000), { maxReplyBytes: 1000 }),
      code('swarm_too_large'),
    );
    const many = Array.from({ length: 12 }, (_, n) =>
      friend.call(swarm.peer, 'echo', { n }, new Uint8Array(200_000)),
    );
    assert.deepEqual(
      (await Promise.all(many)).map(({ metadata }) => metadata.n),
      many.map((_, n) => n),
    );
  });

  test('ends with the link, and a session on it with swarm_reset', async () => {
    const session = await friend.openSession(swarm.peer, 'hold');
    assert.equal(session.path, 'lane');
    const reading = assert.rejects(session.receive(), code('swarm_reset'));
    await friend.disconnect(swarm.peer);
    await reading;
    await until('none is left', async () => (await friend.links()).length === 0);
    await friend.dial(swarm.addresses[0]!);
    await unharmed();
  });

  test('ends with a ban in the middle of a session', async () => {
    const session = await friend.openSession(swarm.peer, 'hold');
    const reading = assert.rejects(session.receive(), code('swarm_reset'));
    await swarm.ban(friend.peer, null);
    await reading;
    await assert.rejects(friend.openSession(swarm.peer, 'hold', {}, { openMs: 2000 }));
    await swarm.unban(friend.peer);
    await until('it may come again', () =>
      friend.dial(swarm.addresses[0]!).then(
        () => true,
        () => false,
      ),
    );
    await unharmed();
  });

  test('is not opened where one side has them off, and the session takes a stream', async () => {
    await using without = await swarmOnLoopback(88, { lanes: 'off' });
    without.handle('hold', { session: async (session) => void (await session.receive()) });
    await friend.dial(without.addresses[0]!);
    const session = await friend.openSession(without.peer, 'hold');
    assert.equal(session.path, 'stream');
    session.cancel();
    await swarm.dial(without.addresses[0]!);
    await until('both know of the link', async () =>
      (await without.links()).some(({ peer }) => peer === swarm.peer),
    );
    await using back = await without.openSession(swarm.peer, 'hold');
    assert.equal(back.path, 'stream');
  });

  test('is opened in a private network only where both owners say always', async () => {
    const psk = Buffer.from(`/key/swarm/psk/1.0.0/\n/base16/\n${'c3'.repeat(32)}`);
    const [auto, one, other] = await Promise.all([
      swarmOnLoopback(83, { psk }),
      swarmOnLoopback(84, { psk, lanes: 'always' }),
      swarmOnLoopback(85, { psk, lanes: 'always' }),
    ]);
    try {
      for (const each of [auto, other])
        each.handle('hold', { session: async (session) => void (await session.receive()) });
      await Promise.all([one.dial(auto.addresses[0]!), one.dial(other.addresses[0]!)]);
      await using plain = await one.openSession(auto.peer, 'hold');
      await using laned = await one.openSession(other.peer, 'hold');
      assert.deepEqual([plain.path, laned.path], ['stream', 'lane']);
    } finally {
      await Promise.all([auto, one, other].map((each) => each[Symbol.asyncDispose]()));
    }
  });
});

describe('the port of lanes', () => {
  test('lets in nobody with another certificate, and a ticket once', async () => {
    await using peer = await BarePeer.start(nextSeed++);
    const terms = await agree(peer);
    const { lanesIn, lanesRefused } = swarm.counters();
    const thief = await dialLane('127.0.0.1', terms, createLaneIdentity(), signal).catch(() => null);
    // TLS 1.3 lets a client believe that it is done before its certificate was looked at.
    if (thief !== null) await closed(thief);
    const late = raw(terms.port);
    late.write(helloOf(terms.ticket));
    await closed(late);
    await assert.rejects(
      dialLane('127.0.0.1', { ...(await agree(peer)), fingerprint: own.fingerprint }, own, signal),
    );
    assert.equal(swarm.counters().lanesIn, lanesIn);
    assert.ok(swarm.counters().lanesRefused > lanesRefused);
    const socket = await laneOf(peer);
    await until('the lane stands', () => swarm.counters().lanesIn === lanesIn + 1);
    socket.destroy();
    await unharmed();
  });

  test('closes on who brings no ticket, one that nobody gave, or no TLS after it', async () => {
    await using peer = await BarePeer.start(nextSeed++);
    const terms = await agree(peer);
    const attempts = [
      Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\nX-Filler: 1234567890\r\n\r\n'),
      helloOf(new Uint8Array(32).fill(1)),
      Buffer.concat([helloOf(terms.ticket), seeded.bytes(2000)]),
    ];
    const sockets = attempts.map((bytes) => {
      const socket = raw(terms.port);
      socket.write(bytes);
      return socket;
    });
    await closed(...sockets);
    await unharmed();
  });

  test('bounds connections that wait, and gives up those that say nothing', async () => {
    await using peer = await BarePeer.start(nextSeed++);
    const { port } = await agree(peer);
    const sockets = Array.from({ length: 60 }, () => raw(port));
    await until('most are closed', () => sockets.filter((socket) => socket.destroyed).length >= 44);
    await closed(...sockets);
    // The ticket that nobody used ends, and nobody listens any more.
    await until('the port is closed', async () => {
      const socket = raw(port);
      return new Promise<boolean>((resolve) => {
        socket.once('connect', () => resolve(false)).once('error', () => resolve(true));
      }).finally(() => socket.destroy());
    });
    await unharmed();
  });
});

describe('on a lane', () => {
  test('frames that claim too much, noise, and data beyond the window cut it and are told to trust', async () => {
    await using peer = await BarePeer.start(nextSeed++);
    const huge = head(1, 'echo', 0);
    new DataView(huge.buffer, huge.byteOffset).setUint32(20, MAX_PAYLOAD_BYTES + 1);
    const beyond = [head(1, 'hold', 0, MORE)];
    for (let sequence = 0; sequence * MIB < WINDOW_BYTES + 2 * MIB; sequence++)
      beyond.push(encodeHead({ type: FRAME.data, id: 1, sequence }, undefined, MIB), new Uint8Array(MIB));
    for (const pieces of [[huge], [new Uint8Array(100).fill(0xee)], beyond]) {
      const socket = await laneOf(peer);
      for (const piece of pieces) socket.write(piece);
      socket.resume();
      await closed(socket);
    }
    await until('trust is told', () => kindsOf(peer.peer).length === 3);
    assert.deepEqual(kindsOf(peer.peer), ['oversize', 'garbage', 'window']);
    await unharmed();
  });

  test('who does not read, or stops within a frame, is cut', async () => {
    await using peer = await BarePeer.start(nextSeed++);
    const [deaf, within] = [await laneOf(peer), await laneOf(peer)];
    for (let id = 1; id <= 6; id++) deaf.write(head(id, 'big', 0));
    within.write(head(1, 'echo', 1000).subarray(0, 40));
    await until('trust is told', () => kindsOf(peer.peer).length === 2);
    assert.deepEqual(kindsOf(peer.peer).sort(), ['half_open', 'slow_reader']);
    for (const socket of [deaf, within]) socket.destroy();
    await unharmed();
  });
});
