/**
 * Data Integrity proofs, cryptosuite `eddsa-jcs-2022`: W3C "Data Integrity EdDSA Cryptosuites v1.0" (Recommendation,
 * 15 May 2025), section 3.3.
 *
 * Ed25519 over SHA-256(JCS(proof without proofValue)) ‖ SHA-256(JCS(document without proof)): the proof's hash first.
 * The order of keys does not matter, and no context is fetched or interpreted: `@context` is signed as text.
 *
 * @module identity/proof/eddsa-jcs-2022
 */
import { base58btc } from 'multiformats/bases/base58';
import { z } from 'zod';
import { canonicalJson } from '../../base/index.ts';
import { verificationMethodOf } from '../key/names.ts';
import { verifyProof } from '../key/sign.ts';
import type { Identity } from '../types.ts';
import { formatDateTime, isObject, type JsonObject, parseDateTime, sha256 } from './document.ts';
import { type Method, readMethod } from './method.ts';

export type ProofPurpose = 'assertionMethod' | 'authentication';

const text = z.string().max(512);
const time = z
  .string()
  .refine((value) => parseDateTime(value) !== null, 'it is no time such as 2026-01-31T12:00:00Z');
const proofSchema = z.strictObject({
  '@context': z.unknown().optional(),
  type: z.literal('DataIntegrityProof'),
  cryptosuite: z.literal('eddsa-jcs-2022'),
  created: time.optional(),
  expires: time.optional(),
  verificationMethod: text,
  proofPurpose: text,
  challenge: text.optional(),
  domain: text.optional(),
  proofValue: z.string().regex(/^z[1-9A-HJ-NP-Za-km-z]{64,88}$/, 'it is no signature in base58btc'),
});

export type DataIntegrityProof = z.infer<typeof proofSchema>;

/** The three forms under a signature: what is hashed, and the 64 bytes that are signed. */
export interface SignedForms {
  readonly document: string;
  readonly proof: string;
  readonly hash: Uint8Array;
}

/** Canonical forms and hash of a document (without `proof`) and its proof options (without `proofValue`). */
export function signedForms(document: JsonObject, options: JsonObject): SignedForms {
  const forms = { document: canonicalJson(document), proof: canonicalJson(options) };
  return { ...forms, hash: Buffer.concat([sha256(forms.proof), sha256(forms.document)]) };
}

export interface ProveOptions {
  readonly purpose: ProofPurpose;
  /** ms since 1970. */
  readonly created: number;
  readonly expires?: number;
  readonly challenge?: string;
  readonly domain?: string;
}

/** `document` with a proof by `identity`. Throws InputError `canonical_json_invalid` where it has no canonical form. */
export function proveDocument(document: JsonObject, identity: Identity, options: ProveOptions): JsonObject {
  const { proof: _, ...unsecured } = document;
  const proof = {
    ...(unsecured['@context'] === undefined ? {} : { '@context': unsecured['@context'] }),
    type: 'DataIntegrityProof',
    cryptosuite: 'eddsa-jcs-2022',
    created: formatDateTime(options.created),
    ...(options.expires === undefined ? {} : { expires: formatDateTime(options.expires) }),
    verificationMethod: verificationMethodOf(identity.did),
    proofPurpose: options.purpose,
    ...(options.challenge === undefined ? {} : { challenge: options.challenge }),
    ...(options.domain === undefined ? {} : { domain: options.domain }),
  };
  const signature = identity.signProof(signedForms(unsecured, proof).hash);
  return { ...unsecured, proof: { ...proof, proofValue: base58btc.encode(signature) } };
}

/** A proof that is well-formed; its signature has not been looked at. */
export interface ReadProof extends Method {
  readonly proof: DataIntegrityProof;
  /** Hashes and verifies: about 0.1 ms. */
  verify(): boolean;
}

/**
 * Everything of a proof but its signature: exactly one, of this suite, for `purpose`, by a did:key whose fragment is its
 * key, not of low order. `fault` says what is wrong; every fault is a `bad_proof`.
 */
export function readProof(
  document: JsonObject,
  purpose: ProofPurpose,
): ReadProof | { readonly fault: string } {
  const { proof: given, ...unsecured } = document;
  if (given === undefined) return { fault: 'It has no proof.' };
  if (Array.isArray(given)) return { fault: 'It has a list of proofs; exactly one is allowed.' };
  const parsed = proofSchema.safeParse(given);
  if (!parsed.success || !isObject(given))
    return { fault: `Its proof cannot be used: ${firstFault(parsed.error)}.` };
  const proof = parsed.data;
  if (proof.proofPurpose !== purpose)
    return { fault: `Its proof is for '${proof.proofPurpose.slice(0, 40)}', and ${purpose} is needed.` };
  // A statement is for everybody and ends by its own `validUntil`; a proof that says otherwise is not one of these.
  if (purpose === 'assertionMethod' && (proof.expires ?? proof.challenge ?? proof.domain) !== undefined)
    return { fault: 'Its proof is for one audience or time (expires, challenge or domain).' };
  const method = readMethod(proof.verificationMethod);
  if ('fault' in method) return method;
  const signature = decodeSignature(proof.proofValue);
  if (signature === null) return { fault: 'Its proofValue is not 64 bytes.' };
  const context = proof['@context'];
  if (context !== undefined && !startsWith(unsecured['@context'], context))
    return { fault: "The document's @context does not start with that of its proof." };
  return {
    proof,
    ...method,
    verify() {
      const { proofValue: _, ...options } = given;
      const signed = context === undefined ? unsecured : { ...unsecured, '@context': context };
      return verifyProof(method.publicKey, signedForms(signed, options).hash, signature);
    },
  };
}

function decodeSignature(value: string): Uint8Array | null {
  try {
    const bytes = base58btc.decode(value);
    return bytes.length === 64 ? bytes : null;
  } catch {
    return null;
  }
}

/** Section 3.3.2, step 4.1: every entry of the proof's context, in the same order, at the start of the document's. */
function startsWith(whole: unknown, start: unknown): boolean {
  const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);
  const entries = list(whole);
  return list(start).every(
    (entry, at) =>
      at < entries.length && entries[at] !== undefined && canonicalJson(entries[at]) === canonicalJson(entry),
  );
}

/** Path and message of the first thing that a schema did not like. */
export function firstFault(error: z.ZodError | undefined): string {
  const issue = error?.issues[0];
  if (issue === undefined) return 'it is not an object';
  const path = issue.path.map(String).join('.').slice(0, 100);
  return `${path === '' ? '' : `${path}: `}${issue.message.slice(0, 200)}`;
}
