/**
 * The format of the key file, version 1: JSON with the PeerId and the seed, plain or under a passphrase.
 *
 * | Field | Holds |
 * |---|---|
 * | `v` | 1 |
 * | `peerId` | the PeerId that the seed must give |
 * | `seed` | 32 bytes in base64url; absent when sealed |
 * | `sealed` | the seed under a passphrase (sealed.ts); absent when plain |
 *
 * Exactly one of `seed` and `sealed` is there, and nothing else.
 *
 * @module identity/key/key-file
 */
import { z } from 'zod';
import { InputError, KithError, type Random } from '../../base/index.ts';
import { fromBase64url, toBase64url } from './base64url.ts';
import { peerIdOf, publicKeyOfPeerId } from './names.ts';
import { KEY_MAX_BYTES } from './private-forms.ts';
import { openSealed, type Sealed, sealedSchema, sealSeed } from './sealed.ts';
import { publicKeyOfSeed, SEED_BYTES } from './sign.ts';

const VERSION = 1;

const plainSchema = z.strictObject({ v: z.literal(VERSION), peerId: z.string(), seed: z.string() });
const sealedFileSchema = z.strictObject({ v: z.literal(VERSION), peerId: z.string(), sealed: sealedSchema });

/** A key file that was read; not more than its form is known of a sealed one. */
export interface KeyFile {
  readonly peerId: string;
  /** Whether a passphrase is needed. */
  readonly isProtected: boolean;
  /** The bytes of the file. */
  readonly bytes: Uint8Array;
  /**
   * The seed; `passphrase` is asked for when there is one, and null means that there is nobody to ask.
   * Throws KithError `passphrase_missing`, `passphrase_wrong`, `key_file_damaged`.
   */
  open(passphrase: () => Promise<string | null>): Promise<Uint8Array>;
}

/** Bytes of the file for a seed, sealed when there is a passphrase. Throws InputError `passphrase_invalid`. */
export async function writeKeyFile(
  seed: Uint8Array,
  passphrase: string | null,
  random: Random,
): Promise<Uint8Array> {
  const peerId = peerIdOf(publicKeyOfSeed(seed));
  const held =
    passphrase === null
      ? { seed: toBase64url(seed) }
      : { sealed: await sealSeed(seed, peerId, passphrase, random) };
  return new TextEncoder().encode(`${JSON.stringify({ v: VERSION, peerId, ...held }, null, 2)}\n`);
}

/**
 * @param place where the bytes come from, for errors
 * @throws KithError `key_file_damaged`, `key_file_version`
 */
export function readKeyFile(bytes: Uint8Array, place: string): KeyFile {
  if (bytes.length === 0) throw damaged(place, 'it is empty');
  if (bytes.length > KEY_MAX_BYTES) throw damaged(place, `it is larger than ${KEY_MAX_BYTES} bytes`);
  const json = parsed(bytes, place);
  const version = (json as { v?: unknown } | null)?.v;
  if (typeof version === 'number' && Number.isInteger(version) && version > VERSION) {
    throw new KithError(
      'key_file_version',
      `${place} has version ${version}; this Kith knows version ${VERSION}. Use the newer Kith that wrote it.`,
    );
  }
  const plain = plainSchema.safeParse(json);
  if (plain.success) {
    const seed = fromBase64url(plain.data.seed, SEED_BYTES);
    if (seed === null) throw damaged(place, `its seed is not ${SEED_BYTES} bytes in base64url`);
    const file = namedBy(plain.data.peerId, place);
    const checked = belongs(seed, file, place);
    return { peerId: file, isProtected: false, bytes, open: async () => Uint8Array.from(checked) };
  }
  const sealed = sealedFileSchema.safeParse(json);
  if (!sealed.success) throw damaged(place, 'its fields are not those of a key file');
  const peerId = namedBy(sealed.data.peerId, place);
  return {
    peerId,
    isProtected: true,
    bytes,
    open: (passphrase) => openProtected(sealed.data.sealed, peerId, place, passphrase),
  };
}

async function openProtected(
  sealed: Sealed,
  peerId: string,
  place: string,
  ask: () => Promise<string | null>,
): Promise<Uint8Array> {
  const passphrase = await ask();
  if (passphrase === null) {
    throw new KithError(
      'passphrase_missing',
      `The key in ${place} has a passphrase and nothing says which. Run this in a terminal to be asked for it, or name ` +
        'a file that holds it: --passphrase-file /path, or kith config set identity.passphraseFile /path',
    );
  }
  return belongs(await openSealed(sealed, peerId, passphrase), peerId, place);
}

/** Whether a JSON text means to be a key file of Kith rather than a JWK. */
export function looksLikeKeyFile(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7b && bytes.length <= KEY_MAX_BYTES && Buffer.from(bytes).includes('"peerId"');
}

function namedBy(peerId: string, place: string): string {
  try {
    const canonical = peerIdOf(publicKeyOfPeerId(peerId));
    if (canonical === peerId) return peerId;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
  }
  throw damaged(place, 'its peerId is none');
}

function belongs(seed: Uint8Array, peerId: string, place: string): Uint8Array {
  const own = peerIdOf(publicKeyOfSeed(seed));
  if (own === peerId) return seed;
  throw damaged(place, `its seed is that of ${own}, but it says ${peerId}`);
}

function parsed(bytes: Uint8Array, place: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // What JSON.parse throws quotes the text, which holds the seed.
    throw damaged(place, 'it is cut off or no JSON');
  }
}

function damaged(place: string, why: string): KithError {
  return new KithError(
    'key_file_damaged',
    `The key file ${place} is damaged: ${why}. It was left as it is, and no new key was made. Put back a copy of it, ` +
      'or import an exported key: kith identity import FILE --replace',
  );
}
