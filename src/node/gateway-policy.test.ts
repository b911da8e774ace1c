import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONFIG_KEYS, type ConfigKey, envName } from '../base/index.ts';
import { decisionsOf } from './gateway-policy.ts';
import { configOf } from './testing/config.ts';

type Decisions = ReturnType<typeof decisionsOf>;

/** Each key, a value of it, and where it is found afterwards. */
const EFFECTS: readonly (readonly [ConfigKey, string, (decisions: Decisions) => unknown, unknown])[] = [
  ['gateway.privacy', 'medium', ({ policy }) => policy!.privacy, 'medium'],
  ['gateway.requiredTier', 'verified', ({ policy }) => policy!.requiredTier, 'verified'],
  ['gateway.balancing', 'latency', ({ policy }) => policy!.balancing, 'latency'],
  ['gateway.balancingSeed', '7', ({ policy }) => policy!.balancingSeed, 7],
  ['gateway.balancingSeed', 'auto', ({ policy }) => policy!.balancingSeed, null],
  ['gateway.redundancy', '3', ({ policy }) => policy!.redundancy, 3],
  ['gateway.decide', 'agreement', ({ policy }) => policy!.decide, 'agreement'],
  ['gateway.hedgeMs', '250', ({ policy }) => policy!.hedgeMs, 250],
  ['gateway.hedgeMs', 'auto', ({ policy }) => policy!.hedgeMs, 'auto'],
  ['gateway.hedgeMs', '0', ({ policy }) => policy!.hedgeMs, null],
  ['gateway.route', 'local', ({ policy }) => policy!.route, 'local'],
  ['gateway.cache', 'keep', ({ policy }) => policy!.cache, 'keep'],
  ['gateway.degrade', 'stale', ({ policy }) => policy!.degrade, 'stale'],
  ['gateway.regions', 'eu,home', ({ policy }) => policy!.regions, ['eu', 'home']],
  ['gateway.retries', '1', ({ retries }) => retries, 1],
  ['gateway.retryDelayMs', '500', ({ backoff }) => backoff, { baseMs: 500, maxMs: 2000 }],
  ['gateway.breakerFailures', '2', ({ breaker }) => breaker!.failures, 2],
  ['gateway.breakerOpenMs', '1234', ({ breaker }) => breaker!.openMs, 1234],
  ['gateway.breakerSuccesses', '1', ({ breaker }) => breaker!.successes, 1],
  ['gateway.probeMs', '0', ({ probeMs }) => probeMs, 0],
  ['gateway.weightOrder', '2', ({ policy }) => policy!.weights!.order, 2],
  ['gateway.weightCost', '0.5', ({ policy }) => policy!.weights!.cost, 0.5],
  ['gateway.weightLatency', '0.7', ({ policy }) => policy!.weights!.latency, 0.7],
  ['gateway.weightLoad', '0.8', ({ policy }) => policy!.weights!.load, 0.8],
  ['gateway.weightErrors', '0.9', ({ policy }) => policy!.weights!.errors, 0.9],
];

/** Keys whose effect is no decision: shown in backends.test.ts, gateway.test.ts and test/gateway-config.test.ts. */
const ELSEWHERE: readonly ConfigKey[] = [
  'gateway.preset',
  'gateway.localEngine',
  'gateway.order',
  'gateway.timeoutMs',
  'gateway.cacheBytes',
  'gateway.redisUrl',
  'gateway.searxngUrl',
  'gateway.complexity',
  'gateway.complexityTarget',
  'gateway.complexityMin',
  'gateway.complexityMax',
];

test('each key of the gateway takes effect on what it decides by', () => {
  const before = decisionsOf(configOf(''));
  for (const [key, text, effect, expected] of EFFECTS) {
    const decisions = decisionsOf(configOf('', { [envName(key)]: text }));
    assert.deepEqual(effect(decisions), expected, key);
    if (expected !== null) assert.notDeepEqual(effect(before), expected, `${key} shows nothing`);
  }
  const shown = new Set([...EFFECTS.map(([key]) => key), ...ELSEWHERE]);
  assert.deepEqual(
    CONFIG_KEYS.filter((key) => key.startsWith('gateway.') && !shown.has(key)),
    [],
  );
});

test('agents keep their model, privacy and route', () => {
  const { agents } = decisionsOf(
    configOf('agents: {strategy: {model: quality, privacy: medium, route: frontier}}'),
  );
  assert.deepEqual({ ...agents!.strategy }, { model: 'quality', privacy: 'medium', route: 'frontier' });
});
