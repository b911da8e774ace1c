import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { pageRank, sparseGraph } from '../eigentrust/page-rank.ts';
import { DIMENSIONS } from '../types.ts';
import { accountabilityTerm, sharedLosses } from './accountability.ts';
import { DAY_MS } from './decay.ts';
import { type Endorser, endorsementTerm, endorserParts } from './endorsements.ts';
import { combine } from './formula.ts';
import type { Counters, Endorsement } from './inputs.ts';
import { moderationTerm } from './moderation.ts';
import { agedAll, latencyShare, observationTerms, observed, throughputShare } from './observations.ts';
import { rankPeers } from './rank.ts';
import { quarantineEnd, strikeTerm } from './strikes.ts';

const NOW = Date.UTC(2026, 10, 21);
const share = fc.double({ min: 0, max: 1, noNaN: true });
const amount = fc.double({ min: 0, max: 1e6, noNaN: true });
const counters: fc.Arbitrary<Counters> = fc.dictionary(
  fc.constantFrom(...DIMENSIONS),
  fc.record({ good: amount, bad: amount, at: fc.constant(NOW) }),
);
const struck = (...days: readonly number[]) =>
  days.map((age) => ({ kind: 'recomputed' as const, at: NOW - age * DAY_MS }));

test('every term and the score stay from 0 to 1', () => {
  const ages = fc.array(fc.integer({ min: -10, max: 2000 }), { maxLength: 70 });
  fc.assert(
    fc.property(counters, share, share, ages, (seen, credentials, rank, days) => {
      const { rating, confidence } = observationTerms(seen);
      const { factor, bad } = moderationTerm(seen);
      const strikes = strikeTerm(struck(...days), NOW);
      const parts = { credentials, rank, observations: rating, confidence, moderation: factor, strikes };
      const score = combine({ ...parts, accountability: 1 });
      for (const value of [rating, confidence, factor, bad, strikes, score])
        assert.ok(value >= 0 && value <= 1 + 1e-12, String(value));
      assert.ok(rating <= confidence + 1e-12);
    }),
  );
});

test('a bad observation never raises a score, and a good one never lowers it', () => {
  const scoreOf = (seen: Counters, credentials: number) => {
    const { rating, confidence } = observationTerms(seen);
    const moderation = moderationTerm(seen).factor;
    return combine({
      credentials,
      observations: rating,
      confidence,
      rank: 0,
      moderation,
      strikes: 1,
      accountability: 1,
    });
  };
  fc.assert(
    fc.property(counters, share, fc.constantFrom(...DIMENSIONS), (seen, credentials, dimension) => {
      const before = scoreOf(seen, credentials);
      const good = { ...seen, [dimension]: observed(seen[dimension], 1, NOW) };
      const bad = { ...seen, [dimension]: observed(seen[dimension], 0, NOW) };
      assert.ok(scoreOf(good, credentials) >= before - 1e-12);
      assert.ok(scoreOf(bad, credentials) <= before + 1e-12);
    }),
  );
});

test('ageing shrinks what was seen and never turns it round', () => {
  fc.assert(
    fc.property(counters, fc.integer({ min: -1e12, max: 1e12 }), (seen, ms) => {
      const later = agedAll(seen, NOW + ms);
      for (const dimension of DIMENSIONS) {
        const [a, b] = [seen[dimension], later[dimension]];
        if (a === undefined || b === undefined) continue;
        assert.ok(b.good <= a.good && b.bad <= a.bad && b.good >= 0 && b.bad >= 0);
      }
    }),
  );
});

test('a quarantine doubles with each incident within a year, up to a year', () => {
  const daysLeft = (...ages: readonly number[]) => (quarantineEnd(struck(...ages))! - NOW) / DAY_MS;
  assert.equal(quarantineEnd([]), null);
  assert.equal(daysLeft(0), 30);
  assert.equal(daysLeft(0, 100), 60);
  assert.equal(daysLeft(0, 100, 364), 120);
  assert.equal(daysLeft(0, 100, 365), 60, 'a year later the first no longer counts');
  assert.equal(daysLeft(0, 0, 0, 0, 0), 365);
  assert.equal(daysLeft(10, 200, 250, 300), 230, 'the end of the longest counts');
});

test('an endorser answers for the misconduct that fell into its endorsement, and for none else', () => {
  const row = (endorsee: string, fromDays: number, untilDays: number): Endorsement => ({
    endorser: 'e',
    endorsee,
    interactions: 20,
    from: NOW - fromDays * DAY_MS,
    until: NOW - untilDays * DAY_MS,
    seen: NOW - fromDays * DAY_MS,
  });
  const given = [
    row('before', 10, -10),
    row('during', 100, -10),
    row('after', 100, 50),
    row('good', 100, -10),
  ];
  const incidents = (peer: string) =>
    ({ before: struck(20), during: struck(90, 300), after: struck(40), good: [] })[peer] ?? [];
  const losses = sharedLosses(given, incidents);
  assert.deepEqual(losses, [{ endorsee: 'during', at: NOW - 90 * DAY_MS, endorsed: 3 }]);
  assert.equal(accountabilityTerm(losses, NOW), 1 - 0.1 * 0.5);
  const many = Array.from({ length: 40 }, (_, i) => ({ endorsee: String(i), at: NOW, endorsed: 40 }));
  assert.equal(accountabilityTerm(many.slice(0, 1), NOW), 0.95);
  assert.equal(accountabilityTerm(many, NOW), 0.5, 'it never falls below a half');
});

test('endorsers of one operator count once, by the best of them, in any order', () => {
  const endorser = (peerId: string, standing: number, ...operators: string[]): Endorser => ({
    peerId,
    operators,
    standing,
    endorses: 1,
    accountability: 1,
    interactions: 20,
  });
  const crowd = [
    endorser('a', 0.4, 'x'),
    endorser('b', 0.6, 'x', 'y'),
    endorser('c', 0.5, 'y'),
    endorser('d', 0.3),
    endorser('d', 0.3),
  ];
  const counted = endorserParts(crowd).map(({ endorser: { peerId } }) => peerId);
  assert.deepEqual(counted, ['b', 'd']);
  assert.equal(endorsementTerm(endorserParts(crowd)).toFixed(12), (0.9 / 3).toFixed(12));
  assert.deepEqual(endorserParts([...crowd].reverse()), endorserParts(crowd));
});

test('ranks sum to 1 and follow the graph alone, whatever the order of its edges', () => {
  const edges = fc.array(fc.tuple(fc.nat(29), fc.nat(29)), { maxLength: 120 });
  fc.assert(
    fc.property(edges, fc.uniqueArray(fc.nat(29), { minLength: 1, maxLength: 5 }), (list, starts) => {
      const { ranks, iterations } = pageRank(sparseGraph(30, list), starts);
      const sum = ranks.reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(sum - 1) < 1e-9, String(sum));
      assert.ok(iterations <= 22);
      assert.deepEqual(pageRank(sparseGraph(30, [...list].reverse()), starts).ranks, ranks);
    }),
  );
});

test('without roots, or with an empty group of them, nobody has a rank', () => {
  const edges = [['a', 'b']] as const;
  const isVerified = () => true;
  assert.equal(rankPeers({ groups: [[]], edges, isVerified }).strength('b'), 0);
  assert.equal(rankPeers({ groups: [['a'], [], ['a']], edges, isVerified }).strength('b'), 0);
  const { strength } = rankPeers({ groups: [['a']], edges, isVerified });
  assert.ok(strength('a') > strength('b') && strength('b') > 0 && strength('nobody') === 0);
  assert.equal(rankPeers({ groups: [['a']], edges, isVerified: () => false }).strength('b'), 0);
});

test('throughput and latency count up to what was claimed and aimed at', () => {
  assert.deepEqual([throughputShare(100, 50), throughputShare(100, 200), throughputShare(0, 5)], [0.5, 1, 1]);
  assert.deepEqual([latencyShare(100, 200), latencyShare(100, 50), latencyShare(100, 0)], [0.5, 1, 1]);
});
