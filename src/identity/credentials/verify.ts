/**
 * The one way to verify a credential. Every rule has its code, rules are looked at in this order, and the first that
 * fails decides:
 *
 * | Rule | Code |
 * |---|---|
 * | at most 4 KiB; bytes are their own canonical form; depth at most 8; integers only | `malformed` |
 * | a known type, its pinned `@context`, its claims | `malformed` |
 * | exactly one proof, for `assertionMethod`, by a did:key whose fragment is its key | `bad_proof` |
 * | the key's owner is the issuer | `issuer_mismatch` |
 * | the policy accepts the issuer for this type | `untrusted_issuer` |
 * | the subject is the one that was expected | `wrong_subject` |
 * | `validFrom` at most 5 minutes ahead; `validUntil`; the type's longest lifetime | `not_yet_valid`, `expired` |
 * | the signature holds | `bad_proof` |
 * | its status list does not revoke it, and is known and recent | `revoked`, `status_unknown` |
 *
 * What depends on the bytes alone is remembered by their SHA-256; policy, time and status are looked at each time.
 *
 * @module identity/credentials/verify
 */
import { aheadText, type Clock, LimitError } from '../../base/index.ts';
import { digestOf } from '../proof/document.ts';
import { CLOCK_SKEW_MS } from '../status/list.ts';
import type { CredentialFacts, IssuerPolicy, Verdict, VerdictCode } from '../types.ts';
import { kindOf } from './kinds.ts';
import { type ReadCredential, readCredential } from './read.ts';
import type { CredentialFields, StatusReference } from './schema.ts';

/** What is known of a credential's revocation at a time. */
export type StatusAnswer =
  | { readonly state: 'clear'; readonly stale: boolean }
  | { readonly state: 'revoked' }
  | { readonly state: 'unknown'; readonly reason: string };

/** Answers from lists that were seen; never waits for the network. */
export interface StatusSource {
  look(reference: StatusReference, issuer: string, at: number): StatusAnswer;
}

export interface VerifierOptions {
  readonly clock: Clock;
  readonly policy: IssuerPolicy;
  readonly status: StatusSource;
  /** Credentials remembered. @default 4096 */
  readonly cacheEntries?: number;
}

export interface VerifyRequest {
  /** The DID that the credential must be about. Absent: any. */
  readonly subject?: string;
  /** Who handed it over: each may cause 32 new verifications a minute. Absent: the owner, who may cause any number. */
  readonly peer?: string;
}

export interface Verification {
  readonly verdict: Verdict;
  /** Null unless the code is `ok`: what was not verified is not a fact. */
  readonly facts: CredentialFacts | null;
  /** What it says of itself, for people who are told why it was refused; null when it cannot be read. */
  readonly claimed: CredentialFields | null;
  readonly digest: string;
}

export interface CredentialVerifier {
  /**
   * Verifies a credential's wire bytes: a JSON document, or a token. Never throws for what the bytes are; throws
   * LimitError `credentials.perMinute` when the peer has used up its verifications.
   */
  verify(bytes: Uint8Array, request?: VerifyRequest): Promise<Verification>;
}

/** How long it is remembered that bytes are bad. */
const NEGATIVE_MS = 600_000;
const PER_MINUTE = 32;
const MAX_PEERS = 4096;

interface Entry {
  readonly credential: ReadCredential | null;
  /** What the bytes alone decide; null when only the signature is open or all is well. */
  refusal: Verdict | null;
  /** `monotonic()` until which a refusal counts. */
  until: number;
  signed: boolean;
}

export function createCredentialVerifier(options: VerifierOptions): CredentialVerifier {
  const { clock, policy, status, cacheEntries = 4096 } = options;
  const entries = new Map<string, Entry>();
  const budgets = new Map<string, { left: number; at: number }>();

  /** Takes one of the peer's verifications: a bucket of 32 that fills up within a minute. */
  const charge = (peer: string) => {
    const now = clock.monotonic();
    const before = budgets.get(peer) ?? { left: PER_MINUTE, at: now };
    const left = Math.min(PER_MINUTE, before.left + ((now - before.at) / 60_000) * PER_MINUTE);
    if (left < 1) {
      throw new LimitError(
        'credentials.perMinute',
        PER_MINUTE,
        `This peer has had ${PER_MINUTE} new credentials verified within a minute. Ask again later.`,
        { retryAfter: Math.ceil(((1 - left) * 60) / PER_MINUTE) },
      );
    }
    budgets.delete(peer);
    budgets.set(peer, { left: left - 1, at: now });
    if (budgets.size > MAX_PEERS) budgets.delete(budgets.keys().next().value!);
  };

  const entryOf = (digest: string, bytes: Uint8Array, peer: string | undefined): Entry => {
    const known = entries.get(digest);
    if (known !== undefined && (known.refusal === null || clock.monotonic() < known.until)) {
      // Last in: the one used longest ago is first out.
      entries.delete(digest);
      entries.set(digest, known);
      return known;
    }
    if (peer !== undefined) charge(peer);
    const read = readCredential(bytes);
    const entry: Entry =
      'verdict' in read
        ? { credential: null, refusal: read.verdict, until: clock.monotonic() + NEGATIVE_MS, signed: false }
        : { credential: read, refusal: null, until: 0, signed: false };
    entries.delete(digest);
    entries.set(digest, entry);
    if (entries.size > cacheEntries) entries.delete(entries.keys().next().value!);
    return entry;
  };

  return {
    async verify(bytes, request = {}) {
      const digest = digestOf(bytes);
      const entry = entryOf(digest, bytes, request.peer);
      const { credential } = entry;
      const refused = (verdict: Verdict): Verification => ({
        verdict,
        facts: null,
        claimed: credential?.fields ?? null,
        digest,
      });
      if (credential === null) return refused(entry.refusal!);
      const { fields } = credential;
      const now = clock.now();
      const early = judgeUse(fields, policy, request.subject, now);
      if (early !== null) return refused(early);
      if (entry.refusal === null && !entry.signed) {
        if (await credential.verify()) entry.signed = true;
        else {
          entry.refusal = verdict(
            'bad_proof',
            'Its signature does not hold: it was changed, or another key signed it.',
          );
          entry.until = clock.monotonic() + NEGATIVE_MS;
        }
      }
      if (entry.refusal !== null) return refused(entry.refusal);
      const answer: StatusAnswer =
        fields.status === null
          ? { state: 'clear', stale: false }
          : status.look(fields.status, fields.issuer, now);
      if (answer.state === 'revoked') return refused(verdict('revoked', 'Its issuer revoked it.'));
      if (answer.state === 'unknown') return refused(verdict('status_unknown', answer.reason));
      const { status: _, ...said } = fields;
      return {
        verdict: verdict('ok', ''),
        facts: { digest, ...said, statusStale: answer.stale },
        claimed: fields,
        digest,
      };
    },
  };
}

/** The rules about one use: policy, subject, time. Null when all hold. */
function judgeUse(
  fields: CredentialFields,
  policy: IssuerPolicy,
  subject: string | undefined,
  now: number,
): Verdict | null {
  const { issuer, type } = fields;
  if (!policy.accepts(issuer, type, now)) {
    return verdict(
      'untrusted_issuer',
      `Your policy does not accept ${issuer.slice(0, 100)} as an issuer of ${type} credentials.`,
    );
  }
  if (subject !== undefined && fields.subject !== subject)
    return verdict('wrong_subject', `It is about ${fields.subject}, not about ${subject.slice(0, 100)}.`);
  if (fields.validFrom > now + CLOCK_SKEW_MS)
    return verdict(
      'not_yet_valid',
      `It is valid from ${new Date(fields.validFrom).toISOString()} on, ${aheadText(fields.validFrom, now)}.`,
    );
  const end = expiresAt(fields);
  if (now >= end)
    return verdict('expired', `It ended at ${new Date(end).toISOString()}. Ask its issuer for a new one.`);
  return null;
}

/** When a credential stops counting, ms since 1970: its own end or its type's longest lifetime, whichever is first. */
export function expiresAt(fields: Pick<CredentialFields, 'type' | 'validFrom' | 'validUntil'>): number {
  const longest = fields.validFrom + kindOf(fields.type).maxLifetimeMs;
  return Math.min(fields.validUntil ?? longest, longest);
}

export function verdict(code: VerdictCode, reason: string): Verdict {
  return { code, reason };
}
