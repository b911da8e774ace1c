/**
 * `C`: what credentials say.
 *
 * `C = sum over types of w_t * max over its credentials of g * 0.5^(age / 365 days)`: the best one of each type, so that
 * many of a kind add nothing. The age counts from `validFrom`. `g` is 1, or 0.5 while the status cannot be learned.
 *
 * @module trust/score/credentials
 */
import type { CredentialType } from '../../identity/index.ts';
import { DAY_MS, decay } from './decay.ts';
import type { HeldCredential } from './inputs.ts';

/** They sum to 1 with `ENDORSEMENT_WEIGHT`. */
export const CREDENTIAL_WEIGHTS = {
  FiduciaryPledge: 0.3,
  VerifiedNode: 0.2,
  Uptime: 0.2,
  Throughput: 0.15,
  EventAttendee: 0.1,
} as const satisfies Partial<Record<CredentialType, number>>;
type Weighed = keyof typeof CREDENTIAL_WEIGHTS;

export const ENDORSEMENT_WEIGHT = 0.05;
export const CREDENTIAL_HALF_LIFE_DAYS = 365;
/** Throughput counts in full when so many Verified peers measured it. */
export const WITNESSES = 3;
/** How long a credential counts half whose status cannot be learned, unless the policy says otherwise. */
export const STATUS_GRACE_DAYS = 7;

/** `g`: 1 while the status is known, then 0.5 for the grace, then 0. */
export function statusFactor(credential: HeldCredential, now: number, graceDays: number): number {
  if (credential.statusUntil === null || now <= credential.statusUntil) return 1;
  return now - credential.statusUntil <= graceDays * DAY_MS ? 0.5 : 0;
}

export interface CredentialPart {
  readonly type: Weighed;
  readonly credential: HeldCredential;
  /** What it adds to `C`. */
  readonly adds: number;
}

/**
 * The credentials' parts of `C`, best one of each type, in the order of the weights.
 * `credentials` are those that count: in time and from an issuer that the policy accepts. `witnesses`: how many distinct
 * Verified peers, or issuers that the policy names, say so of the throughput.
 */
export function credentialParts(
  credentials: readonly HeldCredential[],
  witnesses: number,
  now: number,
  graceDays: number = STATUS_GRACE_DAYS,
): CredentialPart[] {
  const best = new Map<Weighed, CredentialPart>();
  for (const credential of credentials) {
    const { type } = credential;
    if (!isWeighed(type)) continue;
    const share = type === 'Throughput' ? Math.min(1, witnesses / WITNESSES) : 1;
    const adds =
      CREDENTIAL_WEIGHTS[type] *
      share *
      statusFactor(credential, now, graceDays) *
      decay(now - credential.validFrom, CREDENTIAL_HALF_LIFE_DAYS);
    const before = best.get(type);
    if (adds > 0 && (before === undefined || adds > before.adds)) best.set(type, { type, credential, adds });
  }
  const order = Object.keys(CREDENTIAL_WEIGHTS) as Weighed[];
  return order.flatMap((type) => best.get(type) ?? []);
}

/** `C`, 0 to 1. `endorsements` is `E`; 0 leaves endorsements out. */
export function credentialTerm(parts: readonly CredentialPart[], endorsements: number): number {
  return parts.reduce((sum, { adds }) => sum + adds, ENDORSEMENT_WEIGHT * endorsements);
}

function isWeighed(type: CredentialType): type is Weighed {
  return Object.hasOwn(CREDENTIAL_WEIGHTS, type);
}
