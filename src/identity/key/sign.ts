/**
 * Signing for named purposes, and the one way to verify.
 *
 * Under every signature stands what it is for: `kith-<purpose>-v1`, a zero byte, the bytes. Two kinds of signature have
 * forms of their own, set by other specifications: proofs over 64 bytes of hashes (Data Integrity) and JOSE signing inputs,
 * which are texts of base64url with dots, without a zero byte. No bytes can be read in two of these ways, short of a
 * SHA-256 hash that begins with a given text.
 *
 * Ed25519 is RFC 8032 without context, by `node:crypto`.
 *
 * @module identity/key/sign
 */
import {
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  type KeyObject,
  sign as signEd25519,
  verify as verifyEd25519,
} from 'node:crypto';
import { fromHex, InputError, toHex } from '../../base/index.ts';
import type { Identity, SigningPurpose } from '../types.ts';
import { isCanonicalPoint, isLowOrder, isScalar } from './low-order.ts';
import { checkedPublicKey, didOf, PUBLIC_KEY_BYTES, peerIdOf } from './names.ts';
import { agreementSecretOf, openSealedTo } from './seal-to.ts';

export const SEED_BYTES = 32;
export const SIGNATURE_BYTES = 64;
/** Two SHA-256 hashes. */
const PROOF_HASH_BYTES = 64;

/** DER before the seed (RFC 8410, 7) and before the public key (4). */
export const PKCS8_PREFIX = fromHex('302e020100300506032b657004220420');
const SPKI_PREFIX = fromHex('302a300506032b6570032100');

/** Raw public key of a seed. Throws InputError `private_key_invalid` unless the seed has 32 bytes. */
export function publicKeyOfSeed(seed: Uint8Array): Uint8Array {
  const spki = createPublicKey(privateKeyOf(seed)).export({ format: 'der', type: 'spki' });
  return new Uint8Array(spki.subarray(SPKI_PREFIX.length));
}

/**
 * The identity that a 32-byte seed is. The seed is copied; the caller may wipe its own.
 * Throws InputError `private_key_invalid`.
 */
export function createIdentity(seed: Uint8Array): Identity {
  const key = privateKeyOf(seed);
  const own = Uint8Array.from(seed);
  const publicKey = checkedPublicKey(publicKeyOfSeed(own));
  const signed = (bytes: Uint8Array) => new Uint8Array(signEd25519(null, bytes, key));
  return {
    peerId: peerIdOf(publicKey),
    did: didOf(publicKey),
    get publicKey() {
      return Uint8Array.from(publicKey);
    },
    sign: (purpose, bytes) => signed(underPurpose(purpose, bytes)),
    signProof(hash) {
      if (hash.length !== PROOF_HASH_BYTES)
        throw new TypeError(`A proof signs ${PROOF_HASH_BYTES} bytes, not ${hash.length}.`);
      return signed(hash);
    },
    signJws(signingInput) {
      if (!JWS_INPUT.test(signingInput)) throw new TypeError('This is no JWS signing input.');
      return signed(new TextEncoder().encode(signingInput));
    },
    derive(use, length) {
      if (!DERIVED_USE.test(use))
        throw new TypeError(`${JSON.stringify(use)} names no use of derived bytes.`);
      if (!Number.isInteger(length) || length < 1 || length > MAX_DERIVED_BYTES)
        throw new TypeError(`HKDF gives 1 to ${MAX_DERIVED_BYTES} bytes, not ${length}.`);
      return new Uint8Array(hkdfSync('sha256', own, 'kith-derive-v1', use, length));
    },
    openSealed: (use, aad, sealed) => openSealedTo(agreementSecretOf(own), use, aad, sealed),
    networkSeed: () => Uint8Array.from(own),
  };
}

/** RFC 7515, 5.1: protected header and payload. The header is a JSON object, so it begins with `{"`. */
const JWS_INPUT = /^eyJ[\w-]{1,8192}\.[\w-]{1,65536}$/;
const DERIVED_USE = /^[a-z0-9][a-z0-9._/:-]{0,199}$/i;
/** RFC 5869, 2.3: 255 hashes. */
const MAX_DERIVED_BYTES = 255 * 32;

/** Whether `signature` is that key's for that purpose. Never throws: what is malformed does not verify. */
export function verify(
  publicKey: Uint8Array,
  purpose: SigningPurpose,
  bytes: Uint8Array,
  signature: Uint8Array,
): boolean {
  return verifyRaw(publicKey, underPurpose(purpose, bytes), signature);
}

/** As `verify`, for a Data Integrity hash of 64 bytes. */
export function verifyProof(publicKey: Uint8Array, hash: Uint8Array, signature: Uint8Array): boolean {
  return hash.length === PROOF_HASH_BYTES && verifyRaw(publicKey, hash, signature);
}

/** As `verify`, for a JWS signing input: `<header>.<payload>` in base64url. */
export function verifyJws(publicKey: Uint8Array, signingInput: string, signature: Uint8Array): boolean {
  return (
    JWS_INPUT.test(signingInput) && verifyRaw(publicKey, new TextEncoder().encode(signingInput), signature)
  );
}

function verifyRaw(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return mayBind(publicKey, signature) && verifyEd25519(null, message, publicKeyObject(publicKey), signature);
}

/**
 * Whether a key and a signature have forms that hold their owner to the message: right lengths, neither the key nor R of
 * low order, the key canonical, S below L. Runtimes differ in which of these they look at, so all are looked at here.
 */
export function mayBind(publicKey: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== PUBLIC_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  if (isLowOrder(publicKey) || !isCanonicalPoint(publicKey)) return false;
  return !isLowOrder(signature) && isScalar(signature, 32);
}

/** Importing a key costs half as much as a verification, and few keys sign most of what a node reads. */
const KEPT_KEYS = 1_024;
const keys = new Map<string, KeyObject>();

function publicKeyObject(publicKey: Uint8Array): KeyObject {
  const name = toHex(publicKey);
  let key = keys.get(name);
  if (key === undefined) {
    key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' });
    if (keys.size >= KEPT_KEYS) keys.delete(keys.keys().next().value!);
  } else {
    keys.delete(name);
  }
  // Last in, so that the one used longest ago is first out.
  keys.set(name, key);
  return key;
}

function privateKeyOf(seed: Uint8Array): KeyObject {
  if (seed.length !== SEED_BYTES) {
    throw new InputError(
      'private_key_invalid',
      `An Ed25519 seed has ${SEED_BYTES} bytes, not ${seed.length}.`,
    );
  }
  const der = Buffer.concat([PKCS8_PREFIX, seed]);
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  der.fill(0);
  return key;
}

function underPurpose(purpose: SigningPurpose, bytes: Uint8Array): Uint8Array {
  const prefix = `kith-${purpose}-v1\0`;
  const message = new Uint8Array(prefix.length + bytes.length);
  new TextEncoder().encodeInto(prefix, message);
  message.set(bytes, prefix.length);
  return message;
}
