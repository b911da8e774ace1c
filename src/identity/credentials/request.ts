/**
 * Requests: a signed file with which somebody asks an issuer for a credential. The signature proves that the asker holds
 * the key of the DID that the credential will be about. What the claims say is the asker's wish; the issuer decides.
 *
 * | Field | Value |
 * |---|---|
 * | `@context` | as pinned here |
 * | `type` | `["CredentialRequest"]` |
 * | `holder` | the asker's `did:key` |
 * | `credentialType` | `UptimeVC` and the like |
 * | `claims` | claims of that type, or none |
 * | `issuer` | optional: the `did:key` that is asked |
 * | `proof` | `authentication`, good for 30 days at most |
 *
 * @module identity/credentials/request
 */
import { z } from 'zod';
import { canonicalBytes, InputError } from '../../base/index.ts';
import {
  CREDENTIAL_MAX_BYTES,
  CREDENTIAL_MAX_DEPTH,
  digestOf,
  isList,
  parseDateTime,
  readStrict,
} from '../proof/document.ts';
import { firstFault, proveDocument, readProof } from '../proof/eddsa-jcs-2022.ts';
import { isDidKey } from '../proof/method.ts';
import { CLOCK_SKEW_MS } from '../status/list.ts';
import type { CredentialType, Identity } from '../types.ts';
import { DAY_MS, kindOf, kindOfWireType, PINNED_CONTEXT } from './kinds.ts';

export const REQUEST_LIFETIME_MS = 30 * DAY_MS;

export interface RequestOptions {
  readonly type: CredentialType;
  readonly claims?: Readonly<Record<string, unknown>>;
  /** `did:key` of the issuer that is asked; absent: anyone's. */
  readonly issuer?: string;
  /** ms since 1970. */
  readonly now: number;
  /** Sets requests for the same thing apart: 16 to 128 letters, digits, `-`, `_`. */
  readonly nonce: string;
}

export interface CredentialRequest {
  readonly digest: string;
  readonly type: CredentialType;
  /** Who asks, proved by the signature. */
  readonly holder: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly issuer: string | null;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** Wire bytes. Throws InputError `credential_request_invalid` for claims that the type does not have. */
export function requestCredential(identity: Identity, options: RequestOptions): Uint8Array {
  const kind = kindOf(options.type);
  const document = {
    '@context': PINNED_CONTEXT,
    type: ['CredentialRequest'],
    holder: identity.did,
    credentialType: kind.wireType,
    claims: options.claims ?? {},
    ...(options.issuer === undefined ? {} : { issuer: options.issuer }),
  };
  const bytes = canonicalBytes(
    proveDocument(document, identity, {
      purpose: 'authentication',
      created: options.now,
      expires: options.now + REQUEST_LIFETIME_MS,
      challenge: options.nonce,
    }),
  );
  readRequest(bytes, options.now);
  return bytes;
}

const schema = z.strictObject({
  '@context': z.unknown().refine((value) => isList(value, PINNED_CONTEXT), 'it is not the one of requests'),
  type: z.tuple([z.literal('CredentialRequest')]),
  holder: z.string().refine(isDidKey, 'it is no did:key'),
  credentialType: z.string().max(64),
  claims: z.looseObject({}),
  issuer: z.string().refine(isDidKey, 'it is no did:key').optional(),
  proof: z.unknown(),
});

/** A request whose signature holds. Throws InputError `credential_request_invalid` that says what is wrong. */
export function readRequest(bytes: Uint8Array, now: number): CredentialRequest {
  const refuse = (why: string) =>
    new InputError('credential_request_invalid', `This is no request for a credential. ${why}`);
  const reading = readStrict(bytes, CREDENTIAL_MAX_BYTES, CREDENTIAL_MAX_DEPTH);
  if ('fault' in reading) throw refuse(reading.fault);
  const parsed = schema.safeParse(reading.document);
  if (!parsed.success) throw refuse(`Its form is not known: ${firstFault(parsed.error)}.`);
  const { holder, claims, issuer, credentialType } = parsed.data;
  const kind = kindOfWireType(credentialType);
  if (kind === undefined) throw refuse(`The type '${credentialType}' is not known here.`);
  if (Object.keys(claims).length > 0) {
    const checked = kind.claims.safeParse(claims);
    if (!checked.success)
      throw refuse(`Its claims are not those of ${credentialType}: ${firstFault(checked.error)}.`);
  }
  const proof = readProof(reading.document, 'authentication');
  if ('fault' in proof) throw refuse(proof.fault);
  if (proof.controller !== holder) throw refuse('Its holder is not the owner of the key that signed it.');
  const createdAt = parseDateTime(proof.proof.created);
  const expiresAt = parseDateTime(proof.proof.expires);
  if (createdAt === null || expiresAt === null || expiresAt - createdAt > REQUEST_LIFETIME_MS)
    throw refuse('Its proof lacks its times, or is good for longer than 30 days.');
  if (createdAt > now + CLOCK_SKEW_MS) throw refuse('It was made in the future: check both clocks.');
  if (now >= expiresAt) throw refuse('It is too old: ask for a new one.');
  if (!proof.verify()) throw refuse('Its signature does not hold.');
  return {
    digest: digestOf(bytes),
    type: kind.type,
    holder,
    claims,
    issuer: issuer ?? null,
    createdAt,
    expiresAt,
  };
}
