/**
 * Bytes sealed to a node of which only the name is known: HPKE (RFC 9180), base mode, single shot, with DHKEM(X25519,
 * HKDF-SHA256), HKDF-SHA256 and AES-128-GCM.
 *
 * The X25519 key of a node is that of its Ed25519 key: the same point on the other form of the curve (RFC 7748, 4.1) for
 * the public half, the scalar of RFC 8032, 5.1.5 for the private one. Who sealed it, it does not say: what is inside has to be signed.
 *
 * | Bytes | Hold |
 * |---|---|
 * | 32 | the sender's key of this one time |
 * | n + 16 | ciphertext and tag |
 *
 * @module identity/key/seal-to
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
} from 'node:crypto';
import { fromHex, type Random, toHex } from '../../base/index.ts';
import { checkedPublicKey } from './names.ts';

/** What is sealed to somebody; part of the keys, so that what was sealed for one use is never opened for another. */
export type SealingUse = 'vault-grant';

export const SEALED_TO_BYTES = 32 + 16;

const KEM = Buffer.from('KEM\x00\x20', 'latin1');
const SUITE = Buffer.from('HPKE\x00\x20\x00\x01\x00\x01', 'latin1');
const NOTHING = Buffer.alloc(0);
const [KEY_BYTES, AEAD_BYTES, NONCE_BYTES, TAG_BYTES] = [32, 16, 12, 16];

/** DER before the private and the public key (RFC 8410, 7 and 4). */
const PKCS8_PREFIX = fromHex('302e020100300506032b656e04220420');
const SPKI_PREFIX = fromHex('302a300506032b656e032100');

const P = 2n ** 255n - 19n;

/**
 * u = (1 + y) / (1 - y), 32 bytes, little-endian. What is computed on is public.
 *
 * @throws InputError `public_key_weak`
 */
export function agreementKeyOf(publicKey: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(checkedPublicKey(publicKey)).reverse();
  bytes[0]! &= 0x7f;
  const y = BigInt(`0x${toHex(bytes)}`);
  const u = ((1n + y) * inverse((1n - y + P) % P)) % P;
  return Uint8Array.from(fromHex(u.toString(16).padStart(64, '0'))).reverse();
}

function inverse(value: bigint): bigint {
  let [base, exponent, product] = [value, P - 2n, 1n];
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) product = (product * base) % P;
    base = (base * base) % P;
  }
  return product;
}

/** @param seed of an Ed25519 key */
export function agreementSecretOf(seed: Uint8Array): KeyObject {
  return secretOf(createHash('sha512').update(seed).digest().subarray(0, KEY_BYTES));
}

function secretOf(scalar: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, scalar]), format: 'der', type: 'pkcs8' });
}

const publicOf = (key: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.concat([SPKI_PREFIX, key]), format: 'der', type: 'spki' });

const rawOf = (secret: KeyObject): Uint8Array =>
  createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length);

const infoOf = (use: SealingUse): Uint8Array => Buffer.from(`kith-${use}-v1`);

/**
 * @param publicKey Ed25519, 32 bytes: whose it will be
 * @param aad what stands beside it and is bound in
 * @throws InputError `public_key_weak`
 */
export function sealTo(
  publicKey: Uint8Array,
  use: SealingUse,
  aad: Uint8Array,
  plain: Uint8Array,
  random: Pick<Random, 'bytes'>,
): Uint8Array {
  const to = agreementKeyOf(publicKey);
  return hpkeSeal(to, infoOf(use), aad, plain, random.bytes(KEY_BYTES));
}

/** @param secret `agreementSecretOf` the seed @returns null: it was sealed to another, or altered */
export function openSealedTo(
  secret: KeyObject,
  use: SealingUse,
  aad: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | null {
  return hpkeOpen(secret, infoOf(use), aad, sealed);
}

/** @param ephemeral the sender's private key of this one time */
export function hpkeSeal(
  to: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  plain: Uint8Array,
  ephemeral: Uint8Array,
): Uint8Array {
  const own = secretOf(ephemeral);
  const sent = rawOf(own);
  const shared = diffieHellman({ privateKey: own, publicKey: publicOf(to) });
  const { key, nonce } = schedule(shared, sent, to, info);
  const cipher = createCipheriv('aes-128-gcm', key, nonce).setAAD(aad);
  return Buffer.concat([sent, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

export function hpkeOpen(
  secret: KeyObject,
  info: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | null {
  if (sealed.length < SEALED_TO_BYTES) return null;
  const sent = sealed.subarray(0, KEY_BYTES);
  const end = sealed.length - TAG_BYTES;
  try {
    // It throws where the sender's key is of low order: nothing but zeros would come of it.
    const shared = diffieHellman({ privateKey: secret, publicKey: publicOf(sent) });
    const { key, nonce } = schedule(shared, sent, rawOf(secret), info);
    const cipher = createDecipheriv('aes-128-gcm', key, nonce, { authTagLength: TAG_BYTES })
      .setAAD(aad)
      .setAuthTag(sealed.subarray(end));
    return Uint8Array.from(Buffer.concat([cipher.update(sealed.subarray(KEY_BYTES, end)), cipher.final()]));
  } catch {
    return null;
  }
}

/** RFC 9180, 4.1 and 5.1. */
function schedule(
  shared: Uint8Array,
  sent: Uint8Array,
  to: Uint8Array,
  info: Uint8Array,
): { readonly key: Uint8Array; readonly nonce: Uint8Array } {
  const agreed = extract(KEM, NOTHING, 'eae_prk', shared);
  const secret = expand(KEM, agreed, 'shared_secret', Buffer.concat([sent, to]), KEY_BYTES);
  const context = Buffer.concat([
    Buffer.alloc(1),
    extract(SUITE, NOTHING, 'psk_id_hash', NOTHING),
    extract(SUITE, NOTHING, 'info_hash', info),
  ]);
  const base = extract(SUITE, secret, 'secret', NOTHING);
  return {
    key: expand(SUITE, base, 'key', context, AEAD_BYTES),
    nonce: expand(SUITE, base, 'base_nonce', context, NONCE_BYTES),
  };
}

const hmac = (key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer =>
  createHmac('sha256', key).update(Buffer.concat(parts)).digest();
const labelled = (suite: Uint8Array, label: string): Buffer =>
  Buffer.concat([Buffer.from('HPKE-v1'), suite, Buffer.from(label)]);

function extract(suite: Uint8Array, salt: Uint8Array, label: string, secret: Uint8Array): Buffer {
  return hmac(salt, labelled(suite, label), secret);
}

/** One block of HKDF-Expand (RFC 5869, 2.3): at most 32 bytes. */
function expand(suite: Uint8Array, key: Uint8Array, label: string, info: Uint8Array, length: number): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(length);
  return hmac(key, head, labelled(suite, label), info, Uint8Array.of(1)).subarray(0, length);
}
