import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isAddressRange,
  isAnnounceAddress,
  isListenAddress,
  isPeerAddress,
  isStunAddress,
} from './multiaddr.ts';

const peer = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN';
const other = '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp';

test('a node listens on IP addresses and TCP ports alone', () => {
  for (const good of ['/ip4/0.0.0.0/tcp/4001', '/ip6/::/tcp/0', '/ip4/127.0.0.1/tcp/65535'])
    assert.equal(isListenAddress(good), true, good);
  for (const bad of [
    '',
    '4001',
    '/ip4/0.0.0.0',
    '/ip4/0.0.0.0/tcp/65536',
    '/ip4/0.0.0.0/tcp/4001/',
    '/ip4/::/tcp/4001',
    '/ip4/0.0.0.0/udp/4001',
    '/dns4/kith.example.org/tcp/4001',
    `/ip4/0.0.0.0/tcp/4001/p2p/${peer}`,
    '/ip4/0.0.0.0/tcp/-1',
  ])
    assert.equal(isListenAddress(bad), false, bad);
});

test('a node announces names too, but no port 0', () => {
  assert.equal(isAnnounceAddress('/dns4/kith.example.org/tcp/4001'), true);
  assert.equal(isAnnounceAddress('/ip6/2001:db8::1/tcp/443'), true);
  assert.equal(isAnnounceAddress('/ip4/203.0.113.7/tcp/0'), false);
  assert.equal(isAnnounceAddress('/dns4/-bad/tcp/1'), false);
});

test('an address to dial names who answers there', () => {
  for (const good of [
    `/ip4/192.0.2.1/tcp/4001/p2p/${peer}`,
    `/dns/kith.example.org/tcp/4001/p2p/${peer}`,
    `/ip4/192.0.2.1/tcp/4001/p2p/${peer}/p2p-circuit/p2p/${other}`,
    '/dnsaddr/bootstrap.example.org/p2p/QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN',
  ])
    assert.equal(isPeerAddress(good), true, good);
  for (const bad of [
    '/ip4/192.0.2.1/tcp/4001',
    `/ip4/192.0.2.1/tcp/4001/p2p/${peer.slice(0, -1)}`,
    `/ip4/192.0.2.1/tcp/4001/p2p/${peer}/p2p-circuit`,
    `/ip4/192.0.2.1/tcp/4001/p2p/0${peer.slice(1)}`,
    `/ip4/192.0.2.1/udp/4001/quic-v1/p2p/${peer}`,
    `/dnsaddr/bootstrap.example.org/p2p/${peer}/x`,
    'x'.repeat(1000),
  ])
    assert.equal(isPeerAddress(bad), false, bad);
});

test('ranges of addresses have as many bits as their family, and STUN servers a port', () => {
  for (const good of ['10.0.0.0/8', '192.0.2.1', 'fd00::/8', '::/128']) assert.ok(isAddressRange(good), good);
  for (const bad of ['10.0.0.0/33', '10/8', 'fd00::/129', '10.0.0.0/8/8', '10.0.0.0/', ''])
    assert.ok(!isAddressRange(bad), bad);
  assert.ok(isStunAddress('stun:stun.example.org:3478'));
  assert.ok(isStunAddress('stun:[2001:db8::1]:3478'));
  for (const bad of ['stun.example.org:3478', 'stun:x', 'stun:x:0', 'turn:x:1'])
    assert.ok(!isStunAddress(bad));
});
