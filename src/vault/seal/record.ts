/**
 * One object, sealed: AES-256-GCM (NIST SP 800-38D) under a key that is drawn for this one time. So the nonce is
 * zero, and who drops the key has erased the object wherever its bytes lie.
 *
 * | Bytes | Hold |
 * |---|---|
 * | n | ciphertext of: u8 form (0 as it is, 1 deflated), u32 length of the object (little-endian), its bytes, zeros up to the padding |
 * | 16 | tag |
 *
 * Bound in as additional data: `kith-record-v1`, the collection, the object's name, each ended by a zero byte. Sizes are padded so that of n bytes
 * at most log2(log2 n) bits show (Padmé: Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with
 * PURBs", PoPETs 2019, section 4), 12 % more at worst.
 *
 * @module vault/seal/record
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { InputError, KithError, type Random } from '../../base/index.ts';
import { KEY_BYTES } from '../keys/keys.ts';

/** Bytes of an object; larger things are several objects. */
export const OBJECT_MAX_BYTES = 3 << 20;
export const TAG_BYTES = 16;
const HEAD_BYTES = 5;
const NONCE = new Uint8Array(12);

export interface SealedRecord {
  readonly bytes: Uint8Array;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

const bound = (collection: string, name: string): Buffer =>
  Buffer.from(`kith-record-v1\0${collection}\0${name}\0`);

/** What `length` bytes are padded to. */
export function paddedLength(length: number): number {
  if (length < 2) return length;
  const exponent = Math.floor(Math.log2(length));
  const bits = Math.floor(Math.log2(Math.max(1, exponent))) + 1;
  const unit = 2 ** Math.max(0, exponent - bits);
  return Math.ceil(length / unit) * unit;
}

/** @throws InputError `object_too_large` */
export function sealRecord(
  collection: string,
  name: string,
  object: Uint8Array,
  random: Pick<Random, 'bytes'>,
): SealedRecord {
  if (object.length > OBJECT_MAX_BYTES)
    throw new InputError(
      'object_too_large',
      `An object of a vault has ${OBJECT_MAX_BYTES} bytes at most; ${JSON.stringify(name)} has ${object.length}.`,
    );
  const deflated = deflateRawSync(object);
  const [form, body] = deflated.length < object.length ? [1, deflated] : [0, object];
  const plain = Buffer.alloc(paddedLength(HEAD_BYTES + body.length));
  plain[0] = form;
  plain.writeUInt32LE(body.length, 1);
  plain.set(body, HEAD_BYTES);
  const key = random.bytes(KEY_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, NONCE).setAAD(bound(collection, name));
  const bytes = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return { bytes, key };
}

/** @throws KithError `vault_damaged`: these are not the bytes that were sealed under this name */
export function openRecord(collection: string, name: string, bytes: Uint8Array, key: Uint8Array): Uint8Array {
  const plain = opened(bytes, key, NONCE, bound(collection, name), name);
  const length = plain.length < HEAD_BYTES ? -1 : plain.readUInt32LE(1);
  const body = plain.subarray(HEAD_BYTES, HEAD_BYTES + length);
  if (length < 0 || body.length !== length || plain[0]! > 1) throw damaged(name);
  if (plain[0] === 0) return Uint8Array.from(body);
  try {
    return Uint8Array.from(inflateRawSync(body, { maxOutputLength: OBJECT_MAX_BYTES }));
  } catch (error) {
    throw damaged(name, error);
  }
}

/** Bytes under a key and a nonce of their own: for what is written again under the same key. */
export function sealWithNonce(
  key: Uint8Array,
  aad: Uint8Array,
  plain: Uint8Array,
  random: Pick<Random, 'bytes'>,
): Uint8Array {
  const nonce = random.bytes(NONCE.length);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad);
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** @throws KithError `vault_damaged` */
export function openWithNonce(
  key: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
  what: string,
): Uint8Array {
  if (sealed.length < NONCE.length + TAG_BYTES) throw damaged(what);
  return opened(sealed.subarray(NONCE.length), key, sealed.subarray(0, NONCE.length), aad, what);
}

function opened(
  bytes: Uint8Array,
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  what: string,
): Buffer {
  const end = bytes.length - TAG_BYTES;
  if (end < 0 || key.length !== KEY_BYTES) throw damaged(what);
  const cipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(aad)
    .setAuthTag(bytes.subarray(end));
  try {
    return Buffer.concat([cipher.update(bytes.subarray(0, end)), cipher.final()]);
  } catch (error) {
    throw damaged(what, error);
  }
}

export function damaged(what: string, cause?: unknown): KithError {
  return new KithError(
    'vault_damaged',
    `What came back for ${JSON.stringify(what)} is not what was sealed: it was changed, cut, or is of another place. Nothing of it is used; ask another replica ('kith vpk repair').`,
    { status: 502, ...(cause === undefined ? {} : { cause }) },
  );
}
