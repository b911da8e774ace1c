import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { Connection, PeerId } from '@libp2p/interface';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { createManualClock, type ManualClock } from '../../base/index.ts';
import { CALL_PROTOCOL } from '../frames/format.ts';
import type { Node } from './config.ts';
import { bestConnection } from './paths.ts';
import { Nat, Reach } from './reach.ts';

const PEER = '12D3KooWFsuHBh89LE3AMmTyt1guF3KfCv7TUfe9AtygG31m4D1z';
const TCP = `/ip4/45.83.0.1/tcp/4001/p2p/${PEER}`;
const RELAY = `/ip4/45.83.0.9/tcp/4001/p2p/${PEER}/p2p-circuit/p2p/${PEER}`;
const WEBRTC = `/webrtc/p2p/${PEER}`;
const peer = { toString: () => PEER } as PeerId;

/** A link whose state a test sets. */
type Link = Omit<Connection, 'status' | 'streams'> & {
  status: string;
  streams: { protocol: string }[];
};

/** libp2p as far as reaching needs it: links, events, dials. */
class FakeNode extends EventTarget {
  readonly links: Link[] = [];
  readonly dialled: string[] = [];
  addresses: string[] = [];
  readonly services = { pubsub: {} };
  readonly peerStore = {
    get: async () => ({ addresses: this.addresses.map((one) => ({ multiaddr: multiaddr(one) })) }),
  };

  getConnections(): Connection[] {
    return this.links as never;
  }

  getProtocols(): string[] {
    return ['/webrtc-signaling/0.0.1'];
  }

  async dial(to: Multiaddr[], options: { readonly force?: boolean }): Promise<unknown> {
    assert.equal(options.force, true, 'else the relayed link comes back');
    this.dialled.push(...to.map(String));
    throw new Error('Nobody is there.');
  }

  open(address: string, streams: string[] = []): Link {
    const link = {
      status: 'open',
      direction: 'outbound',
      remoteAddr: multiaddr(address),
      remotePeer: peer,
      timeline: { open: this.links.length },
      streams: streams.map((protocol) => ({ protocol })),
      async close() {
        link.status = 'closed';
      },
      abort() {
        link.status = 'aborted';
      },
    } as never as Link;
    this.links.push(link);
    this.dispatchEvent(new CustomEvent('connection:open', { detail: link }));
    return link;
  }

  identify(connection: Link, protocols: string[] = []): void {
    this.dispatchEvent(new CustomEvent('peer:identify', { detail: { connection, peerId: peer, protocols } }));
  }
}

let node: FakeNode;
let better: string[];
let clock: ManualClock;
let reach: Reach;

beforeEach(async () => {
  clock = createManualClock();
  node = new FakeNode();
  better = [];
  const settings = { seed: new Uint8Array(32), webrtc: {} };
  const events = { better: (name: string) => better.push(name) };
  reach = new Reach(node as never as Node, settings, new Nat(settings), events, clock);
  await reach.start();
});

afterEach(() => reach.stop());

/** Lets what waits for no clock go on, then the clock by so many ms. */
async function pass(ms: number): Promise<void> {
  await new Promise(setImmediate);
  await clock.advance(ms);
  await new Promise(setImmediate);
}

test('beside a direct link streams are told to move, and the relayed one is closed once no call runs on it', async () => {
  const relayed = node.open(RELAY, [CALL_PROTOCOL]);
  assert.deepEqual(better, []);
  node.open(TCP);
  assert.deepEqual(better, [PEER]);
  await pass(2000);
  await pass(2000);
  assert.equal(relayed.status, 'open', 'a call runs');
  relayed.streams = [{ protocol: '/meshsub/1.1.0' }];
  await pass(2000);
  assert.equal(relayed.status, 'closed');
});

test('a link over WebRTC counts once the peer has said something on it', async () => {
  node.open(RELAY);
  const webrtc = node.open(WEBRTC);
  assert.deepEqual(better, []);
  assert.notEqual(bestConnection(node.getConnections()), webrtc);
  node.identify(webrtc);
  assert.deepEqual(better, [PEER]);
  assert.equal(bestConnection(node.getConnections()), webrtc);
  await pass(10_000);
  assert.equal(webrtc.status, 'open');
});

test('one on which nothing came for ten seconds is cut', async () => {
  const webrtc = node.open(WEBRTC);
  await pass(9999);
  assert.equal(webrtc.status, 'open');
  await pass(1);
  assert.equal(webrtc.status, 'aborted');
});

test('a peer behind a relay is dialled at its public addresses, then by WebRTC, and again later', async () => {
  node.addresses = [TCP, '/ip4/192.168.1.7/tcp/4001', RELAY];
  const relayed = node.open(RELAY);
  node.identify(relayed, ['/webrtc-signaling/0.0.1']);
  await pass(0);
  await pass(0);
  const signalling = RELAY.replace('/p2p-circuit', '/p2p-circuit/webrtc');
  assert.deepEqual(node.dialled, [TCP, signalling]);
  await pass(30_000);
  assert.deepEqual(node.dialled.slice(2), [TCP, signalling]);
  relayed.status = 'closed';
  await pass(300_000);
  assert.equal(node.dialled.length, 4, 'no relayed link, nothing to make direct');
});

test('a peer that speaks no WebRTC, or that dialled itself, is not asked to', async () => {
  const relayed = node.open(RELAY);
  node.identify(relayed, []);
  await pass(0);
  assert.deepEqual(node.dialled, []);
});
