/**
 * What every other implementation has to do with Kith, and Kith with it.
 *
 * @module interop/suite
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { GENERAL_TOPIC } from '../src/swarm/discovery/topics.ts';
import { offerOf, startMember } from '../test/swarm/members.ts';
import { type Kith, METADATA, PAYLOADS, pattern, sha256, startKith, until } from './kith.ts';
import { PeerProcess } from './peer.ts';
import { build, type Language } from './toolchain.ts';

interface Answer {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly bytes: number;
  readonly sha256: string;
  readonly refused?: Readonly<Record<string, unknown>>;
}
type Answers = { readonly answers: readonly Answer[] };
type Providers = { readonly providers: readonly { readonly peer: string }[] };

const GOLDEN = join(import.meta.dirname, 'golden', 'frames.json');
/** More than a window, so that the session stands still without grants. */
const MESSAGES = { count: 24, bytes: 256 * 1024 };
const key = () => new Uint8Array(randomBytes(32));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const reversed = (size: number) => sha256(pattern(size).reverse());
const has = ({ providers }: Providers, peer: string) => providers.some((one) => one.peer === peer);

const isRecordOf = (record: unknown, peer: string, serves: string) => {
  const read = record as { readonly peer: string; readonly serves: readonly string[] } | null;
  return read?.peer === peer && read.serves.includes(serves);
};

/** Further tests of one language; `start` starts another of its peers. */
export interface Lab {
  readonly kith: Kith;
  readonly peer: PeerProcess;
  start(...args: string[]): Promise<PeerProcess>;
}

export function interop(language: Language, more: (lab: () => Lab) => void = () => {}): void {
  const built = build(language);
  if ('skip' in built) {
    test(`Kith and a ${language}-libp2p peer`, { skip: built.skip }, () => {});
    return;
  }
  const { program, compiler } = built;
  const start = (...args: string[]) => PeerProcess.start(program, ...args);

  describe(`Kith and a ${language}-libp2p peer`, () => {
    let kith: Kith;
    let peer: PeerProcess;

    before(async () => {
      kith = await startKith();
      peer = await start();
      await peer.ask('dial', { address: kith.address });
    });
    after(async () => {
      await peer?.[Symbol.asyncDispose]();
      await kith?.[Symbol.asyncDispose]();
    });

    const said = (context: TestContext, what: string) => context.diagnostic(what);
    const toldOf = (name: string, of: string) =>
      kith.misbehaviours.some(({ peer, kind }) => peer === name && kind === of);
    /** A swarm that has no link but the one to `address`, and answers no lookups. */
    const client = async (address: string) => {
      const one = await startKith({ dht: 'client' });
      await one.swarm.dial(address);
      return one;
    };
    const toPeer = (payload: Uint8Array, method = 'interop/reverse', options = {}) =>
      kith.swarm.call(peer.peer, method, METADATA, payload, options);
    const fromPeer = (method: string, fields: Record<string, unknown> = {}) =>
      peer.ask<Answers>('call', { peer: kith.swarm.peer, method, metadata: METADATA, sizes: [0], ...fields });

    test('they write and read the golden frames alike', (context) => {
      const { status, stdout, stderr } = spawnSync(program, ['-golden', GOLDEN], { encoding: 'utf8' });
      assert.equal(status, 0, stderr);
      said(context, `${compiler}; ${JSON.stringify(peer.versions)}; ${stdout.trim()}`);
    });

    for (const security of ['tls', 'noise'])
      test(`they connect with ${security} and yamux, whoever dials`, async () => {
        await using one = await start('-security', security);
        const { encryption, direction } = await kith.swarm.dial(one.address);
        assert.deepEqual([encryption, direction], [security === 'tls' ? '/tls/1.0.0' : '/noise', 'out']);
        assert.equal((await kith.swarm.call(one.peer, 'interop/reverse', {}, pattern(9))).metadata.bytes, 9);
        await kith.swarm.disconnect(one.peer);
        await until('the link is gone', async () =>
          (await kith.swarm.links()).every((link) => link.peer !== one.peer),
        );
        await one.ask('dial', { address: kith.address });
        // The dialler may have finished before this side.
        await until('the link stands', async () =>
          (await kith.swarm.links()).some(
            (link) => link.peer === one.peer && link.direction === 'in' && link.encryption === encryption,
          ),
        );
        const { answers } = await one.ask<Answers>('call', {
          peer: kith.swarm.peer,
          method: 'interop/reverse',
          sizes: [9],
        });
        assert.equal(answers[0]!.sha256, reversed(9));
      });

    test('Kith prefers TLS where both sides have it', async () => {
      await using one = await start();
      assert.equal((await kith.swarm.dial(one.address)).encryption, '/tls/1.0.0');
    });

    test('each identifies the other', async () => {
      const { agent, protocols } = await peer.ask<{ agent: string; protocols: string[] }>('identify', {
        peer: kith.swarm.peer,
      });
      assert.match(agent, /^kith/);
      for (const protocol of ['/kith/call/1.0.0', '/kith/kad/1.0.0', '/ipfs/ping/1.0.0'])
        assert.ok(protocols.includes(protocol), `${protocol} is not among ${protocols}`);
      assert.ok(protocols.some((protocol) => protocol.startsWith('/meshsub/')));
      await until('the peer was asked who it is', async () => {
        const { counts } = await peer.ask<{ counts: { identified?: number } }>('counts');
        return (counts.identified ?? 0) > 0;
      });
    });

    test('each pings the other', async (context) => {
      const { ms } = await peer.ask<{ ms: number }>('ping', { peer: kith.swarm.peer });
      assert.ok(ms > 0);
      const own = await kith.swarm.ping(peer.peer);
      said(context, `ping of libp2p ${ms.toFixed(2)} ms, of calls ${own.toFixed(2)} ms`);
      const { counts } = await peer.ask<{ counts: { framePings?: number } }>('counts');
      assert.ok(counts.framePings! > 0);
      // Kith's monitor of connections, every ten seconds.
      await peer.event((event) => event.event === 'pinged' && event.peer === kith.swarm.peer);
    });

    test('the peer answers calls of Kith', async () => {
      for (const size of PAYLOADS) {
        const { metadata, payload } = await toPeer(pattern(size), 'interop/reverse', { deadlineMs: 60_000 });
        assert.deepEqual(metadata, { ...METADATA, bytes: size, deadline: true });
        assert.equal(sha256(payload), reversed(size));
      }
    });

    test('Kith answers calls of the peer, side by side on one stream', async () => {
      const { answers } = await fromPeer('interop/reverse', { sizes: PAYLOADS, deadlineMs: 60_000 });
      for (const [at, size] of PAYLOADS.entries())
        assert.deepEqual(answers[at], {
          metadata: { ...METADATA, bytes: size, deadline: true },
          bytes: size,
          sha256: reversed(size),
        });
    });

    test('each understands that the other refuses', async () => {
      const refused = { code: 'interop_refused', status: 429, retryAfter: 7 };
      await assert.rejects(toPeer(pattern(1), 'interop/refuse'), {
        name: 'PeerError',
        ...refused,
        message: 'Refused, as asked for.',
      });
      await assert.rejects(toPeer(pattern(1), 'interop/unheard-of'), { code: 'swarm_unknown_method' });
      await assert.rejects(kith.swarm.openSession(peer.peer, 'interop/unheard-of'), {
        code: 'swarm_unknown_method',
      });
      const [theirs, unknown] = [await fromPeer('interop/refuse'), await fromPeer('interop/unheard-of')];
      assert.deepEqual(theirs.answers[0]!.refused, { ...refused, message: 'Refused, as asked for.' });
      assert.equal(unknown.answers[0]!.refused!.code, 'swarm_unknown_method');
      const large = await fromPeer('interop/reverse', { sizes: [3 * 1024 * 1024, 5] });
      assert.equal(large.answers[0]!.refused!.code, 'swarm_too_large');
      assert.equal(large.answers[1]!.bytes, 5);
    });

    test('a call that comes twice under one id runs once', async () => {
      const before = kith.ran.get('interop/reverse')!;
      const callId = hex(key().slice(0, 16));
      const { answers } = await fromPeer('interop/reverse', { sizes: [4], callId });
      const again = await fromPeer('interop/reverse', { sizes: [4], callId });
      assert.deepEqual(again.answers, answers);
      assert.equal(kith.ran.get('interop/reverse'), before + 1);
    });

    test('each learns that the other gave up a call', async () => {
      const { pong } = await peer.ask('cancel', { peer: kith.swarm.peer, method: 'interop/wait' });
      assert.equal(pong, true);
      await kith.cancelled;
      const leave = new AbortController();
      const call = toPeer(pattern(0), 'interop/wait', { signal: leave.signal });
      await peer.event((event) => event.event === 'waiting');
      leave.abort();
      await assert.rejects(call, { code: 'aborted' });
      await peer.event((event) => event.event === 'cancelled');
    });

    test('sessions carry more than their window, whoever opens them', async () => {
      const { count, bytes } = MESSAGES;
      const theirs = await peer.ask('session', {
        peer: kith.swarm.peer,
        method: 'interop/mirror',
        sizes: [bytes],
        count,
      });
      assert.deepEqual([theirs.messages, theirs.same], [count, true]);
      assert.ok((theirs.grants as number) > 0);
      await using session = await kith.swarm.openSession(peer.peer, 'interop/mirror');
      const sending = (async () => {
        for (let at = 0; at < count; at++) await session.send({ n: at }, pattern(bytes));
        await session.end();
      })();
      const expected = sha256(pattern(bytes));
      let messages = 0;
      for await (const { metadata, payload } of session) {
        assert.equal(metadata.n, messages++);
        assert.equal(sha256(payload), expected);
      }
      await sending;
      assert.equal(messages, count);
    });

    test('the peer is asked for a lane, gives none, and is served without', async () => {
      await until('it was asked', async () => {
        const { counts } = await peer.ask<{ counts: { lanes?: number } }>('counts');
        return (counts.lanes ?? 0) > 0;
      });
      assert.equal((await toPeer(pattern(5))).metadata.bytes, 5);
    });

    for (const kind of ['oversize', 'huge', 'garbage'])
      test(`Kith cuts a stream with a hostile frame: ${kind}`, async () => {
        await using one = await start();
        await one.ask('dial', { address: kith.address });
        const { cut, reset } = await one.ask('hostile', {
          peer: kith.swarm.peer,
          method: 'interop/reverse',
          kind,
        });
        assert.deepEqual([cut, reset], [true, true]);
        const told = kind === 'garbage' ? 'garbage' : 'oversize';
        await until('trust was told', () => toldOf(one.peer, told));
      });

    test('Kith cuts a stream whose answer is larger than any may be', async () => {
      await using one = await start();
      await kith.swarm.dial(one.address);
      await assert.rejects(kith.swarm.call(one.peer, 'interop/oversize'), { code: 'swarm_reset' });
      await until('trust was told', () => toldOf(one.peer, 'oversize'));
    });

    test('Kith finds through the peer who provides a key, and reaches them', async () => {
      await using provider = await client(peer.address);
      await using seeker = await client(peer.address);
      const wanted = key();
      await using _ = await provider.swarm.provide(wanted);
      await until('the peer holds the record', async () =>
        has(await peer.ask<Providers>('stored', { key: hex(wanted) }), provider.swarm.peer),
      );
      await until('the seeker finds it', async () => {
        for await (const { peer } of seeker.swarm.findProviders(wanted))
          if (peer === provider.swarm.peer) return true;
        return false;
      });
      // Nobody but the peer has told where it is.
      const { payload } = await seeker.swarm.call(provider.swarm.peer, 'interop/reverse', {}, pattern(7));
      assert.equal(sha256(payload), reversed(7));
    });

    test('the peer finds through Kith who provides a key', async () => {
      await using provider = await client(kith.address);
      const wanted = key();
      await using _ = await provider.swarm.provide(wanted);
      await until('the peer finds it', async () =>
        has(await peer.ask<Providers>('find', { key: hex(wanted) }), provider.swarm.peer),
      );
    });

    test('Kith finds what the peer itself provides', async () => {
      await using seeker = await client(kith.address);
      const wanted = key();
      await until('Kith holds the record', async () => {
        await peer.ask('provide', { key: hex(wanted) });
        for await (const found of seeker.swarm.findProviders(wanted))
          if (found.peer === peer.peer) return true;
        return false;
      });
    });

    test('the peer finds another through Kith', async () => {
      await using other = await start();
      await other.ask('dial', { address: kith.address });
      await until('it is found', async () =>
        has(await peer.ask<Providers>('findPeer', { peer: other.peer }), other.peer),
      );
    });

    test('signed announcements cross in both directions', async () => {
      const topic = `kith/ann/1/${hex(key())}`;
      const heard: { from: string; data: string }[] = [];
      await using _ = await kith.swarm.subscribe(topic, {
        validate({ from, data }) {
          heard.push({ from, data: hex(data) });
          return 'accept';
        },
      });
      await peer.ask('subscribe', { topic });
      await until('each knows that the other listens', async () => {
        const { peers } = await peer.ask<{ peers: string[] }>('subscribers', { topic });
        return peers.includes(kith.swarm.peer) && (await kith.swarm.subscribers(topic)).includes(peer.peer);
      });
      const [ours, theirs] = [key(), key()];
      assert.equal(await kith.swarm.publish(topic, ours), 1);
      const { from, via, data, signed } = await peer.event(
        (event) => event.event === 'gossip' && event.topic === topic,
      );
      assert.deepEqual([from, via, data, signed], [kith.swarm.peer, kith.swarm.peer, hex(ours), true]);
      await until('Kith hears it', async () => {
        await peer.ask('publish', { topic, data: hex(theirs) });
        return heard.length > 0;
      });
      assert.deepEqual(heard[0], { from: peer.peer, data: hex(theirs) });
    });

    test('the registry of a node takes in what the peer announces, and the peer what the node does', async () => {
      await using member = await startMember(1);
      await peer.ask('dial', { address: member.swarm.addresses[0]! });
      await peer.ask('subscribe', { topic: GENERAL_TOPIC });
      await until('the peer knows that the node listens', async () => {
        const { peers } = await peer.ask<{ peers: string[] }>('subscribers', { topic: GENERAL_TOPIC });
        return peers.includes(member.peer);
      });
      const model = hex(key());
      // A neighbour that has no mesh yet sends to nobody: it says it again.
      await until('the record is there', async () => {
        await peer.ask('announce', { topic: GENERAL_TOPIC, model });
        return member.registry.get(peer.peer, model) !== null;
      });
      const { serves, regions, tokensPerSecond } = member.registry.get(peer.peer, model)!;
      assert.deepEqual([serves, regions, tokensPerSecond], [['chat'], ['eu'], 12.5]);
      member.discovery.offer([offerOf({ serves: ['chat'], regions: ['us'] })]);
      const { record: read } = await peer.event(
        (event) => event.event === 'gossip' && isRecordOf(event.record, member.peer, 'chat'),
      );
      assert.equal((read as { state: string }).state, 'online');
    });

    test('Kith is reached over a relay that the peer is', async () => {
      await using relayed = await startKith({ dht: 'off', relay: { use: [peer.address] } });
      await until('the reservation stands', () =>
        relayed.swarm.addresses.some((address) => address.includes('/p2p-circuit')),
      );
      await using caller = await startKith({ dht: 'off', relay: { use: [peer.address] } });
      const link = await caller.swarm.dial(`${peer.address}/p2p-circuit/p2p/${relayed.swarm.peer}`);
      assert.deepEqual([link.path, link.limited], ['relay', true]);
      const { payload } = await caller.swarm.call(
        relayed.swarm.peer,
        'interop/reverse',
        {},
        pattern(16 * 1024),
      );
      assert.equal(sha256(payload), reversed(16 * 1024));
    });

    test('the peer is reached over a relay that Kith is, and dials over it', async () => {
      await using relay = await startKith({ dht: 'off', relay: { serve: {} } });
      await using one = await start();
      await one.ask('dial', { address: relay.address });
      await one.ask('reserve', { address: relay.address });
      const caller = await startKith({ dht: 'off', relay: { use: [relay.address] } });
      await using _ = caller;
      const link = await caller.swarm.dial(`${relay.address}/p2p-circuit/p2p/${one.peer}`);
      assert.deepEqual([link.path, link.limited], ['relay', true]);
      const { payload } = await caller.swarm.call(one.peer, 'interop/reverse', {}, pattern(16 * 1024));
      assert.equal(sha256(payload), reversed(16 * 1024));
      await until('the reservation of Kith stands', () =>
        caller.swarm.addresses.some((address) => address.includes('/p2p-circuit')),
      );
      await using two = await start();
      await two.ask('dial', { address: `${relay.address}/p2p-circuit/p2p/${caller.swarm.peer}` });
      const { answers } = await two.ask<Answers>('call', {
        peer: caller.swarm.peer,
        method: 'interop/reverse',
        sizes: [16 * 1024],
      });
      assert.equal(answers[0]!.sha256, reversed(16 * 1024));
    });

    more(() => ({ kith, peer, start }));
  });
}
