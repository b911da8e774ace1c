import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import {
  CALL_PROTOCOL,
  encodeHead,
  FRAME,
  HEADER_BYTES,
  MAX_PAYLOAD_BYTES,
  MORE,
  WINDOW_BYTES,
} from './frames/format.ts';
import { encodeRequest } from './rpc/envelope.ts';
import { decodeWireError } from './rpc/errors.ts';
import { BarePeer, BareStream, swarmOnLoopback, until } from './testing/nodes.ts';
import type { Misbehaviour, Session, Swarm } from './types.ts';

const MIB = 1024 * 1024;
const told: [string, Misbehaviour][] = [];
let swarm: Swarm;
let friend: Swarm;
let nextSeed = 40;

/** A hostile peer of its own for each test: what one did must not count against the next. */
async function hostile(): Promise<BarePeer> {
  return BarePeer.start(nextSeed++);
}

const request = (id: number, method: string, payload = 0, flags = 0) => {
  const envelope = encodeRequest(method, new Uint8Array(16).fill(id % 256), {});
  return encodeHead({ type: FRAME.request, id, flags }, envelope, payload);
};

const kindsOf = (peer: string) => told.filter(([who]) => who === peer).map(([, kind]) => kind);

async function answers(stream: BareStream, count = 1): Promise<BareStream['frames']> {
  await until('an answer comes', () => stream.frames.length >= count);
  return stream.frames;
}

const codeOf = (frame: BareStream['frames'][number]) => decodeWireError(frame.metadata)?.code;

before(async () => {
  const onMisbehaviour = (peer: string, kind: Misbehaviour) => void told.push([peer, kind]);
  [swarm, friend] = await Promise.all([
    swarmOnLoopback(
      30,
      {
        onMisbehaviour,
        gate: {
          requestsPerSecond: 50,
          requestBurst: 200,
          maxBytesInFlight: 32 * MIB,
          maxSessionsPerPeer: 4,
          strikes: 3,
        },
        limits: { connectionsPerSecond: 10_000, maxStreams: 16, maxConnections: 30 },
      },
      { frameMs: 2000, stallMs: 2000 },
    ),
    swarmOnLoopback(31, { gate: { requestsPerSecond: 5000 } }),
  ]);
  swarm.handle('echo', { caps: { maxPayloadBytes: 4 * MIB }, handler: ({ payload }) => ({ payload }) });
  swarm.handle('big', { caps: { maxConcurrent: 64 }, handler: () => ({ payload: new Uint8Array(8 * MIB) }) });
  swarm.handle('hold', {
    session: (session: Session) =>
      new Promise((resolve) => session.signal.addEventListener('abort', () => resolve())),
  });
  await friend.dial(swarm.addresses[0]!);
});

after(async () => {
  await Promise.all([swarm[Symbol.asyncDispose](), friend[Symbol.asyncDispose]()]);
});

/** After each attack the swarm serves others and holds no bytes of the attacker. */
async function unharmed(): Promise<void> {
  const reply = await friend.call(swarm.peer, 'echo', {}, new Uint8Array(100_000));
  assert.equal(reply.payload.length, 100_000);
  await until('the bytes are let go', () => swarm.counters().bytesInFlight === 0);
  assert.equal(swarm.counters().restarts, 0);
}

describe('bytes that are no frame', () => {
  test('cut the stream, are told to trust, and three times cut the peer for a while', async () => {
    await using peer = await hostile();
    for (let attempt = 1; attempt <= 3; attempt++) {
      const stream = await peer.open(swarm);
      stream.send(new Uint8Array(1000).fill(0xee));
      await until('the stream is cut', () => stream.closed);
      await until('trust is told', () => kindsOf(peer.peer).length === attempt);
    }
    assert.deepEqual(kindsOf(peer.peer), ['garbage', 'garbage', 'garbage']);
    await until('the peer is cut', async () =>
      (await swarm.links()).every((link) => link.peer !== peer.peer),
    );
    assert.ok(swarm.bans().some((ban) => ban.peer === peer.peer && ban.until !== null));
    // The handshake may look done to the one who dials; nothing can be opened on it.
    await assert.rejects(peer.open(swarm));
    await unharmed();
  });

  test('that claim too much are refused by their header alone', async () => {
    await using peer = await hostile();
    for (const [at, value] of [
      [20, MAX_PAYLOAD_BYTES + 1],
      [16, 0xffffffff],
    ] as const) {
      const stream = await peer.open(swarm);
      const header = encodeHead({ type: FRAME.request, id: 1 }, undefined, 0);
      new DataView(header.buffer).setUint32(at, value);
      stream.send(header);
      await until('the stream is cut', () => stream.closed);
    }
    await until('trust is told', () => kindsOf(peer.peer).length === 2);
    assert.deepEqual(kindsOf(peer.peer), ['oversize', 'oversize']);
    await unharmed();
  });

  test('in a request’s metadata, or out of turn, cut the stream', async () => {
    await using peer = await hostile();
    const bad = [
      encodeHead({ type: FRAME.request, id: 1 }, Buffer.from('a1', 'hex'), 0),
      encodeHead({ type: FRAME.data, id: 1 }, undefined, 0),
    ];
    for (const bytes of bad) {
      const stream = await peer.open(swarm);
      stream.send(bytes);
      await until('the stream is cut', () => stream.closed);
    }
    await until('trust is told', () => kindsOf(peer.peer).length === 2);
    assert.deepEqual(kindsOf(peer.peer), ['garbage', 'protocol']);
    await unharmed();
  });
});

describe('frames that are too large or too many', () => {
  test('are refused by the method’s cap while the stream goes on', async () => {
    await using peer = await hostile();
    const stream = await peer.open(swarm);
    stream.send(
      request(1, 'echo', 5 * MIB),
      new Uint8Array(5 * MIB),
      request(2, 'echo', 3),
      new Uint8Array([1, 2, 3]),
    );
    const [first, second] = await answers(stream, 2);
    assert.equal(codeOf(first!), 'swarm_too_large');
    assert.deepEqual([second!.header.type, [...second!.payload]], [FRAME.response, [1, 2, 3]]);
    await unharmed();
  });

  test('that wait unfinished hold no more than the peer’s share, and not for long', async () => {
    await using peer = await hostile();
    const streams = await Promise.all(Array.from({ length: 8 }, () => peer.open(swarm)));
    for (const stream of streams) stream.send(request(1, 'echo', 4 * MIB), new Uint8Array(10));
    await until('they hold their share', () => swarm.counters().bytesInFlight > 0);
    assert.ok(swarm.counters().bytesInFlight <= 8 * MIB, `${swarm.counters().bytesInFlight} bytes are held`);
    for (const stream of streams) stream.stream.abort(new Error('enough'));
    await unharmed();
  });

  test('of small requests are slowed by the bucket, then cut', async () => {
    await using peer = await hostile();
    const stream = await peer.open(swarm);
    const flood = (from: number, count: number) =>
      stream.send(Buffer.concat(Array.from({ length: count }, (_, index) => request(from + index, 'echo'))));
    // Places come back by 50 a second: there are enough more than 200 for seconds of a machine that is busy elsewhere.
    flood(1, 400);
    await answers(stream, 400);
    const codes = stream.frames.map((frame) => codeOf(frame) ?? 'answered');
    assert.ok(codes.includes('answered') && codes.includes('swarm_rate'), [...new Set(codes)].join());
    assert.equal(stream.closed, false);
    flood(401, 1200);
    await until('the stream is cut', () => stream.closed);
    assert.deepEqual(kindsOf(peer.peer), ['rate']);
    assert.ok(swarm.counters().refusedRequests >= 256);
    await unharmed();
  });
});

describe('streams and connections', () => {
  test('beyond what one peer may have cost it its place', async () => {
    await using peer = await hostile();
    const connection = await peer.connect(swarm);
    // Once the other end has let it in: a connection with many streams before that is ended without a word.
    const first = await peer.open(swarm);
    first.send(encodeHead({ type: FRAME.ping }, undefined, 0));
    await answers(first);
    // Each says something whole, so that it may stay. Those still being opened when the peer is cut fail.
    const open = async () => (await peer.open(swarm)).send(encodeHead({ type: FRAME.ping }, undefined, 0));
    await Promise.allSettled(Array.from({ length: 30 }, open));
    await until('trust is told', () => kindsOf(peer.peer).includes('stream_flood'));
    await until('the connection is cut', () => connection.status !== 'open');
    await unharmed();
  });

  test('in hundreds that say nothing leave room for others', async () => {
    const port = Number(/\/tcp\/(\d+)/.exec(swarm.addresses[0]!)![1]);
    const sockets: Socket[] = [];
    for (let index = 0; index < 300; index++) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      sockets.push(socket);
    }
    await Promise.all(sockets.map((socket) => once(socket, 'connect').catch(() => {})));
    for (const socket of sockets) socket.write(Buffer.alloc(64, 0xff));
    await unharmed();
    for (const socket of sockets) socket.destroy();
    assert.ok((await swarm.links()).length <= 30);
    // And a new peer comes in once they are gone.
    await until('a new peer gets in', async () => {
      await using peer = await hostile();
      return await peer.connect(swarm).then(
        () => true,
        () => false,
      );
    });
  });

  test('of sessions are bounded for each peer', async () => {
    await using peer = await hostile();
    const streams: BareStream[] = [];
    for (let index = 0; index < 5; index++) {
      const stream = await peer.open(swarm);
      stream.send(request(1, 'hold', 0, MORE));
      await answers(stream);
      streams.push(stream);
    }
    assert.deepEqual(
      streams.map(({ frames }) => (frames[0]!.header.type === FRAME.response ? 'open' : codeOf(frames[0]!))),
      ['open', 'open', 'open', 'open', 'swarm_busy'],
    );
    streams[0]!.stream.abort(new Error('done'));
    const next = await (async () => {
      let stream: BareStream | undefined;
      await until('a place is free', async () => {
        stream = await peer.open(swarm);
        stream.send(request(1, 'hold', 0, MORE));
        return (await answers(stream))[0]!.header.type === FRAME.response;
      });
      return stream!;
    })();
    assert.equal(next.closed, false);
  });
});

describe('readers and writers that keep to no window', () => {
  test('are cut when they send beyond it', async () => {
    await using peer = await hostile();
    const stream = await peer.open(swarm);
    stream.send(request(1, 'hold', 0, MORE));
    await answers(stream);
    const part = MIB;
    for (let sequence = 0; sequence * part < WINDOW_BYTES + 2 * part; sequence++)
      stream.send(encodeHead({ type: FRAME.data, id: 1, sequence }, undefined, part), new Uint8Array(part));
    await until('the stream is cut', () => stream.closed);
    await until('trust is told', () => kindsOf(peer.peer).length === 1);
    assert.deepEqual(kindsOf(peer.peer), ['window']);
    await unharmed();
  });

  test('are cut when they grant what nobody sent', async () => {
    await using peer = await hostile();
    const stream = await peer.open(swarm);
    stream.send(request(1, 'hold', 0, MORE));
    await answers(stream);
    stream.send(encodeHead({ type: FRAME.window, id: 1, argument: 1000 }, undefined, 0));
    await until('the stream is cut', () => stream.closed);
    assert.deepEqual(kindsOf(peer.peer), ['protocol']);
  });
});

// Side by side: each is two seconds of waiting.
describe('peers that stand still', { concurrency: true }, () => {
  test('that open a stream and say nothing, or stop within a frame, are cut', async () => {
    await using peer = await hostile();
    const silent = await peer.open(swarm);
    // The name of the protocol has gone out; the stream itself says nothing more.
    const within = await peer.open(swarm);
    within.send(request(1, 'echo', 1000).subarray(0, HEADER_BYTES + 5));
    await until('both are cut', () => silent.closed && within.closed);
    await until('trust is told', () => kindsOf(peer.peer).length === 2);
    assert.deepEqual(kindsOf(peer.peer), ['half_open', 'half_open']);
    await unharmed();
  });

  test('are not what a node looks like that gives a call up while it opens a stream for it', async () => {
    await using peer = await hostile();
    const streams: BareStream[] = [];
    await peer.node.handle(CALL_PROTOCOL, (stream) => void streams.push(new BareStream(stream)));
    await peer.connect(swarm);
    await until('the link stands', async () => (await swarm.links()).some((link) => link.peer === peer.peer));
    const leaving = new AbortController();
    const call = swarm.call(peer.peer, 'echo', {}, undefined, { signal: leaving.signal });
    setImmediate(() => leaving.abort());
    await assert.rejects(call);
    await until('the stream says something', () => streams[0]?.frames[0] !== undefined);
  });

  test('that ask for much and do not read are cut', async () => {
    await using peer = await hostile();
    const stream = await peer.open(swarm);
    stream.stream.pause();
    stream.send(...Array.from({ length: 4 }, (_, index) => request(index + 1, 'big')));
    await until('trust is told', () => kindsOf(peer.peer).includes('slow_reader'));
    await unharmed();
  });
});

describe('a private network with a gate', () => {
  const psk = (byte: string) => Buffer.from(`/key/swarm/psk/1.0.0/\n/base16/\n${byte.repeat(32)}`);
  const low = new Set<string>();
  let one: Swarm;
  before(async () => {
    const tierOf = (peer: string) => (low.has(peer) ? 'known' : 'verified');
    one = await swarmOnLoopback(70, { psk: psk('a1'), gate: { minTier: 'verified', tierOf } });
    one.handle('echo', { handler: () => ({ metadata: { in: true } }) });
  });
  after(() => one[Symbol.asyncDispose]());

  test('lets in who has its key and nobody else, and a dial with a wrong one ends by its deadline', async () => {
    await using two = await BarePeer.start(71, { psk: psk('a1') });
    await using wrong = await BarePeer.start(72, { psk: psk('b2') });
    const unreachable = { code: 'swarm_unreachable' };
    await Promise.all([
      assert.rejects(one.dial(String(wrong.node.getMultiaddrs()[0]), { deadlineMs: 500 }), unreachable),
      assert.rejects(friend.dial(one.addresses[0]!, { deadlineMs: 500 }), unreachable),
      assert.rejects(wrong.connect(one)),
    ]);
    const stream = await two.open(one);
    stream.send(request(1, 'echo'));
    assert.equal((await answers(stream))[0]!.header.type, FRAME.response);
    assert.deepEqual(
      (await one.links()).map(({ peer }) => peer),
      [two.peer],
    );
  });

  test('keeps out peers below its tier, though they have the key, and dials none', async () => {
    await using peer = await BarePeer.start(75, { psk: psk('a1') });
    low.add(peer.peer);
    const refused = one.counters().refusedConnections;
    await assert.rejects(peer.open(one));
    assert.ok((await one.links()).every((link) => link.peer !== peer.peer));
    assert.ok(one.counters().refusedConnections > refused);
    await assert.rejects(one.dial(String(peer.node.getMultiaddrs()[0])), { code: 'swarm_unreachable' });
    await assert.rejects(one.call(peer.peer, 'echo', {}), { code: 'swarm_denied' });
    low.delete(peer.peer);
    const stream = await peer.open(one);
    stream.send(request(1, 'echo'));
    assert.equal((await answers(stream))[0]!.header.type, FRAME.response);
  });
});

describe('the gate', () => {
  test('keeps a banned peer out until the ban ends', async () => {
    await using peer = await hostile();
    await peer.connect(swarm);
    await swarm.ban(peer.peer, null);
    await until('its link is cut', async () =>
      (await swarm.links()).every((link) => link.peer !== peer.peer),
    );
    await assert.rejects(peer.open(swarm));
    await swarm.unban(peer.peer);
    const stream = await peer.open(swarm);
    stream.send(request(1, 'echo'));
    assert.equal((await answers(stream))[0]!.header.type, FRAME.response);
  });
});
