/**
 * A seed under a passphrase: scrypt (RFC 7914) and AES-256-GCM.
 *
 * The name of the key is bound in as additional data, so that sealed seeds cannot be exchanged between files. Parameters
 * are bounded before anything is computed: a file from outside could ask for a terabyte.
 *
 * @module identity/key/sealed
 */
import { createCipheriv, createDecipheriv, scrypt } from 'node:crypto';
import { z } from 'zod';
import { InputError, KithError, type Random } from '../../base/index.ts';
import { fromBase64url, toBase64url } from './base64url.ts';
import { SEED_BYTES } from './sign.ts';

const base64url = (bytes: number) =>
  z
    .string()
    .refine((text) => fromBase64url(text, bytes) !== null, `${bytes} bytes in base64url are expected`);

/**
 * Bounds: at least what was common when the format was made (2^14), at most 1 GiB of memory (128 · n · r bytes), r as
 * recommended, so that the cost of reading a file is known.
 */
export const sealedSchema = z.strictObject({
  kdf: z.literal('scrypt'),
  n: z
    .int()
    .min(2 ** 14)
    .max(2 ** 20)
    .refine((n) => (n & (n - 1)) === 0, 'n is a power of two'),
  r: z.literal(8),
  p: z.int().min(1).max(4),
  salt: base64url(16),
  cipher: z.literal('aes-256-gcm'),
  iv: base64url(12),
  tag: base64url(16),
  data: base64url(SEED_BYTES),
});
/** A seed under a passphrase, as it stands in the key file. Bytes in base64url. */
export type Sealed = z.output<typeof sealedSchema>;

/** 128 MiB and 0.4 s on a desktop processor. */
const COST = { n: 2 ** 17, r: 8, p: 1 } as const;
export const PASSPHRASE_MIN_CHARS = 8;
export const PASSPHRASE_MAX_BYTES = 1_024;

/** A new passphrase must be long enough to be one. Throws InputError `passphrase_invalid`. */
export function checkNewPassphrase(passphrase: string): void {
  if ([...passphrase].length < PASSPHRASE_MIN_CHARS) {
    throw new InputError(
      'passphrase_invalid',
      `A passphrase has at least ${PASSPHRASE_MIN_CHARS} characters. Take several words.`,
    );
  }
}

/** Throws InputError `passphrase_invalid`. */
export async function sealSeed(
  seed: Uint8Array,
  peerId: string,
  passphrase: string,
  random: Random,
): Promise<Sealed> {
  checkNewPassphrase(passphrase);
  const salt = random.bytes(16);
  const iv = random.bytes(12);
  const key = await keyOf(passphrase, salt, COST);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(peerId));
  const data = Buffer.concat([cipher.update(seed), cipher.final()]);
  key.fill(0);
  return {
    kdf: 'scrypt',
    ...COST,
    salt: toBase64url(salt),
    cipher: 'aes-256-gcm',
    iv: toBase64url(iv),
    tag: toBase64url(cipher.getAuthTag()),
    data: toBase64url(data),
  };
}

/** Throws KithError `passphrase_wrong` (also when the sealed bytes were changed: the two cannot be told apart). */
export async function openSealed(
  { n, r, p, salt, iv, tag, data }: Sealed,
  peerId: string,
  passphrase: string,
): Promise<Uint8Array> {
  const key = await keyOf(passphrase, bytesOf(salt, 16), { n, r, p });
  const cipher = createDecipheriv('aes-256-gcm', key, bytesOf(iv, 12), { authTagLength: 16 })
    .setAAD(Buffer.from(peerId))
    .setAuthTag(bytesOf(tag, 16));
  try {
    return Uint8Array.from(Buffer.concat([cipher.update(bytesOf(data, SEED_BYTES)), cipher.final()]));
  } catch (error) {
    throw new KithError(
      'passphrase_wrong',
      `The passphrase does not open the key of ${peerId}: it is another one, or the file was changed. Nothing was altered.`,
      { status: 403, cause: error },
    );
  } finally {
    key.fill(0);
  }
}

function keyOf(
  passphrase: string,
  salt: Uint8Array,
  { n, r, p }: { readonly n: number; readonly r: number; readonly p: number },
): Promise<Buffer> {
  // One passphrase, however a keyboard composes its accents (RFC 8265, 4.2.1 asks for NFC).
  const bytes = Buffer.from(passphrase.normalize('NFC'));
  if (bytes.length > PASSPHRASE_MAX_BYTES) {
    throw new InputError('passphrase_invalid', `A passphrase has at most ${PASSPHRASE_MAX_BYTES} bytes.`);
  }
  // Node refuses more than 32 MiB unless told; scrypt takes 128·n·r bytes and a little for p.
  const maxmem = 128 * n * r + 128 * r * p + 1_048_576;
  return new Promise((resolve, reject) => {
    scrypt(bytes, salt, 32, { N: n, r, p, maxmem }, (error, key) => {
      bytes.fill(0);
      if (error === null) resolve(key);
      else
        reject(
          new KithError('passphrase_failed', `The passphrase could not be computed: ${error.message}.`, {
            cause: error,
          }),
        );
    });
  });
}

function bytesOf(text: string, length: number): Uint8Array {
  const bytes = fromBase64url(text, length);
  if (bytes === null) throw new TypeError('A sealed seed is parsed before it is opened.');
  return bytes;
}
