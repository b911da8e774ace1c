import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKithError, resolveConfig, type Tier } from '../../base/index.ts';
import { shardServingPolicy } from './serving-policy.ts';

const FRIEND = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN';
const OTHER = '12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X';
const SELF = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5';
/** Noon, by the clock of this machine. */
const NOON = new Date(2026, 0, 5, 12).getTime();

function ask(
  peer: string,
  tier: Tier,
  flags: Record<string, unknown>,
  now = NOON,
  what: 'rankOf' | 'mayHaveLoaded' = 'rankOf',
): unknown {
  const { config } = resolveConfig({ home: '/nowhere', flags, env: {} });
  const policy = shardServingPolicy({
    config,
    registry: { self: SELF },
    trust: { tier: () => tier },
    clock: { now: () => now },
  });
  try {
    return policy[what](peer);
  } catch (error) {
    if (isKithError(error)) return [error.code, error.retryAfter];
    throw error;
  }
}

test('friends may compute here whatever their tier, and nobody else unless the owner lets a tier', () => {
  const friends = { 'swarm.friends': FRIEND };
  assert.equal(ask(FRIEND, 'unknown', friends), 3);
  assert.deepEqual(ask(OTHER, 'trusted', friends), ['shard_denied', undefined]);
  assert.deepEqual(ask(OTHER, 'known', { 'shards.serveTier': 'verified' }), ['shard_denied', undefined]);
  assert.equal(ask(OTHER, 'verified', { 'shards.serveTier': 'verified' }), 2);
  assert.equal(ask(OTHER, 'unknown', { 'shards.serveTier': 'unknown' }), 0);
  assert.equal(ask(SELF, 'unknown', {}), 3);
});

test('at other hours a friend learns when to come again, and a stranger nothing', () => {
  const night = { 'swarm.friends': FRIEND, 'swarm.serveHours': '22:00-07:30' };
  assert.deepEqual(ask(FRIEND, 'known', night), ['shard_closed', 10 * 3600]);
  assert.equal(ask(FRIEND, 'known', night, NOON + 11 * 3_600_000), 3);
  assert.deepEqual(ask(OTHER, 'known', night), ['shard_denied', undefined]);
});

test('friends and trusted peers may have blocks loaded, of those that may compute here; or whom else the owner names', () => {
  const may = (peer: string, tier: Tier, flags: Record<string, unknown>) =>
    ask(peer, tier, flags, NOON, 'mayHaveLoaded');
  const denied = ['shard_denied', undefined];
  const open = { 'swarm.friends': FRIEND, 'shards.serveTier': 'unknown' };
  assert.equal(may(FRIEND, 'unknown', open), undefined);
  assert.equal(may(OTHER, 'trusted', open), undefined);
  assert.deepEqual(may(OTHER, 'verified', open), denied);
  assert.equal(may(OTHER, 'known', { ...open, 'shards.standIn': 'known' }), undefined);
  assert.deepEqual(may(OTHER, 'trusted', { ...open, 'shards.standIn': 'friends' }), denied);
  assert.deepEqual(may(FRIEND, 'trusted', { ...open, 'shards.standIn': 'nobody' }), denied);
  // Who may not compute here has nothing loaded either.
  assert.deepEqual(may(OTHER, 'trusted', { 'shards.standIn': 'unknown' }), denied);
  assert.equal(may(SELF, 'unknown', { 'shards.standIn': 'nobody' }), undefined);
});
