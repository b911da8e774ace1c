/**
 * From wire bytes to a credential whose form is right and whose issuer owns the key that it names: all that the bytes
 * alone decide but the signature.
 *
 * @module identity/credentials/read
 */
import { CREDENTIAL_MAX_BYTES, CREDENTIAL_MAX_DEPTH, readStrict } from '../proof/document.ts';
import { readProof } from '../proof/eddsa-jcs-2022.ts';
import type { Method } from '../proof/method.ts';
import { looksLikeToken, readToken } from '../proof/vc-jwt.ts';
import type { Verdict, VerdictCode } from '../types.ts';
import { type CredentialFields, readFields } from './schema.ts';

export type CredentialFormat = 'data-integrity' | 'vc+jwt';

export interface ReadCredential {
  readonly fields: CredentialFields;
  readonly format: CredentialFormat;
  /** Verifies the signature. */
  verify(): boolean | Promise<boolean>;
}

/** Never throws. */
export function readCredential(bytes: Uint8Array): ReadCredential | { readonly verdict: Verdict } {
  if (looksLikeToken(bytes)) {
    const token = readToken(bytes, CREDENTIAL_MAX_BYTES, CREDENTIAL_MAX_DEPTH);
    if ('fault' in token) return refuse(token.code, token.fault);
    const fields = readFields(token.document);
    return 'fault' in fields ? refuse('malformed', fields.fault) : bind(fields, token, 'vc+jwt');
  }
  const reading = readStrict(bytes, CREDENTIAL_MAX_BYTES, CREDENTIAL_MAX_DEPTH);
  if ('fault' in reading) return refuse('malformed', reading.fault);
  const { proof: _, ...unsecured } = reading.document;
  // The form is judged before the proof, so what is no credential at all is never called a bad proof.
  const fields = readFields(unsecured);
  if ('fault' in fields) return refuse('malformed', fields.fault);
  const proof = readProof(reading.document, 'assertionMethod');
  if ('fault' in proof) return refuse('bad_proof', proof.fault);
  return bind(fields, proof, 'data-integrity');
}

function bind(
  fields: CredentialFields,
  signer: Method & { verify(): boolean | Promise<boolean> },
  format: CredentialFormat,
): ReadCredential | { readonly verdict: Verdict } {
  const mismatch = issuerMismatch(fields.issuer, signer.controller);
  if (mismatch !== null) return { verdict: mismatch };
  return { fields, format, verify: () => signer.verify() };
}

/** The binding of issuer and key: a proof by anybody's key holds, but only the issuer's says what the issuer says. */
export function issuerMismatch(issuer: string, controller: string): Verdict | null {
  if (issuer === controller) return null;
  return {
    code: 'issuer_mismatch',
    reason: `Its issuer is ${issuer.slice(0, 100)}, but the key that signed it is that of ${controller}.`,
  };
}

function refuse(code: VerdictCode, reason: string): { readonly verdict: Verdict } {
  return { verdict: { code, reason } };
}
