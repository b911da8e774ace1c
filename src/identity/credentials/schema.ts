/**
 * What a credential document may hold, on the wire: VC Data Model 2.0, held to the seven types.
 *
 * | Field | Value |
 * |---|---|
 * | `@context` | the type's pinned array |
 * | `id` | optional, `urn:uuid:…` |
 * | `type` | `["VerifiableCredential", "<Type>VC"]` |
 * | `issuer` | a URI; only a `did:key` can be bound to a key |
 * | `validFrom`, `validUntil` | `2026-01-31T12:00:00Z`; the second is optional |
 * | `credentialSubject` | `id` (the subject's `did:key`) and the type's claims |
 * | `credentialStatus` | optional: an entry of a Bitstring Status List for revocation |
 * | `proof` | a Data Integrity proof; absent in the payload of a token |
 *
 * @module identity/credentials/schema
 */
import { z } from 'zod';
import { isList, type JsonObject, parseDateTime } from '../proof/document.ts';
import { firstFault } from '../proof/eddsa-jcs-2022.ts';
import { isDidKey } from '../proof/method.ts';
import type { CredentialType } from '../types.ts';
import { kindOfWireType } from './kinds.ts';

/** Where a credential's revocation can be seen. */
export interface StatusReference {
  /** URL or DID URL that names the list. */
  readonly list: string;
  readonly index: number;
}

/** A credential's fields, read; nothing is verified yet. Times in ms since 1970. */
export interface CredentialFields {
  readonly type: CredentialType;
  readonly issuer: string;
  readonly subject: string;
  readonly validFrom: number;
  readonly validUntil: number | null;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly status: StatusReference | null;
}

/** `2026-01-31T12:00:00Z` as ms since 1970. */
export const timeSchema = z.string().transform((text, context) => {
  const ms = parseDateTime(text);
  if (ms === null) {
    context.addIssue('it is no time such as 2026-01-31T12:00:00Z');
    return z.NEVER;
  }
  return ms;
});

/** URLs, URNs and DIDs: a scheme, then printable ASCII without spaces. */
export const uriSchema = z
  .string()
  .max(512)
  .regex(/^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/i, 'it is no URI');

export const statusListIndexSchema = z.string().regex(/^(?:0|[1-9]\d{0,8})$/, 'it is no index');

const schema = z.strictObject({
  '@context': z.unknown(),
  id: z
    .string()
    .regex(/^urn:uuid:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/, 'it is no urn:uuid')
    .optional(),
  type: z.tuple([z.literal('VerifiableCredential'), z.string().max(64)]),
  issuer: uriSchema,
  validFrom: timeSchema,
  validUntil: timeSchema.optional(),
  credentialSubject: z.looseObject({ id: z.string().max(256) }),
  credentialStatus: z
    .strictObject({
      id: uriSchema.optional(),
      type: z.literal('BitstringStatusListEntry'),
      statusPurpose: z.literal('revocation'),
      statusListIndex: statusListIndexSchema,
      statusListCredential: uriSchema,
    })
    .optional(),
});

/** The fields of a credential (without its proof), or what is wrong with it. Never throws. */
export function readFields(document: JsonObject): CredentialFields | { readonly fault: string } {
  const parsed = schema.safeParse(document);
  if (!parsed.success) return { fault: `It is no credential of a known form: ${firstFault(parsed.error)}.` };
  const { data } = parsed;
  const kind = kindOfWireType(data.type[1]);
  if (kind === undefined) return { fault: `Its type '${data.type[1]}' is not known here.` };
  if (!isList(data['@context'], kind.context))
    return { fault: `Its @context is not the one of ${data.type[1]}.` };
  const { id: subject, ...given } = data.credentialSubject;
  if (!isDidKey(subject)) return { fault: 'Its subject is not the did:key of an Ed25519 key.' };
  const claims = kind.claims.safeParse(given);
  if (!claims.success)
    return { fault: `Its claims are not those of ${data.type[1]}: ${firstFault(claims.error)}.` };
  const validUntil = data.validUntil ?? null;
  if (validUntil !== null && validUntil <= data.validFrom) return { fault: 'It ends before it begins.' };
  const status = data.credentialStatus;
  return {
    type: kind.type,
    issuer: data.issuer,
    subject,
    validFrom: data.validFrom,
    validUntil,
    claims: claims.data,
    status:
      status === undefined
        ? null
        : { list: status.statusListCredential, index: Number(status.statusListIndex) },
  };
}
