import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { meetingOf, type PeerRequirements, TIERS } from '../../base/index.ts';
import { OWN_TERMS } from '../terms.ts';
import { createSettle } from './wishes.ts';

const some = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const requirements: fc.Arbitrary<PeerRequirements> = fc
  .record({
    minTier: some(fc.constantFrom(...TIERS)),
    maxLatencyMs: some(fc.nat({ max: 100 })),
    regions: some(fc.uniqueArray(fc.constantFrom('eu', 'us', 'ch'))),
    pledge: some(fc.boolean()),
  })
  .map((all) => Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)));
const facts = fc.record({
  tier: fc.constantFrom(...TIERS),
  pledge: fc.boolean(),
  latencyMs: fc.option(fc.nat({ max: 100 })),
  region: fc.option(fc.constantFrom('eu', 'us', 'ch')),
});

test('a peer that meets what holds meets all that was asked: terms, request and owner only add to each other', () => {
  fc.assert(
    fc.property(requirements, requirements, facts, fc.boolean(), (first, second, about, maximum) => {
      const { minTier = null, maxLatencyMs = null, regions = null, pledge = null } = first;
      const terms = { ...OWN_TERMS, minTier, maxLatencyMs, regions, pledge };
      const settle = createSettle({ requiredTier: 'verified', privacy: maximum ? 'maximum' : 'minimum' });
      const { peers } = settle(terms, second);
      const owner: PeerRequirements = maximum ? { minTier: 'verified', pledge: true } : {};
      const each = [first, second, owner].every((one) => meetingOf(one, about, about).ok);
      assert.equal(meetingOf(peers ?? {}, about, about).ok, each);
    }),
    { numRuns: 2000 },
  );
});

test('what is not known of a peer meets nothing, and each lack has its reason', () => {
  const asks: PeerRequirements = { minTier: 'known', maxLatencyMs: 5, regions: ['eu'], pledge: true };
  const unknown = { tier: 'unknown', pledge: false, latencyMs: null, region: null } as const;
  assert.deepEqual(meetingOf(asks, unknown, unknown).reasons, [
    'its tier is unknown, and known is asked',
    'its latency is not known, and at most 5 ms is asked',
    'its region is not known, and eu is asked',
    'it shows no FiduciaryPledge that counts here',
  ]);
  assert.equal(meetingOf({}, unknown, unknown).ok, true);
});

test('a request that asks nothing of peers has the wishes that were made once', () => {
  const settle = createSettle({});
  assert.equal(settle(undefined), settle(OWN_TERMS));
  assert.equal(settle(undefined).peers, null);
});
