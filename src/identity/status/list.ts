/**
 * Status list credentials: an issuer's signed bitstring of what it revoked.
 *
 * The list is a credential of its own (VC Data Model 2.0, `BitstringStatusListCredential`) with an `eddsa-jcs-2022` proof,
 * so anybody may pass it on. Its `id` is the name that credentials have it under: an https URL, or a DID URL of the
 * issuer (`did:key:z6Mk…/status/1`) for lists that are handed on as files and by peers.
 *
 * @module identity/status/list
 */
import { z } from 'zod';
import { canonicalBytes } from '../../base/index.ts';
import { CONTEXT_V2, DAY_MS } from '../credentials/kinds.ts';
import { timeSchema, uriSchema } from '../credentials/schema.ts';
import { formatDateTime, isList, readStrict } from '../proof/document.ts';
import { firstFault, proveDocument, readProof } from '../proof/eddsa-jcs-2022.ts';
import type { Identity } from '../types.ts';
import { decodeBits, encodeBits } from './bitstring.ts';

/** Bytes of a list on the wire: the worst list of 131,072 entries takes 22 KiB, one of 1 MiB of bits 1.4 MB. */
export const STATUS_CREDENTIAL_MAX_BYTES = 1_500_000;
/** A list says nothing of longer ago than this, whatever its `validUntil` is. */
export const STATUS_LIFETIME_MS = 7 * DAY_MS;
/** How long a reader may wait before it looks for a newer list. */
export const STATUS_TTL_MS = 3_600_000;
/** Clocks differ by this much at most. */
export const CLOCK_SKEW_MS = 300_000;

/** A list whose signature holds. Times in ms since 1970. */
export interface StatusList {
  /** Its name. */
  readonly id: string;
  readonly issuer: string;
  readonly validFrom: number;
  /** End of what it vouches for: at most `STATUS_LIFETIME_MS` after `validFrom`. */
  readonly validUntil: number;
  /** ms after which a newer one is worth a look. */
  readonly ttl: number;
  readonly bits: Uint8Array;
}

export interface SignStatusListOptions {
  readonly id: string;
  readonly bits: Uint8Array;
  /** ms since 1970; whole seconds count. */
  readonly validFrom: number;
}

/** Wire bytes of a signed list. */
export function signStatusList(identity: Identity, options: SignStatusListOptions): Uint8Array {
  const document = {
    '@context': [CONTEXT_V2],
    id: options.id,
    type: ['VerifiableCredential', 'BitstringStatusListCredential'],
    issuer: identity.did,
    validFrom: formatDateTime(options.validFrom),
    validUntil: formatDateTime(options.validFrom + STATUS_LIFETIME_MS),
    credentialSubject: {
      id: `${options.id}#list`,
      type: 'BitstringStatusList',
      statusPurpose: 'revocation',
      encodedList: encodeBits(options.bits),
      ttl: STATUS_TTL_MS,
    },
  };
  return canonicalBytes(
    proveDocument(document, identity, { purpose: 'assertionMethod', created: options.validFrom }),
  );
}

const schema = z.strictObject({
  '@context': z.unknown().refine((value) => isList(value, [CONTEXT_V2]), 'it is not the one of lists'),
  id: uriSchema,
  type: z.tuple([z.literal('VerifiableCredential'), z.literal('BitstringStatusListCredential')]),
  issuer: uriSchema,
  validFrom: timeSchema,
  validUntil: timeSchema.optional(),
  credentialSubject: z.strictObject({
    id: uriSchema.optional(),
    type: z.literal('BitstringStatusList'),
    statusPurpose: z.literal('revocation', 'it is not about revocation'),
    encodedList: z.string(),
    ttl: z.int().min(0).optional(),
  }),
  proof: z.unknown(),
});

/** The list in wire bytes when its form and signature hold, or what is wrong. Says nothing of its time. Never throws. */
export function readStatusList(bytes: Uint8Array): StatusList | { readonly fault: string } {
  const reading = readStrict(bytes, STATUS_CREDENTIAL_MAX_BYTES, 8);
  if ('fault' in reading) return reading;
  const parsed = schema.safeParse(reading.document);
  if (!parsed.success) return { fault: `It is no status list: ${firstFault(parsed.error)}.` };
  const { id, issuer, validFrom, validUntil, credentialSubject: subject } = parsed.data;
  const proof = readProof(reading.document, 'assertionMethod');
  if ('fault' in proof) return proof;
  if (proof.controller !== issuer) return { fault: 'Its issuer is not the owner of the key that signed it.' };
  if (!proof.verify()) return { fault: 'Its signature does not hold.' };
  const bits = decodeBits(subject.encodedList);
  if ('fault' in bits) return { fault: `Its encodedList cannot be used: ${bits.fault}.` };
  const longest = validFrom + STATUS_LIFETIME_MS;
  return {
    id,
    issuer,
    validFrom,
    validUntil: Math.min(validUntil ?? longest, longest),
    ttl: Math.min(subject.ttl ?? STATUS_TTL_MS, STATUS_LIFETIME_MS),
    bits,
  };
}
