import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { createLogger, createManualClock, type KithError } from '../base/index.ts';
import { BarePeer, seedOf, swarmOnLoopback, until } from './testing/nodes.ts';
import type { Swarm } from './types.ts';

const topic = 'kith/test/death';
const key = new Uint8Array(createHash('sha256').update('model').digest());

const clock = createManualClock();
const lines: string[] = [];
const log = createLogger({ stderr: { write: (line) => lines.push(line) }, env: {} });
/** Threads in the order of their birth; once `stillborn`, each is ended as soon as it is there. */
const workers: Worker[] = [];
let stillborn = false;
const onWorker = (worker: Worker) => {
  workers.push(worker);
  if (stillborn) void worker.terminate();
};

let steady: Swarm;
let mortal: Swarm;
let outcast: BarePeer;
let waiting = 0;

const code = (expected: string) => (error: unknown) => {
  assert.equal((error as KithError).code, expected, String(error));
  return true;
};

before(async () => {
  [steady, outcast] = await Promise.all([swarmOnLoopback(20), BarePeer.start(21)]);
  process.on('worker', onWorker);
  // What goes over the thread: a lane ends as if its link had broken.
  mortal = await swarmOnLoopback(22, { clock, log, lanes: 'off' });
  steady.handle('wait', {
    handler: ({ signal }) => {
      waiting++;
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
  });
  steady.handle('hold', {
    session: ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
  });
  await mortal.dial(steady.addresses[0]!);
});

after(async () => {
  process.off('worker', onWorker);
  await Promise.all([steady, mortal, outcast].map((each) => each[Symbol.asyncDispose]()));
  await log[Symbol.asyncDispose]();
});

/** The pause before the next start is over. */
async function rested(ms: number): Promise<void> {
  await until('it rests', () => clock.sleeping === 1);
  await clock.advance(ms);
}

// One life after another: each test goes on where the one before ended.
describe('the death of the swarm thread', () => {
  const heard: string[] = [];

  test('fails what is under way as lost, and the node lives on', async () => {
    mortal.handle('echo', { handler: ({ metadata }) => ({ metadata }) });
    await mortal.subscribe(topic, {
      validate: ({ data }) => {
        heard.push(Buffer.from(data).toString());
        return 'accept';
      },
    });
    await mortal.provide(key);
    await outcast.open(mortal);
    await mortal.ban(outcast.peer, null);
    await assert.rejects(outcast.open(mortal));

    const session = await mortal.openSession(steady.peer, 'hold');
    const reading = session.receive();
    const under = [
      reading,
      mortal.call(steady.peer, 'wait'),
      mortal.call(steady.peer, 'wait', {}, new Uint8Array(100_000)),
    ].map((promise) => assert.rejects(promise, code('swarm_lost')));
    await until('the calls run', () => waiting === 2);
    // These have not even left.
    under.push(
      ...[
        mortal.openSession(steady.peer, 'hold'),
        mortal.ping(steady.peer),
        mortal.findProviders(new Uint8Array(32))[Symbol.asyncIterator]().next(),
      ].map((promise) => assert.rejects(promise, code('swarm_lost'))),
    );
    const died = workers[0]!.terminate();
    await Promise.all(under);
    await died;
    assert.equal(mortal.state, 'restarting');
    assert.equal(session.signal.aborted, true);
    await assert.rejects(session.send({}), code('swarm_lost'));
    await assert.rejects(mortal.call(steady.peer, 'wait'), code('swarm_lost'));
    await assert.rejects(mortal.openSession(steady.peer, 'hold'), code('swarm_lost'));
    await assert.rejects(mortal.publish(topic, new Uint8Array(1)), code('swarm_lost'));
    assert.equal(mortal.counters().restarts, 1);
    assert.equal(workers.length, 1);
  });

  test('is followed by a new one with the methods, topics, provided keys and bans of the old', async () => {
    await rested(199);
    assert.equal(workers.length, 1);
    await clock.advance(1);
    await until('it runs again', () => mortal.state === 'running');
    assert.equal(workers.length, 2);

    // Bans first: nobody could have told the new thread of it since.
    await assert.rejects(outcast.open(mortal));
    assert.deepEqual(mortal.bans(), [{ peer: outcast.peer, until: null }]);

    // One that knows only the new thread: what it finds was told by that one.
    await using seeker = await BarePeer.start(23, { dht: 'server' });
    await seeker.connect(mortal);
    const cid = CID.createV1(0x55, Digest.create(0x12, key));
    await until('the key is provided again', async () => {
      const { dht } = seeker.node.services;
      for await (const event of dht!.findProviders(cid, { signal: AbortSignal.timeout(10_000) }))
        if (event.name === 'PROVIDER' && event.providers.some(({ id }) => String(id) === mortal.peer))
          return true;
      return false;
    });

    await steady.dial(mortal.addresses[0]!);
    assert.deepEqual((await steady.call(mortal.peer, 'echo', { back: true })).metadata, { back: true });
    await using _topic = await steady.subscribe(topic, { validate: () => 'accept' });
    await until('the topic is joined again', async () => {
      await steady.publish(topic, Buffer.from('again'));
      return heard.includes('again');
    });
    await mortal.unban(outcast.peer);
    await outcast.open(mortal);
  });

  test('five times within a minute lets it rest for a minute, and says so', async () => {
    stillborn = true;
    await workers[1]!.terminate();
    for (const pause of [400, 800, 1600]) {
      const born = workers.length;
      assert.equal(mortal.state, 'restarting');
      await rested(pause - 1);
      assert.equal(workers.length, born, `one was born before ${pause} ms`);
      await clock.advance(1);
      await until('the next is born', () => workers.length === born + 1);
      await until('it dies', () => mortal.counters().restarts === born + 1);
    }
    assert.equal(mortal.state, 'broken');
    for (const refused of [
      () => mortal.call(steady.peer, 'wait'),
      () => mortal.openSession(steady.peer, 'hold'),
      () => mortal.dial(steady.addresses[0]!),
      () => mortal.findProviders(key)[Symbol.asyncIterator]().next(),
    ])
      await assert.rejects(refused(), (error: KithError) => {
        assert.deepEqual([error.code, error.status, error.retryAfter], ['swarm_breaker', 503, 60]);
        return true;
      });
    const told = lines.filter((line) => line.includes('the swarm thread ended'));
    assert.equal(told.length, 5);
    assert.match(told[4]!, /broken/);

    await rested(59_999);
    assert.equal(workers.length, 5);
    stillborn = false;
    await clock.advance(1);
    await until('it runs again', () => mortal.state === 'running');
    await steady.dial(mortal.addresses[0]!);
    assert.deepEqual((await steady.call(mortal.peer, 'echo', { n: 2 })).metadata, { n: 2 });
  });
});

describe('a start', () => {
  test('fails on what is no address', async () => {
    await assert.rejects(
      swarmOnLoopback(24, { listen: ['/ip4/127.0.0.1/tcp/99999'] }),
      code('swarm_start_failed'),
    );
  });

  test('fails on a seed of another length before any thread is there', async () => {
    const born = workers.length;
    await assert.rejects(swarmOnLoopback(0, { seed: seedOf(25).subarray(1) }), code('swarm_seed_invalid'));
    assert.equal(workers.length, born);
  });
});
