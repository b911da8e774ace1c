/**
 * The DID document of a `did:key`: public, and the same wherever it is made.
 *
 * Source: did:key method 0.9 with Multikey (Controlled Identifiers 1.0, 2.2.2).
 *
 * @module identity/key/did-document
 */
import { didPeerOf, multikeyOf, publicKeyOfDid, verificationMethodOf } from './names.ts';

/** Throws InputError `identity_name_invalid`. */
export function didDocument(did: string): Record<string, unknown> {
  const publicKey = publicKeyOfDid(did);
  const method = verificationMethodOf(did);
  return {
    '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'],
    id: did,
    alsoKnownAs: [didPeerOf(publicKey)],
    verificationMethod: [
      { id: method, type: 'Multikey', controller: did, publicKeyMultibase: multikeyOf(publicKey) },
    ],
    authentication: [method],
    assertionMethod: [method],
    capabilityDelegation: [method],
    capabilityInvocation: [method],
  };
}
