import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateKeyPair } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { Neighbours } from './neighbours.ts';

const someone = async () => peerIdFromPrivateKey(await generateKeyPair('Ed25519'));
const near = [multiaddr('/ip4/192.168.1.7/tcp/4001')];

/** Dials stay open until they are ended. */
function dialler() {
  const dialled: string[][] = [];
  const ends: (() => void)[] = [];
  return {
    dialled,
    linked: false,
    endAll: () => {
      for (const end of ends.splice(0)) end();
    },
    getConnections() {
      return this.linked ? [{}] : [];
    },
    openConnection(addresses: Multiaddr[]): Promise<unknown> {
      dialled.push(addresses.map(String));
      return new Promise((resolve) => ends.push(() => resolve(null)));
    },
  };
}

test('a peer that multicast tells of is dialled by its local addresses, with its name', async () => {
  const dials = dialler();
  const id = await someone();
  const end = `/p2p/${id}`;
  void new Neighbours(dials, () => 0).found({
    id,
    multiaddrs: [
      ...near,
      multiaddr('/ip4/45.83.0.1/tcp/4001'),
      multiaddr('/ip6/fe80::1/tcp/4001'),
      multiaddr(`/ip4/10.0.0.1/tcp/1${end}`),
    ],
  });
  assert.deepEqual(dials.dialled, [
    [`/ip4/192.168.1.7/tcp/4001${end}`, `/ip6/fe80::1/tcp/4001${end}`, `/ip4/10.0.0.1/tcp/1${end}`],
  ]);
});

test('one that is linked, was tried half a minute ago, or has no local address is left alone', async () => {
  const dials = dialler();
  let now = 0;
  const neighbours = new Neighbours(dials, () => now);
  const id = await someone();
  await neighbours.found({ id, multiaddrs: [multiaddr('/ip4/45.83.0.1/tcp/4001')] });
  dials.linked = true;
  await neighbours.found({ id, multiaddrs: near });
  assert.equal(dials.dialled.length, 0);
  dials.linked = false;
  void neighbours.found({ id, multiaddrs: near });
  now = 29_999;
  void neighbours.found({ id, multiaddrs: near });
  assert.equal(dials.dialled.length, 1);
  now = 30_000;
  void neighbours.found({ id, multiaddrs: near });
  assert.equal(dials.dialled.length, 2);
});

test('made-up peers cost eight dials at once, and their addresses are bounded', async () => {
  const dials = dialler();
  const neighbours = new Neighbours(dials, () => 0);
  const many = Array.from({ length: 100 }, (_, i) => multiaddr(`/ip4/10.0.0.${i}/tcp/4001`));
  const all: Promise<void>[] = [];
  for (let i = 0; i < 20; i++) all.push(neighbours.found({ id: await someone(), multiaddrs: many }));
  assert.deepEqual(
    dials.dialled.map((addresses) => addresses.length),
    Array(8).fill(8),
  );
  dials.endAll();
  await Promise.all(all);
  void neighbours.found({ id: await someone(), multiaddrs: near });
  assert.equal(dials.dialled.length, 9);
});
