import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Address, Connection } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { fc } from '../../../test/property.ts';
import { bestConnection, dialOrder, isLocalAddress, isProven, linkOf, pathOf, prove } from './paths.ts';

const PEER = '12D3KooWFsuHBh89LE3AMmTyt1guF3KfCv7TUfe9AtygG31m4D1z';
const LAN = `/ip4/192.168.1.7/tcp/4001/p2p/${PEER}`;
const TCP = `/ip4/45.83.0.1/tcp/4001/p2p/${PEER}`;
const RELAY = `${TCP}/p2p-circuit/p2p/${PEER}`;
const WEBRTC = `/webrtc/p2p/${PEER}`;

let opened = 0;
function link(address: string, facts: Partial<Connection> = {}): Connection {
  return {
    status: 'open',
    direction: 'outbound',
    remoteAddr: multiaddr(address),
    remotePeer: { toString: () => PEER },
    timeline: { open: ++opened },
    ...facts,
  } as Connection;
}
const limits: Connection['limits'] = { bytes: 131_072n };

test('the way that bytes take is told from the address', () => {
  for (const [address, path] of [
    [LAN, 'lan'],
    ['/ip6/fd00::1/tcp/1', 'lan'],
    ['/ip6/fe80::1/tcp/1', 'lan'],
    ['/ip4/127.0.0.1/tcp/1', 'lan'],
    ['/ip4/100.64.0.1/tcp/1', 'lan'],
    [TCP, 'tcp'],
    ['/ip6/2a01:4f8::1/tcp/1', 'tcp'],
    ['/ip4/172.32.0.1/tcp/1', 'tcp'],
    ['/dns4/kith.example.org/tcp/1', 'tcp'],
    [RELAY, 'relay'],
    // A relay on the local network is a relay all the same.
    [`${LAN}/p2p-circuit/p2p/${PEER}`, 'relay'],
    // Signalling went over the relay, the bytes do not.
    [WEBRTC, 'webrtc'],
    [`${TCP}/p2p-circuit/webrtc/p2p/${PEER}`, 'webrtc'],
  ] as const)
    assert.equal(pathOf(address), path, address);
  assert.ok(!isLocalAddress('/webrtc'));
  assert.ok(!isLocalAddress(''));
});

test('a new stream takes the best path, whatever the order of the links, and the oldest of equals', () => {
  const webrtc = link(WEBRTC);
  prove(webrtc);
  const ranked = [link(LAN), link(TCP), webrtc, link(RELAY), link(RELAY), link(RELAY, { limits })];
  fc.assert(
    fc.property(fc.shuffledSubarray(ranked, { minLength: 1 }), (some) => {
      assert.equal(
        bestConnection(some),
        ranked.find((one) => some.includes(one)),
      );
    }),
  );
});

test('no stream takes a link that is closed, or over WebRTC on which nothing came', () => {
  const silent = link(WEBRTC);
  const closing = link(LAN, { status: 'closing' });
  assert.equal(bestConnection([silent, closing]), undefined);
  assert.equal(bestConnection([]), undefined);
  const limited = link(RELAY, { limits });
  assert.equal(bestConnection([silent, closing, limited]), limited);
  assert.equal(isProven(silent), false);
  assert.equal(isProven(limited), true);
  prove(silent);
  assert.equal(bestConnection([limited, silent]), silent);
});

test('addresses are dialled in the order of the network, WebRTC last', () => {
  const addresses = [WEBRTC, RELAY, LAN, TCP].map(
    (one): Address => ({
      multiaddr: multiaddr(one),
      isCertified: false,
    }),
  );
  const order = (lan: boolean) =>
    addresses.toSorted(dialOrder(lan)).map(({ multiaddr: one }) => pathOf(one.toString()));
  assert.deepEqual(order(true), ['lan', 'tcp', 'relay', 'webrtc']);
  assert.deepEqual(order(false), ['tcp', 'relay', 'lan', 'webrtc']);
});

test('a link says how it goes, how it is encrypted and whether it is bounded', () => {
  const { direct, limited, path, encryption, direction, rttMs } = linkOf(link(RELAY, { limits }));
  assert.deepEqual(
    [direct, limited, path, encryption, direction, rttMs],
    [false, true, 'relay', 'none', 'out', null],
  );
  const webrtc = linkOf(link(WEBRTC, { direction: 'inbound', rtt: 7 }));
  assert.deepEqual(
    [webrtc.direct, webrtc.encryption, webrtc.direction, webrtc.rttMs],
    [true, '/dtls', 'in', 7],
  );
  assert.equal(linkOf(link(TCP, { encryption: '/tls/1.0.0' })).encryption, '/tls/1.0.0');
});
