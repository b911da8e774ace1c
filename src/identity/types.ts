/**
 * What the identity room gives to the rooms above it: who a node is, and what somebody says of somebody.
 *
 * @module identity/types
 */

import type { SealingUse } from './key/seal-to.ts';

/** A node as others know it: three names of one Ed25519 public key. */
export interface PublicIdentity {
  /** libp2p PeerId, base58btc: `12D3KooW…`. */
  readonly peerId: string;
  /** `did:key:z6Mk…`. */
  readonly did: string;
  /** Raw Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
}

/**
 * What a node signs. Each purpose has its own prefix under the signature (`kith-<purpose>-v1`, a zero byte, the bytes), so
 * that what was signed for one purpose is never valid for another. There is no way to sign bare bytes.
 */
export type SigningPurpose =
  | 'announcement'
  | 'rotation'
  | 'message'
  | 'lease'
  | 'receipt'
  | 'work-receipt'
  | 'knowledge-grant'
  | 'vault-grant'
  | 'vault-grant-file'
  | 'vault-head'
  | 'governance'
  | 'challenge';

/** This node's own key. The seed stays inside. */
export interface Identity extends PublicIdentity {
  /** Ed25519 over the purpose's prefix and `bytes`; 64 bytes. */
  sign(purpose: SigningPurpose, bytes: Uint8Array): Uint8Array;
  /** Ed25519 over a Data Integrity hash (`eddsa-jcs-2022`: 64 bytes, proof hash before document hash); 64 bytes. */
  signProof(hash: Uint8Array): Uint8Array;
  /** Ed25519 over a JWS signing input (RFC 7515, 5.1: `<header>.<payload>`, both base64url); 64 bytes. */
  signJws(signingInput: string): Uint8Array;
  /** Bytes derived from the seed by HKDF-SHA256 for a named use (`vault/…`); `length` bytes. */
  derive(use: string, length: number): Uint8Array;
  /** Opens what `sealTo` sealed to this key; null: it was sealed to another, for another use, or altered. */
  openSealed(use: SealingUse, aad: Uint8Array, sealed: Uint8Array): Uint8Array | null;
  /** The 32-byte seed, for the network's handshakes in the swarm thread alone. */
  networkSeed(): Uint8Array;
}

/** The types of credential that Kith knows, of what KwaaiNet names them. */
export const CREDENTIAL_TYPES = [
  'FiduciaryPledge',
  'VerifiedNode',
  'Uptime',
  'Throughput',
  'EventAttendee',
  'PeerEndorsement',
  'Binding',
] as const;
export type CredentialType = (typeof CREDENTIAL_TYPES)[number];

/** Why a credential counts or not; one code for each rule of the pipeline. */
export const VERDICT_CODES = [
  'ok',
  'malformed',
  'bad_proof',
  'issuer_mismatch',
  'untrusted_issuer',
  'wrong_subject',
  'expired',
  'not_yet_valid',
  'revoked',
  'status_unknown',
] as const;
export type VerdictCode = (typeof VERDICT_CODES)[number];

/** A verified or refused credential. Times in ms since 1970. */
export interface Verdict {
  readonly code: VerdictCode;
  /** What is wrong and what to do, for people; empty for `ok`. */
  readonly reason: string;
}

/** What a credential says, read from its signed bytes. */
export interface CredentialFacts {
  /** SHA-256 of the signed bytes, hex: its name in caches, announcements and the wallet. */
  readonly digest: string;
  readonly type: CredentialType;
  readonly issuer: string;
  readonly subject: string;
  readonly validFrom: number;
  /** Null when the credential names none; its type's longest lifetime counts then. */
  readonly validUntil: number | null;
  /** The claims about the subject beside its id: JSON with integers only. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** True when its status could not be learned but a former one is within grace: it counts half. */
  readonly statusStale: boolean;
}

/** Says whether an issuer counts for a type at a time. Declared here, implemented by the trust room's policy. */
export interface IssuerPolicy {
  /** Changes whenever the policy does, so that verdicts kept from before are not used. */
  readonly epoch: number;
  accepts(issuer: string, type: CredentialType, at: number): boolean;
}
