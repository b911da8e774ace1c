/**
 * The seven types of credential: their names on the wire, contexts, claims and longest lifetimes.
 *
 * The claims are integers and short texts; shares are in permille. `@context` is signed and never fetched or interpreted,
 * so there is one exact array. Its second entry is W3C's own context for terms that no context defines, so that JSON-LD
 * processors read the claims too. It has addresses only: other implementations compare entries by identity, and would
 * refuse a context that is written out.
 *
 * @module identity/credentials/kinds
 */
import { z } from 'zod';
import { isDidKey } from '../proof/method.ts';
import { CREDENTIAL_TYPES, type CredentialType } from '../types.ts';

/** First entry of every `@context` of the VC Data Model 2.0. */
export const CONTEXT_V2 = 'https://www.w3.org/ns/credentials/v2';
/** Context and second entry for what the first does not define: VC Data Model 2.0, section 5.2 and appendix B. */
export const PINNED_CONTEXT: readonly string[] = [
  CONTEXT_V2,
  'https://www.w3.org/ns/credentials/undefined-terms/v2',
];

export const DAY_MS = 86_400_000;

export interface CredentialKind {
  readonly type: CredentialType;
  /** Second entry of `type` on the wire: `UptimeVC`. */
  readonly wireType: string;
  readonly context: readonly string[];
  /** A credential counts no longer than this after its `validFrom`, whatever it says. */
  readonly maxLifetimeMs: number;
  /** Issued with an entry in a status list unless the issuer wants none: short-lived types need none. */
  readonly revocable: boolean;
  readonly claims: z.ZodType<Record<string, unknown>>;
}

const whole = (min: number, max: number) => z.int().min(min).max(max);
const words = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}\p{Cs}]+$/u, 'it holds control characters');
/** Counts are told in steps, so that credentials reveal less of who met whom how often. */
export const INTERACTION_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] as const;

const claims: Readonly<Record<CredentialType, z.ZodType<Record<string, unknown>>>> = {
  FiduciaryPledge: z.strictObject({
    pledgeName: words(128),
    /** SHA-256 of the pledge's text. */
    pledgeHash: z.string().regex(/^[0-9a-f]{64}$/, 'it is no SHA-256 in hex'),
  }),
  VerifiedNode: z.strictObject({
    operatorClass: z.enum(['individual', 'organisation']),
    /** The issuer's own name for the operator, the same for all nodes of one; no personal name. */
    operatorId: z.string().regex(/^[\w.:-]{1,64}$/, 'it is no id of letters, digits and . : _ -'),
  }),
  Uptime: z.strictObject({
    uptimePermille: whole(0, 1000),
    periodDays: whole(1, 366),
    probes: whole(1, 1e9),
  }),
  Throughput: z.strictObject({
    model: words(128),
    milliTokensPerSecond: whole(1, 1e9),
    samples: whole(1, 1e9),
  }),
  EventAttendee: z.strictObject({
    eventName: words(128),
    eventDate: z.string().refine(isDate, 'it is no date such as 2026-01-31'),
  }),
  PeerEndorsement: z.strictObject({ interactionCount: z.literal(INTERACTION_STEPS) }),
  Binding: z.strictObject({
    linkedIdentity: z.string().refine(isDidKey, 'it is no did:key of an Ed25519 key'),
    linkType: z.enum(['operator', 'passkey', 'successor']),
  }),
};

const lifetimeDays: Readonly<Record<CredentialType, number>> = {
  FiduciaryPledge: 365,
  VerifiedNode: 365,
  Uptime: 90,
  Throughput: 90,
  EventAttendee: 730,
  PeerEndorsement: 90,
  Binding: 365,
};

function isDate(text: string): boolean {
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN;
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

export const CREDENTIAL_KINDS: ReadonlyMap<CredentialType, CredentialKind> = new Map(
  CREDENTIAL_TYPES.map((type) => [
    type,
    {
      type,
      wireType: `${type}VC`,
      context: PINNED_CONTEXT,
      maxLifetimeMs: lifetimeDays[type] * DAY_MS,
      revocable: type !== 'PeerEndorsement',
      claims: claims[type],
    },
  ]),
);

export function kindOf(type: CredentialType): CredentialKind {
  return CREDENTIAL_KINDS.get(type)!;
}

const byWireType = new Map([...CREDENTIAL_KINDS.values()].map((kind) => [kind.wireType, kind]));
export function kindOfWireType(wireType: string): CredentialKind | undefined {
  return byWireType.get(wireType);
}

/** Highest step that `count` interactions reach; null for none. */
export function interactionStep(count: number): number | null {
  return INTERACTION_STEPS.findLast((step) => step <= count) ?? null;
}
