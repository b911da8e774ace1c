import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveConfig } from '../config.ts';

const swarmOf = (flags: Readonly<Record<string, unknown>>) =>
  resolveConfig({ home: '/nowhere', env: {}, flags }).config.swarm;
const peer = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN';

test('a node listens to nobody, finds nobody and serves nobody until its owner says so', () => {
  const swarm = swarmOf({});
  assert.deepEqual(
    [swarm.enabled, swarm.mdns, swarm.upnp, swarm.webrtc, swarm.relayServe, swarm.serveTier],
    [false, false, false, false, false, 'nobody'],
  );
  assert.deepEqual([swarm.bootstrap, swarm.relays, swarm.friends, swarm.serveModels], [[], [], [], []]);
});

test('what cannot work is refused by the name of its key, with what is allowed', () => {
  for (const [key, value] of [
    ['swarm.listen', '/dns4/kith.example.org/tcp/4001'],
    ['swarm.announce', '/ip4/203.0.113.7/tcp/0'],
    ['swarm.bootstrap', '/ip4/192.0.2.1/tcp/4001'],
    ['swarm.relays', peer],
    ['swarm.deny', '10.0.0.0/40'],
    ['swarm.stun', 'stun.example.org'],
    ['swarm.regions', 'a,b,c,d,e,f,g,h,i'],
    ['swarm.regions', 'EU'],
    ['swarm.friends', 'ada'],
    ['swarm.serveTier', 'best'],
    ['swarm.serveHours', '24:00-07:00'],
    ['swarm.minTier', 'nobody'],
    ['swarm.pskFile', 'network.key'],
    ['swarm.maxConnections', '0'],
  ] as const)
    assert.throws(
      () => swarmOf({ [key]: value }),
      (error: Error) => error.message.includes(`is not allowed for ${key}; allowed: `),
      `${key} ${value}`,
    );
});

test('WebRTC and the key of a private network exclude each other', () => {
  assert.throws(
    () => swarmOf({ 'swarm.webrtc': true, 'swarm.pskFile': '/a/key' }),
    /go around the private network/,
  );
  assert.equal(swarmOf({ 'swarm.webrtc': true }).webrtc, true);
  assert.equal(swarmOf({ 'swarm.pskFile': '/a/key' }).pskFile, '/a/key');
});

test('several values stand side by side with commas', () => {
  assert.deepEqual(swarmOf({ 'swarm.listen': '/ip4/0.0.0.0/tcp/1, /ip6/::/tcp/1' }).listen, [
    '/ip4/0.0.0.0/tcp/1',
    '/ip6/::/tcp/1',
  ]);
  assert.deepEqual(swarmOf({ 'swarm.serveHours': '22:00-07:00' }).serveHours, '22:00-07:00');
});
