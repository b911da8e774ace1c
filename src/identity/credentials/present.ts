/**
 * Presentations: credentials shown by their holder to one verifier, once.
 *
 * A `VerifiablePresentation` of the VC Data Model 2.0 with an `eddsa-jcs-2022` proof for `authentication`, whose
 * `challenge` the verifier gave out and whose `domain` is the verifier's DID, good for 5 minutes. Not needed between
 * connected peers: there the connection's handshake proves the key.
 *
 * @module identity/credentials/present
 */
import { z } from 'zod';
import { aheadText, type Clock, canonicalBytes, InputError } from '../../base/index.ts';
import {
  CREDENTIAL_MAX_BYTES,
  CREDENTIAL_MAX_DEPTH,
  isList,
  type JsonObject,
  parseDateTime,
  readStrict,
} from '../proof/document.ts';
import { firstFault, proveDocument, readProof } from '../proof/eddsa-jcs-2022.ts';
import { looksLikeToken } from '../proof/vc-jwt.ts';
import { CLOCK_SKEW_MS } from '../status/list.ts';
import type { Identity, Verdict, VerdictCode } from '../types.ts';
import { CONTEXT_V2 } from './kinds.ts';
import { issuerMismatch, readCredential } from './read.ts';
import type { CredentialVerifier, Verification } from './verify.ts';

export const PRESENTATION_MAX_CREDENTIALS = 16;
export const PRESENTATION_MAX_MS = 300_000;
/** The credentials, those that are tokens in their envelopes, and the frame around them. */
export const PRESENTATION_MAX_BYTES = PRESENTATION_MAX_CREDENTIALS * (CREDENTIAL_MAX_BYTES + 256) + 4096;

const CONTEXT = [CONTEXT_V2];
const TOKEN_URL = 'data:application/vc+jwt,';

export interface PresentOptions {
  /** Wire bytes of each: 1 to 16, all about the holder. */
  readonly credentials: readonly Uint8Array[];
  /** What the verifier gave out. */
  readonly challenge: string;
  /** The verifier's DID. */
  readonly domain: string;
  /** ms since 1970. */
  readonly now: number;
}

/** Wire bytes. Throws InputError `presentation_invalid` when there are none, too many, or some are another's. */
export function presentCredentials(holder: Identity, options: PresentOptions): Uint8Array {
  const { credentials, challenge, domain, now } = options;
  const refuse = (why: string) => new InputError('presentation_invalid', why);
  if (credentials.length < 1 || credentials.length > PRESENTATION_MAX_CREDENTIALS)
    throw refuse(
      `A presentation shows 1 to ${PRESENTATION_MAX_CREDENTIALS} credentials, not ${credentials.length}.`,
    );
  if (!isChallenge(challenge))
    throw refuse('A challenge has 16 to 128 letters, digits, - and _: give the one of the verifier.');
  for (const bytes of credentials) {
    const read = readCredential(bytes);
    if ('verdict' in read) throw refuse(`One of the credentials cannot be shown. ${read.verdict.reason}`);
    if (read.fields.subject !== holder.did)
      throw refuse(
        `A ${read.fields.type} credential is about ${read.fields.subject}; only its subject can present it.`,
      );
  }
  const document = {
    '@context': CONTEXT,
    type: ['VerifiablePresentation'],
    holder: holder.did,
    verifiableCredential: credentials.map(embed),
  };
  return canonicalBytes(
    proveDocument(document, holder, {
      purpose: 'authentication',
      created: now,
      expires: now + PRESENTATION_MAX_MS,
      challenge,
      domain,
    }),
  );
}

function embed(bytes: Uint8Array): JsonObject {
  const text = new TextDecoder().decode(bytes);
  return looksLikeToken(bytes)
    ? { '@context': CONTEXT_V2, id: `${TOKEN_URL}${text}`, type: 'EnvelopedVerifiableCredential' }
    : (JSON.parse(text) as JsonObject);
}

/** Challenges that a verifier gave out; each can be taken once. */
export interface Challenges {
  /** A new challenge: 43 characters of base64url. */
  issue(): string;
  /** True once for each that was given out and is not too old. */
  take(challenge: string): boolean;
}

export function isChallenge(text: string): boolean {
  return /^[\w-]{16,128}$/.test(text);
}

export interface VerifyPresentationOptions {
  readonly verifier: CredentialVerifier;
  readonly challenges: Challenges;
  /** The verifier's own DID. */
  readonly domain: string;
  readonly clock: Clock;
  readonly peer?: string;
}

export interface PresentationVerification {
  /** Of the presentation itself; each credential has its own. */
  readonly verdict: Verdict;
  /** Who proved to hold the key; null unless the code is `ok`. */
  readonly holder: string | null;
  /** One for each credential, in order; empty unless the code is `ok`. */
  readonly credentials: readonly Verification[];
}

const enveloped = z.strictObject({
  '@context': z.literal(CONTEXT_V2),
  id: z.string().startsWith(TOKEN_URL),
  type: z.literal('EnvelopedVerifiableCredential'),
});
const schema = z.strictObject({
  '@context': z.unknown().refine((value) => isList(value, CONTEXT), 'it is not the one of presentations'),
  type: z.tuple([z.literal('VerifiablePresentation')]),
  holder: z.string().max(256),
  verifiableCredential: z.array(z.looseObject({})).min(1).max(PRESENTATION_MAX_CREDENTIALS),
  proof: z.unknown(),
});

/**
 * Verifies a presentation and each credential in it, which must be about the holder. A wrong, unknown or used challenge and
 * a wrong domain are `bad_proof`. The challenge is used up only by a presentation whose signature holds.
 * Throws LimitError as `CredentialVerifier.verify` does.
 */
export async function verifyPresentation(
  bytes: Uint8Array,
  options: VerifyPresentationOptions,
): Promise<PresentationVerification> {
  const refuse = (code: VerdictCode, reason: string): PresentationVerification => ({
    verdict: { code, reason },
    holder: null,
    credentials: [],
  });
  const reading = readStrict(bytes, PRESENTATION_MAX_BYTES, CREDENTIAL_MAX_DEPTH + 2);
  if ('fault' in reading) return refuse('malformed', reading.fault);
  const parsed = schema.safeParse(reading.document);
  if (!parsed.success) return refuse('malformed', `It is no presentation: ${firstFault(parsed.error)}.`);
  const read = readProof(reading.document, 'authentication');
  if ('fault' in read) return refuse('bad_proof', read.fault);
  const { holder } = parsed.data;
  const mismatch = issuerMismatch(holder, read.controller);
  if (mismatch !== null)
    return refuse('issuer_mismatch', 'Its holder is not the owner of the key that signed it.');
  const { challenge, domain } = read.proof;
  const created = parseDateTime(read.proof.created);
  const expires = parseDateTime(read.proof.expires);
  if (created === null || expires === null || challenge === undefined || domain === undefined)
    return refuse('bad_proof', 'Its proof lacks created, expires, challenge or domain.');
  if (expires <= created || expires - created > PRESENTATION_MAX_MS)
    return refuse('bad_proof', 'Its proof is good for longer than 5 minutes, or never.');
  const now = options.clock.now();
  if (created > now + CLOCK_SKEW_MS)
    return refuse(
      'not_yet_valid',
      `It says it was made at ${new Date(created).toISOString()}, ${aheadText(created, now)}.`,
    );
  if (now >= expires) return refuse('expired', 'It is older than 5 minutes. Ask for a new one.');
  if (domain !== options.domain)
    return refuse('bad_proof', `It was made for ${domain.slice(0, 100)}, not for ${options.domain}.`);
  if (!read.verify()) return refuse('bad_proof', 'Its signature does not hold.');
  if (!options.challenges.take(challenge))
    return refuse('bad_proof', 'Its challenge was not given out here, is too old, or was used before.');
  const credentials: Verification[] = [];
  for (const embedded of parsed.data.verifiableCredential) {
    credentials.push(
      await options.verifier.verify(unembed(embedded), {
        subject: holder,
        ...(options.peer === undefined ? {} : { peer: options.peer }),
      }),
    );
  }
  return { verdict: { code: 'ok', reason: '' }, holder, credentials };
}

/**
 * Wire bytes of the credentials in a presentation that is not verified yet, so that their status can be learned first.
 * None where the bytes are no presentation.
 */
export function credentialsIn(bytes: Uint8Array): readonly Uint8Array[] {
  const reading = readStrict(bytes, PRESENTATION_MAX_BYTES, CREDENTIAL_MAX_DEPTH + 2);
  const parsed = 'fault' in reading ? null : schema.safeParse(reading.document);
  return parsed?.success === true ? parsed.data.verifiableCredential.map(unembed) : [];
}

/** The credential's own wire bytes: a document within canonical JSON is canonical itself. */
function unembed(embedded: JsonObject): Uint8Array {
  const envelope = enveloped.safeParse(embedded);
  return envelope.success
    ? new TextEncoder().encode(envelope.data.id.slice(TOKEN_URL.length))
    : canonicalBytes(embedded);
}
