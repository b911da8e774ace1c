import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CredentialType } from '../../identity/index.ts';
import { DIMENSIONS, type Tier } from '../types.ts';
import { credentialParts, credentialTerm } from './credentials.ts';
import { DAY_MS } from './decay.ts';
import { combine } from './formula.ts';
import type { Counter, Counters, HeldCredential } from './inputs.ts';
import { moderationTerm } from './moderation.ts';
import { observationTerms } from './observations.ts';
import { quarantineEnd, strikeTerm } from './strikes.ts';
import { tierOf } from './tiers.ts';

const NOW = Date.UTC(2026, 10, 21);

interface Case {
  /** Ages in days by type. */
  readonly held?: Partial<Record<CredentialType, number>>;
  /** Observations of each dimension, and the share of good ones. */
  readonly seen?: readonly [count: number, good: number];
  /** Ages of incidents in days. */
  readonly struck?: readonly number[];
  /** `E` */
  readonly endorsed?: number;
  readonly witnesses?: number;
}

function scoreOf({ held = {}, seen = [0, 1], struck = [], endorsed = 0, witnesses = 0 }: Case) {
  const credentials = Object.entries(held).map(
    ([type, age], i): HeldCredential => ({
      digest: String(i),
      type: type as CredentialType,
      issuer: `did:key:${type}`,
      issuerPeer: type,
      validFrom: NOW - age * DAY_MS,
      validUntil: Number.POSITIVE_INFINITY,
      statusUntil: null,
      operator: null,
    }),
  );
  const [count, good] = seen;
  const counter: Counter = { good: count * good, bad: count * (1 - good), at: NOW };
  const counters: Counters = Object.fromEntries(DIMENSIONS.map((dimension) => [dimension, counter]));
  const incidents = struck.map((age) => ({ kind: 'recomputed' as const, at: NOW - age * DAY_MS }));
  const { rating, confidence } = observationTerms(counters);
  const score = combine({
    credentials: credentialTerm(credentialParts(credentials, witnesses, NOW), endorsed),
    observations: rating,
    confidence,
    rank: 0,
    moderation: moderationTerm(counters).factor,
    strikes: strikeTerm(incidents, NOW),
    accountability: 1,
  });
  const end = quarantineEnd(incidents);
  return { score, ...tierOf(score, 'default', credentials, end !== null && end > NOW) };
}

const trio = (age: number) => ({ FiduciaryPledge: age, VerifiedNode: age, Uptime: age });

const TABLE: readonly (readonly [name: string, given: Case, score: number, tier: Tier])[] = [
  ['an event credential on its first day', { held: { EventAttendee: 0 } }, 0.1, 'known'],
  ['an event credential after a year', { held: { EventAttendee: 365 } }, 0.05, 'known'],
  ['VerifiedNode on its first day', { held: { VerifiedNode: 0 } }, 0.2, 'known'],
  ['VerifiedNode and 15 observations', { held: { VerifiedNode: 0 }, seen: [15, 0.95] }, 0.36, 'verified'],
  ['VerifiedNode and 20 observations', { held: { VerifiedNode: 0 }, seen: [20, 0.95] }, 0.377, 'verified'],
  [
    'VerifiedNode of 364 days and 100 observations',
    { held: { VerifiedNode: 364 }, seen: [100, 0.95] },
    0.372,
    'verified',
  ],
  ['VerifiedNode and Uptime', { held: { VerifiedNode: 0, Uptime: 0 } }, 0.4, 'verified'],
  ['VerifiedNode and Uptime of 70 days', { held: { VerifiedNode: 70, Uptime: 70 } }, 0.35, 'verified'],
  ['VerifiedNode and Uptime of 71 days', { held: { VerifiedNode: 71, Uptime: 71 } }, 0.35, 'known'],
  ['pledge, node and uptime', { held: trio(0) }, 0.7, 'trusted'],
  ['pledge, node and uptime of 81 days', { held: trio(81) }, 0.6, 'trusted'],
  ['pledge, node and uptime of 82 days', { held: trio(82) }, 0.599, 'verified'],
  [
    'pledge, node and uptime of 190 days, and 20 observations',
    { held: trio(190), seen: [20, 0.95] },
    0.601,
    'trusted',
  ],
  [
    'pledge and node of 364 days, uptime of 30, and 100 observations',
    { held: { FiduciaryPledge: 364, VerifiedNode: 364, Uptime: 30 }, seen: [100, 0.95] },
    0.609,
    'trusted',
  ],
  ['no credential, and 1,000 observations without fault', { seen: [1000, 1] }, 0.347, 'known'],
  [
    'pledge, uptime and throughput without VerifiedNode',
    { held: { FiduciaryPledge: 0, Uptime: 0, Throughput: 0 }, witnesses: 3 },
    0.65,
    'known',
  ],
  [
    'pledge, node, uptime and 100 observations, struck today',
    { held: trio(0), seen: [100, 0.95], struck: [0] },
    0.395,
    'known',
  ],
  ['the same after 30 days', { held: trio(30), seen: [100, 0.95], struck: [30] }, 0.461, 'verified'],
  [
    'pledge, node, uptime and 50 observations with 20 % failures',
    { held: trio(0), seen: [50, 0.8] },
    0.596,
    'verified',
  ],
  ['with 30 % failures', { held: trio(0), seen: [50, 0.7] }, 0.408, 'verified'],
  ['with 40 % failures', { held: trio(0), seen: [50, 0.6] }, 0.224, 'known'],
  ['with 50 % failures', { held: trio(0), seen: [50, 0.5] }, 0.044, 'unknown'],
  [
    'pledge, node, uptime and 20 observations after the pledge was revoked without cause',
    { held: { VerifiedNode: 0, Uptime: 0 }, seen: [20, 0.95] },
    0.533,
    'verified',
  ],
  [
    'all six credentials without fault',
    {
      held: { ...trio(0), Throughput: 0, EventAttendee: 0 },
      witnesses: 3,
      endorsed: 1,
    },
    1,
    'trusted',
  ],
];

for (const [name, given, score, tier] of TABLE) {
  test(`${name}: ${score}, ${tier}`, () => {
    const found = scoreOf(given);
    assert.equal(found.score.toFixed(3), score.toFixed(3));
    assert.equal(found.tier, tier);
  });
}
