import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reachOf } from './swarm-reach.ts';

const peer = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN';

test('the best address says who can dial a node', () => {
  const lan = `/ip4/192.168.1.7/tcp/4001/p2p/${peer}`;
  const relayed = `/ip4/8.8.8.8/tcp/4001/p2p/${peer}/p2p-circuit/p2p/${peer}`;
  const world = `/ip4/8.8.8.8/tcp/4001/p2p/${peer}`;
  assert.equal(reachOf([]), 'none');
  assert.equal(reachOf([lan]), 'local');
  assert.equal(reachOf([lan, relayed]), 'relay');
  assert.equal(reachOf([relayed, lan, world]), 'public');
  assert.equal(reachOf([world, relayed]), 'public');
  assert.equal(reachOf([`/dns4/kith.example.org/tcp/4001/p2p/${peer}`]), 'public');
});

test('addresses that are not of the public Internet are local', () => {
  const hosts = [
    '10.1.2.3',
    '172.31.0.1',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.1.1',
    '203.0.113.5',
    '239.1.1.1',
  ];
  for (const host of hosts) assert.equal(reachOf([`/ip4/${host}/tcp/1`]), 'local', host);
  for (const host of ['::1', 'fe80::1', 'fd12::1', '2001:db8::1'])
    assert.equal(reachOf([`/ip6/${host}/tcp/1`]), 'local', host);
  assert.equal(reachOf(['/ip6/2606:4700::1/tcp/1']), 'public');
  assert.equal(reachOf(['/ip4/172.32.0.1/tcp/1']), 'public');
});
