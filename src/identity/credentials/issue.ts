/**
 * Issuing: a signed credential from a type, a subject and claims.
 *
 * @module identity/credentials/issue
 */
import { canonicalBytes, InputError } from '../../base/index.ts';
import { CREDENTIAL_MAX_BYTES, digestOf, formatDateTime, type JsonObject } from '../proof/document.ts';
import { proveDocument } from '../proof/eddsa-jcs-2022.ts';
import { signToken } from '../proof/vc-jwt.ts';
import type { CredentialType, Identity } from '../types.ts';
import { DAY_MS, kindOf } from './kinds.ts';
import { type CredentialFormat, readCredential } from './read.ts';
import type { CredentialFields, StatusReference } from './schema.ts';

export interface IssueOptions {
  readonly type: CredentialType;
  /** `did:key` of who it is about. */
  readonly subject: string;
  /** Claims of the type: see `credentials/kinds.ts`. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** ms since 1970; whole seconds count. */
  readonly validFrom: number;
  /** ms since 1970. @default the type's longest lifetime after `validFrom` */
  readonly validUntil?: number;
  /** Where its revocation will be seen. @default nowhere */
  readonly status?: StatusReference;
  /** @default 'data-integrity' */
  readonly format?: CredentialFormat;
}

export interface IssuedCredential {
  /** What goes over the wire and into files: exactly these bytes. */
  readonly bytes: Uint8Array;
  readonly digest: string;
  readonly format: CredentialFormat;
  readonly fields: CredentialFields;
}

/** Throws InputError `credential_invalid` where the options make no credential that others would accept. */
export function issueCredential(identity: Identity, options: IssueOptions): IssuedCredential {
  const kind = kindOf(options.type);
  const validUntil = options.validUntil ?? options.validFrom + kind.maxLifetimeMs;
  if (validUntil - options.validFrom > kind.maxLifetimeMs) {
    throw new InputError(
      'credential_invalid',
      `A ${options.type} credential is good for ${kind.maxLifetimeMs / DAY_MS} days at most. Let it end sooner, and issue it again then.`,
      { param: 'validUntil' },
    );
  }
  const document: JsonObject = {
    '@context': kind.context,
    type: ['VerifiableCredential', kind.wireType],
    issuer: identity.did,
    validFrom: formatDateTime(options.validFrom),
    validUntil: formatDateTime(validUntil),
    credentialSubject: { ...options.claims, id: options.subject },
    ...(options.status === undefined ? {} : { credentialStatus: statusEntry(options.status) }),
  };
  const format = options.format ?? 'data-integrity';
  const bytes =
    format === 'vc+jwt'
      ? new TextEncoder().encode(signToken(document, identity))
      : canonicalBytes(
          proveDocument(document, identity, { purpose: 'assertionMethod', created: options.validFrom }),
        );
  // Read as everybody else will, so that no credential leaves that nobody takes.
  const read = readCredential(bytes);
  if ('verdict' in read) {
    throw new InputError(
      'credential_invalid',
      `This makes no ${options.type} credential of at most ${CREDENTIAL_MAX_BYTES} bytes. ${read.verdict.reason}`,
    );
  }
  return { bytes, digest: digestOf(bytes), format, fields: read.fields };
}

function statusEntry({ list, index }: StatusReference): JsonObject {
  return {
    type: 'BitstringStatusListEntry',
    statusPurpose: 'revocation',
    statusListIndex: String(index),
    statusListCredential: list,
  };
}
