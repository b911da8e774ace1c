import assert from 'node:assert/strict';
import { test } from 'node:test';
import { multiaddr } from '@multiformats/multiaddr';
import { base58btc } from 'multiformats/bases/base58';
import { createSeededRandom, KithError } from '../../base/index.ts';
import type { ForeignHandler, ForeignOptions, ForeignProtocols } from '../types.ts';
import { ROUTING_PROTOCOL } from './addresses.ts';
import { openHivemind } from './dht.ts';
import { keyId } from './ids.ts';
import {
  type Contact,
  decodeFindRequest,
  decodeFindResponse,
  decodeStoreResponse,
  encodeFindRequest,
  encodeFindResponse,
  encodePingRequest,
  encodeStoreRequest,
  METHODS,
  WHOLE,
} from './messages.ts';
import { encodeMsgpack } from './msgpack.ts';
import { peerIdToBytes } from './peer-ids.ts';
import { ProtobufWriter } from './protobuf.ts';
import type { Hivemind, HivemindFound } from './types.ts';
import { decodeAnswer, decodeCall, encodeAnswer, encodeCall } from './unary.ts';

const NOW = 1_800_000_000;

function peerOfNumber(number: number): string {
  const bytes = new Uint8Array(38).fill(number & 0xff);
  bytes.set([0, 36, 8, 1, 0x12, 32, number >> 8]);
  return base58btc.baseEncode(bytes);
}

/** Peers in this process, whose addresses are told as in the real network: by those who are linked to them. */
class Net {
  readonly dead = new Set<string>();
  readonly dialled: string[] = [];
  readonly hosts = new Map<string, Map<string, ForeignHandler>>();
  readonly #linked = new Map<string, Set<string>>();
  readonly #addresses = new Map<string, string>();

  host(peer: string, address: string): ForeignProtocols {
    const own = new Map<string, ForeignHandler>();
    const links = new Set<string>();
    this.hosts.set(peer, own);
    this.#linked.set(peer, links);
    this.#addresses.set(peer, `${address}/p2p/${peer}`);
    return {
      askForeign: async (to, protocol, request, { addresses = [] }: ForeignOptions = {}) => {
        const handler = this.hosts.get(to)?.get(protocol);
        const known = links.has(to) || addresses.includes(this.#addresses.get(to)!);
        for (const one of addresses) if (!links.has(to)) this.dialled.push(one);
        if (this.dead.has(to) || this.dead.has(peer) || !known || handler === undefined)
          throw new KithError('swarm_unreachable', 'The peer cannot be reached.');
        links.add(to);
        this.#linked.get(to)!.add(peer);
        const answer = await handler.answer(peer, request.slice());
        if (answer === null) throw new KithError('swarm_unreachable', 'It was cut.');
        return answer;
      },
      handleForeign: async (protocol, handler) => {
        own.set(protocol, handler);
        return { [Symbol.asyncDispose]: async () => void own.delete(protocol) };
      },
      // As identify tells them.
      addressesOf: async (peers) =>
        new Map(peers.filter((one) => links.has(one)).map((one) => [one, [this.#addresses.get(one)!]])),
    };
  }

  address(peer: string): string {
    return this.#addresses.get(peer)!;
  }
}

const time = { now: NOW };
const clock = { now: () => time.now * 1000, monotonic: () => time.now * 1000, sleep: async () => {} };

async function join(
  net: Net,
  number: number,
  options: { readonly bootstrap: readonly string[]; readonly serve?: boolean; readonly lan?: boolean },
): Promise<Hivemind> {
  const self = peerOfNumber(number);
  const network = net.host(self, `/ip4/9.0.${number >> 8}.${number & 255}/tcp/4001`);
  const random = createSeededRandom(number);
  return openHivemind({ serve: true, lan: false, ...options, network, self, clock, random });
}

/** Nodes that have all searched once, so that they know of each other. */
async function networkOf(count: number): Promise<{ net: Net; nodes: Hivemind[]; bootstrap: string[] }> {
  const net = new Net();
  const nodes = [await join(net, 0, { bootstrap: [] })];
  const bootstrap = [net.address(peerOfNumber(0))];
  for (let number = 1; number < count; number++) {
    const node = await join(net, number, { bootstrap });
    await node.find(`node ${number}`);
    nodes.push(node);
  }
  return { net, nodes, bootstrap };
}

const valuesOf = ({ regular, entries }: HivemindFound) =>
  regular !== null ? regular.value : Object.fromEntries(entries.map(({ subkey, value }) => [subkey, value]));

test('what one node stores all others find, also when a third of them is gone', async () => {
  time.now = NOW;
  const { net, nodes, bootstrap } = await networkOf(40);
  for (let at = 0; at < 10; at++)
    assert.deepEqual(await nodes[at * 3]!.store({ key: `key ${at}`, value: at, expiration: NOW + 100 }), {
      stored: 5,
      refused: 0,
      failed: 0,
    });
  for (let at = 0; at < 10; at++) assert.equal((await nodes[39 - at]!.find(`key ${at}`)).regular?.value, at);
  // A node that only asks finds them too, and nobody learns of it.
  const client = await join(net, 100, { bootstrap, serve: false });
  assert.equal((await client.find('key 7')).regular?.value, 7);
  assert.equal(client.state().kept, null);
  for (const node of nodes) assert.ok(!node.state().contacts.some(({ peer }) => peer === peerOfNumber(100)));
  // Each record is at 5 of 40: that all of them are among the 13 that go is 1 in 500.
  for (let number = 1; number < 40; number += 3) net.dead.add(peerOfNumber(number));
  let found = 0;
  for (let at = 0; at < 10; at++)
    if ((await nodes[39 - 3 * (at % 5)]!.find(`key ${at}`)).regular?.value === at) found++;
  assert.equal(found, 10);
});

test('subkeys stand side by side; newer expirations replace, older are refused; the expired is gone', async () => {
  time.now = NOW;
  const { nodes } = await networkOf(8);
  const put = (at: number, subkey: string | undefined, value: string, expiration: number) =>
    nodes[at]!.store({
      key: 'shared',
      ...(subkey !== undefined && { subkey }),
      value,
      expiration: NOW + expiration,
    });
  await put(1, 'a', 'one', 50);
  await put(2, 'b', 'two', 60);
  assert.deepEqual(valuesOf(await nodes[3]!.find('shared')), { b: 'two', a: 'one' });
  assert.deepEqual(await put(4, 'a', 'old', 50), { stored: 0, refused: 5, failed: 0 });
  assert.equal((await put(4, 'a', 'new', 55)).stored, 5);
  assert.deepEqual(valuesOf(await nodes[5]!.find('shared')), { b: 'two', a: 'new' });
  time.now += 56;
  assert.deepEqual(valuesOf(await nodes[6]!.find('shared')), { b: 'two' });
  time.now += 56;
  assert.deepEqual(valuesOf(await nodes[6]!.find('shared')), {});
});

test('a DHT that nobody answers for is said to be so', async () => {
  const net = new Net();
  const lonely = await join(net, 1, {
    bootstrap: [`/ip4/9.9.9.9/tcp/1/p2p/${peerOfNumber(2)}`],
    serve: false,
  });
  const unreachable = { code: 'hivemind_unreachable', status: 503 };
  await assert.rejects(lonely.find('x'), unreachable);
  await assert.rejects(lonely.store({ key: 'x', value: 1, expiration: NOW + 10 }), unreachable);
});

test('a node that invents nearer and nearer nodes, or talks nonsense, is followed only so far', async () => {
  time.now = NOW;
  const { net, nodes, bootstrap } = await networkOf(5);
  await nodes[1]!.store({ key: 'key', value: 'true', expiration: NOW + 100 });
  const target = keyId('key');
  let invented = 0;
  const liar = (peer: string, answer: (data: Uint8Array) => Uint8Array) => {
    const network = net.host(peer, '/ip4/9.1.1.1/tcp/4001');
    return network.handleForeign(METHODS.find, {
      answer(_from, bytes) {
        const call = decodeCall(bytes);
        decodeFindRequest(call.data);
        return encodeAnswer(call.id, { data: answer(call.data) });
      },
    });
  };
  // Each names twenty more, nearer than itself, all of which answer alike.
  const spawn = (): Contact => {
    const peer = peerOfNumber(1000 + invented++);
    const node = target.slice();
    node[19] = node[19]! ^ (invented & 0xff);
    node[18] = node[18]! ^ (255 - (invented >> 8));
    void liar(peer, () => {
      const nearest = Array.from({ length: 20 }, spawn);
      return encodeFindResponse({
        node,
        results: [{ found: 'regular', value: encodeMsgpack('lie'), expiration: NOW + 50, nearest }],
      });
    });
    net.hosts.get(peer)!.set(ROUTING_PROTOCOL, { answer: () => new Uint8Array(0) });
    return { node, peer };
  };
  const first = spawn();
  const nonsense = peerOfNumber(999);
  await liar(nonsense, () => new Uint8Array(300).fill(0xff));
  const asker = await join(net, 300, {
    bootstrap: [...bootstrap, net.address(nonsense), net.address(first.peer)],
    serve: false,
    lan: true,
  });
  const found = await asker.find('key');
  assert.ok(found.asked <= 96, `asked ${found.asked}`);
  // What expires later counts; a liar may outbid it, which is why nothing here is believed.
  assert.equal(found.regular?.value, 'true');
  assert.equal(found.regular?.bytes.length, 5);
});

test('strangers cannot make a node dial into its own network', async () => {
  time.now = NOW;
  const { net, bootstrap } = await networkOf(3);
  const told = peerOfNumber(700);
  net.host(told, '/ip4/192.168.1.1/tcp/80');
  const teller = peerOfNumber(701);
  const network = net.host(teller, '/ip4/9.3.3.3/tcp/4001');
  await network.handleForeign(METHODS.ping, {
    answer: (_peer, bytes) => {
      const info = new ProtobufWriter().bytes(1, keyId('teller')).finish();
      return encodeAnswer(decodeCall(bytes).id, { data: new ProtobufWriter().bytes(2, info).finish() });
    },
  });
  await network.handleForeign(METHODS.find, {
    answer: (_peer, bytes) =>
      encodeAnswer(decodeCall(bytes).id, {
        data: encodeFindResponse({
          node: keyId('teller'),
          results: [
            { found: 'nothing', value: WHOLE, expiration: 0, nearest: [{ node: keyId('told'), peer: told }] },
          ],
        }),
      }),
  });
  const routed = multiaddr('/ip4/192.168.1.1/tcp/80').bytes;
  await network.handleForeign(ROUTING_PROTOCOL, {
    answer: () =>
      new ProtobufWriter()
        .bytes(8, new ProtobufWriter().bytes(1, peerIdToBytes(told)).bytes(2, routed).finish())
        .finish(),
  });
  const inside = (address: string) => address.includes('192.168.1.1');
  for (const [number, lan] of [
    [301, false],
    [302, true],
  ] as const) {
    const asker = await join(net, number, { bootstrap: [...bootstrap, net.address(teller)], lan });
    await asker.find('anything');
    assert.equal(net.dialled.some(inside), lan);
  }
});

test('a node answers strangers within bounds: their rate, their keys, their subkeys', async () => {
  time.now = NOW;
  const { net, nodes } = await networkOf(3);
  const eve = net.host(peerOfNumber(800), '/ip4/9.4.4.4/tcp/4001');
  const victim = peerOfNumber(1);
  const addresses = [net.address(victim)];
  const ask = async (method: string, data: Uint8Array) => {
    const call = encodeCall({ id: new Uint8Array(16), peer: peerIdToBytes(victim), method, data });
    return decodeAnswer(await eve.askForeign(victim, method, call, { addresses }));
  };
  const item = { key: keyId('k'), value: encodeMsgpack(1), expiration: NOW + 50, inCache: false };
  const subkeys = ['x'.repeat(1000), 'x'.repeat(1100)].map((text) => encodeMsgpack(text));
  const broken = [Uint8Array.of(0xc1), Uint8Array.of(0xc0, 0xc0)];
  const items = [...subkeys, ...broken, WHOLE].map((subkey) => ({ ...item, subkey }));
  const stored = await ask(METHODS.store, encodeStoreRequest({ node: null, items }));
  assert.deepEqual(decodeStoreResponse(stored.data!).stored, [true, false, false, false, false]);
  assert.deepEqual(nodes[1]!.state().kept, { keys: 1, bytes: 1 + 1003 + 256 });
  // What is no request is answered as a failure, and neighbours are told for the first keys only.
  assert.match((await ask(METHODS.find, Uint8Array.of(0x12, 1, 0))).error, /An id has 1 bytes/);
  const keys = Array.from({ length: 100 }, (_, at) => keyId(at));
  const { results } = decodeFindResponse(
    (await ask(METHODS.find, encodeFindRequest({ node: null, keys }))).data!,
  );
  assert.deepEqual(
    results.map(({ nearest }) => nearest.length),
    keys.map((_, at) => (at < 64 ? 2 : 0)),
  );
  // The same key again and again is work for nothing.
  const same = await ask(METHODS.find, encodeFindRequest({ node: null, keys: [item.key, item.key] }));
  assert.deepEqual(
    decodeFindResponse(same.data!).results.map(({ found }) => found),
    ['dictionary', 'nothing'],
  );
  let answered = 0;
  for (let at = 0; at < 100; at++)
    await ask(METHODS.ping, encodePingRequest({ node: null, validate: false })).then(
      () => answered++,
      () => {},
    );
  assert.equal(answered, 60 - 4);
});
