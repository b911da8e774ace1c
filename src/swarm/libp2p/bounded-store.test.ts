import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Connection } from '@libp2p/interface';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { BarePeer, swarmOnLoopback, until } from '../testing/nodes.ts';
import type { Swarm } from '../types.ts';
import { BoundedStore } from './bounded-store.ts';
import { DHT_PROTOCOL } from './config.ts';

type Key = Parameters<BoundedStore['put']>[0];
const key = (path: string) => ({ toString: () => path }) as unknown as Key;
const paths = (store: BoundedStore, prefix: string) => [...store.queryKeys({ prefix })].map(String);
const bytes = new Uint8Array([1]);

describe('what libp2p remembers', () => {
  test('of one peer, the providing of few keys, and the last it told', () => {
    const store = new BoundedStore('me', { providersPerPeer: 2 });
    for (const name of ['a', 'b', 'a', 'c']) store.put(key(`/dht/provider/${name}/eve`), bytes);
    store.put(key('/dht/provider/b/bob'), bytes);
    assert.deepEqual(paths(store, '/dht/provider/a'), ['/dht/provider/a/eve']);
    assert.deepEqual(paths(store, '/dht/provider/b'), ['/dht/provider/b/bob']);
    assert.deepEqual(paths(store, '/dht/provider/c'), ['/dht/provider/c/eve']);
  });

  test('of all peers together, so many, and all that this node provides itself', () => {
    const store = new BoundedStore('me', { providers: 3 });
    for (let at = 0; at < 10; at++) {
      store.put(key(`/dht/provider/k${at}/me`), bytes);
      store.put(key(`/dht/provider/k${at}/peer${at}`), bytes);
    }
    const kept = paths(store, '/dht');
    assert.equal(kept.filter((path) => path.endsWith('/me')).length, 10);
    assert.deepEqual(
      kept.filter((path) => !path.endsWith('/me')),
      [7, 8, 9].map((at) => `/dht/provider/k${at}/peer${at}`),
    );
    store.delete(key('/dht/provider/k3/me'));
    assert.deepEqual(paths(store, '/dht/provider/k3'), []);
  });

  test('of peers, those it asked about or heard of last', () => {
    const store = new BoundedStore('me', { peers: 2 });
    store.put(key('/peers/a'), bytes);
    store.put(key('/peers/b'), bytes);
    assert.equal(store.get(key('/peers/a')), bytes);
    store.put(key('/peers/c'), bytes);
    assert.deepEqual(paths(store, '/peers'), ['/peers/a', '/peers/c']);
    assert.throws(() => store.get(key('/peers/b')), { name: 'NotFoundError' });
    assert.ok(!store.has(key('/peers/b')) && store.has(key('/peers/a')));
  });

  test('nothing that is long', () => {
    const store = new BoundedStore('me');
    assert.throws(() => store.put(key(`/dht/provider/${'x'.repeat(600)}/eve`), bytes), RangeError);
    assert.throws(() => store.put(key('/peers/a'), new Uint8Array(70_000)), RangeError);
  });

  test('in any order that is asked for, by steps and in batches', async () => {
    const store = new BoundedStore('me');
    const batch = store.batch();
    for (const name of ['b', 'c', 'a']) batch.put(key(`/x/${name}`), bytes);
    batch.delete(key('/x/c'));
    assert.deepEqual(paths(store, '/x'), []);
    await batch.commit();
    const ordered = store.query({
      prefix: '/x',
      filters: [({ value }) => value === bytes],
      orders: [(a, b) => (String(a.key) < String(b.key) ? -1 : 1)],
      offset: 1,
      limit: 1,
    });
    assert.deepEqual(
      [...ordered].map((entry) => String(entry.key)),
      ['/x/b'],
    );
    let many = 0;
    for await (const { value } of store.getMany([key('/x/a'), key('/x/b')])) many += value.length;
    assert.equal(many, 2);
    for await (const deleted of store.deleteMany([key('/x/a')])) assert.equal(String(deleted), '/x/a');
    assert.ok(!store.has(key('/x/a')) && store.has(key('/x/b')));
  });
});

/** A field of a protobuf message. */
function field(number: number, value: Uint8Array): Uint8Array {
  const head = [(number << 3) | 2];
  for (let rest = value.length; ; rest >>>= 7) {
    head.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) break;
  }
  return Buffer.concat([Buffer.from(head), value]);
}

/** The length of a message, then the message: a field without its tag. */
const delimited = (...parts: Uint8Array[]) => field(0, Buffer.concat(parts)).subarray(1);

describe('a stranger at the DHT of a node', () => {
  let swarm: Swarm;
  let peer: BarePeer;
  let connection: Connection;
  before(async () => {
    swarm = await swarmOnLoopback(90);
    peer = await BarePeer.start(91, { dht: 'client' });
    connection = await peer.connect(swarm);
  });
  after(async () => {
    await peer[Symbol.asyncDispose]();
    await swarm[Symbol.asyncDispose]();
  });

  test('cannot leave values there, public keys included', async () => {
    const own = peer.node.peerId.publicKey!;
    const name = Buffer.concat([Buffer.from('/pk/'), own.toMultihash().bytes]);
    const value = new Uint8Array([8, 1, 18, 32, ...own.raw]);
    const record = Buffer.concat([field(1, name), field(2, value)]);
    const message = Buffer.concat([field(2, name), field(3, record)]);
    const stream = await connection.newStream(DHT_PROTOCOL);
    let answered = 0;
    let closed = false;
    stream.addEventListener('message', () => {
      answered++;
    });
    stream.addEventListener('close', () => {
      closed = true;
    });
    stream.send(delimited(message));
    await until('the stream is cut', () => closed);
    assert.equal(answered, 0);
  });

  test('is remembered as provider of its last keys only', async () => {
    const cids = Array.from({ length: 300 }, (_, at) => {
      const hash = new Uint8Array(32);
      new DataView(hash.buffer).setUint32(0, at);
      return CID.createV1(0x55, Digest.create(0x12, hash));
    });
    const address = peer.node.getMultiaddrs()[0]!.decapsulate('/p2p').bytes;
    const provider = Buffer.concat([field(1, peer.node.peerId.toMultihash().bytes), field(2, address)]);
    const stream = await connection.newStream(DHT_PROTOCOL);
    for (const cid of cids) {
      const addProvider = new Uint8Array([8, 2]);
      stream.send(delimited(addProvider, field(2, cid.multihash.bytes), field(9, provider)));
    }
    const provided = async (at: number, deadlineMs: number) => {
      for await (const found of swarm.findProviders(cids[at]!.multihash.digest, { deadlineMs }))
        if (found.peer === peer.peer) return true;
      return false;
    };
    await until('the last is known', () => provided(299, 500));
    await until('the first that fits is known', () => provided(44, 500));
    assert.equal(await provided(43, 500), false);
  });
});
