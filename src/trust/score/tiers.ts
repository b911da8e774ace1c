/**
 * From a score to a tier: thresholds, and gates that no score passes by itself.
 *
 * | Tier | score | gate |
 * |---|---|---|
 * | trusted | 0.60 | VerifiedNode and a FiduciaryPledge or Uptime from another issuer, no quarantine |
 * | verified | 0.35 | VerifiedNode, no quarantine |
 * | known | 0.05 | none |
 *
 * The profile `reference` has 0.70, 0.40, 0.10 and no gates.
 *
 * @module trust/score/tiers
 */
import { reaches } from '../../base/index.ts';
import type { Profile, Tier } from '../types.ts';
import type { HeldCredential } from './inputs.ts';

export const THRESHOLDS: Readonly<Record<Profile, Readonly<Record<Exclude<Tier, 'unknown'>, number>>>> = {
  default: { known: 0.05, verified: 0.35, trusted: 0.6 },
  reference: { known: 0.1, verified: 0.4, trusted: 0.7 },
};

/** A sum that is a threshold in decimals may round to just below it. */
const ROUNDING = 1e-9;

/** The tier by thresholds alone. */
export function ungatedTier(score: number, profile: Profile): Tier {
  const bounds = THRESHOLDS[profile];
  const reached = (['trusted', 'verified', 'known'] as const).find(
    (tier) => score >= bounds[tier] - ROUNDING,
  );
  return reached ?? 'unknown';
}

export interface GatedTier {
  readonly tier: Tier;
  /** Why it is lower than the score alone would give; empty when it is not. */
  readonly gates: readonly string[];
}

/** `credentials`: those that count. */
export function tierOf(
  score: number,
  profile: Profile,
  credentials: readonly HeldCredential[],
  isQuarantined: boolean,
): GatedTier {
  const wanted = ungatedTier(score, profile);
  if (profile === 'reference' || !reaches(wanted, 'verified')) return { tier: wanted, gates: [] };
  const gates: string[] = [];
  if (isQuarantined) gates.push('in quarantine: Known at most');
  const nodes = credentials.filter(({ type }) => type === 'VerifiedNode');
  if (nodes.length === 0) gates.push('no VerifiedNode credential: Known at most');
  if (gates.length > 0) return { tier: 'known', gates };
  if (wanted !== 'trusted') return { tier: wanted, gates };
  const others = credentials.filter(({ type }) => type === 'FiduciaryPledge' || type === 'Uptime');
  if (others.length === 0)
    return { tier: 'verified', gates: ['neither FiduciaryPledge nor Uptime credential: Verified at most'] };
  const isVouchedTwice = nodes.some((node) => others.some((other) => other.issuer !== node.issuer));
  if (!isVouchedTwice)
    return { tier: 'verified', gates: ['all credentials are from one issuer: Verified at most'] };
  return { tier: 'trusted', gates };
}
