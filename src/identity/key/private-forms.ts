/**
 * A private key in the forms of other programs: written, and read back strictly.
 *
 * | Form | Bytes |
 * |---|---|
 * | `libp2p` | protobuf `08 01 12 40`, seed, public key; the older one `08 01 12 60` repeats the public key; also in base64 |
 * | `pkcs8` | RFC 8410, 7 in DER or PEM: version 1 (seed), or version 2 with the public key |
 * | `jwk` | RFC 8037, 2: `{"kty":"OKP","crv":"Ed25519","x":…,"d":…}` |
 *
 * Every form but PKCS#8 version 1 carries the public key beside the seed. A pair that does not belong together would be a
 * node with a name that it cannot sign for, so the public half is always derived again and compared.
 *
 * @module identity/key/private-forms
 */
import { z } from 'zod';
import { fromHex, InputError } from '../../base/index.ts';
import { fromBase64url, toBase64url } from './base64url.ts';
import { PKCS8_PREFIX, publicKeyOfSeed, SEED_BYTES } from './sign.ts';

export const PRIVATE_FORMS = ['libp2p', 'pkcs8', 'jwk'] as const;
export type PrivateForm = (typeof PRIVATE_FORMS)[number];

/** The largest file that may hold a key. */
export const KEY_MAX_BYTES = 16_384;

const LIBP2P_PREFIX = fromHex('08011240');
const LIBP2P_OLD_PREFIX = fromHex('08011260');
/** OneAsymmetricKey, RFC 5958, 2: version 2, with the public key in [1]. */
const PKCS8_V2_PREFIX = fromHex('3051020101300506032b657004220420');
const PKCS8_V2_MIDDLE = fromHex('812100');

/** The key in a form: binary for `libp2p`, PEM for `pkcs8`, JSON for `jwk`. Unprotected: whoever reads it is the node. */
export function writePrivateKey(seed: Uint8Array, form: PrivateForm): Uint8Array {
  const publicKey = publicKeyOfSeed(seed);
  if (form === 'libp2p') return Uint8Array.of(...LIBP2P_PREFIX, ...seed, ...publicKey);
  if (form === 'pkcs8') {
    const base64 = Buffer.from([...PKCS8_PREFIX, ...seed]).toString('base64');
    return new TextEncoder().encode(`-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----\n`);
  }
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: toBase64url(publicKey), d: toBase64url(seed) };
  return new TextEncoder().encode(`${JSON.stringify(jwk)}\n`);
}

/**
 * The seed of a private key in any form of the table.
 * Throws InputError `private_key_invalid` (no known form, or damaged), `private_key_mismatch` (halves that differ).
 */
export function readPrivateKey(given: Uint8Array): { readonly seed: Uint8Array; readonly form: PrivateForm } {
  if (given.length > KEY_MAX_BYTES) throw invalid(`it is larger than ${KEY_MAX_BYTES} bytes`);
  // Cutting a Buffer gives a view of it: the seed has to be memory of its own.
  const bytes = Uint8Array.from(given);
  if (bytes[0] === 0x30) return { seed: readPkcs8(bytes), form: 'pkcs8' };
  if (bytes[0] === 0x08) return { seed: readLibp2p(bytes), form: 'libp2p' };
  const text = asText(bytes).trim();
  if (text.startsWith('-----BEGIN')) return { seed: readPem(text), form: 'pkcs8' };
  if (text.startsWith('{')) return { seed: readJwk(text), form: 'jwk' };
  // go-libp2p and Kubo keep the protobuf in base64: its first three bytes are "CAES".
  if (text.startsWith('CAES')) return { seed: readLibp2p(fromBase64(text)), form: 'libp2p' };
  throw invalid('it has none of the known forms');
}

function readLibp2p(bytes: Uint8Array): Uint8Array {
  const current = bytes.length === 68 && startsWith(bytes, LIBP2P_PREFIX);
  const old = bytes.length === 100 && startsWith(bytes, LIBP2P_OLD_PREFIX);
  if (!current && !old) throw invalid('it is no libp2p private key of type Ed25519');
  const seed = bytes.slice(4, 36);
  return checked(seed, bytes.subarray(36, 68), ...(old ? [bytes.subarray(68)] : []));
}

function readPkcs8(der: Uint8Array): Uint8Array {
  if (der.length === 48 && startsWith(der, PKCS8_PREFIX)) return checked(der.slice(16));
  const second =
    der.length === 83 && startsWith(der, PKCS8_V2_PREFIX) && startsWith(der.subarray(48), PKCS8_V2_MIDDLE);
  if (!second) throw invalid('it is no PKCS#8 private key of type Ed25519');
  return checked(der.slice(16, 48), der.subarray(51));
}

function readPem(text: string): Uint8Array {
  if (text.startsWith('-----BEGIN ENCRYPTED')) {
    throw invalid('it is encrypted PKCS#8; decrypt it first: openssl pkcs8 -in FILE -out PLAIN');
  }
  const match =
    /^-----BEGIN PRIVATE KEY-----\r?\n([A-Za-z0-9+/=\r\n]{1,256}?)\r?\n-----END PRIVATE KEY-----$/.exec(text);
  if (match === null) throw invalid('it is no PEM file with one PRIVATE KEY');
  return readPkcs8(fromBase64(match[1]!.replace(/[\r\n]/g, '')));
}

/** Members beside these are ignored, as RFC 7517, 4 asks; another algorithm or use is a key for something else. */
const jwkSchema = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string(),
  d: z.string(),
  alg: z.enum(['Ed25519', 'EdDSA']).optional(),
  use: z.literal('sig').optional(),
});

function readJwk(text: string): Uint8Array {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // What JSON.parse throws quotes the text, which may be a key.
    throw invalid('it is no JSON');
  }
  const jwk = jwkSchema.safeParse(json);
  if (!jwk.success) throw invalid('it is no private JWK with kty "OKP" and crv "Ed25519", and both x and d');
  const [seed, publicKey] = [jwk.data.d, jwk.data.x].map((part) => fromBase64url(part, 32));
  if (seed == null || publicKey == null) throw invalid('its x or d is not 32 bytes in base64url');
  return checked(seed, publicKey);
}

/** The seed, if all that was said of its public half is true. */
function checked(seed: Uint8Array, ...claimed: readonly Uint8Array[]): Uint8Array {
  if (seed.length !== SEED_BYTES) throw invalid(`its seed has ${seed.length} bytes`);
  const publicKey = publicKeyOfSeed(seed);
  if (claimed.some((claim) => !same(claim, publicKey))) {
    throw new InputError(
      'private_key_mismatch',
      'The public half of this key does not belong to its private half: it is damaged or forged. Take another copy.',
    );
  }
  return seed;
}

/** Standard base64 with its padding, strictly. */
function fromBase64(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw invalid('its base64 is damaged');
  return Uint8Array.from(bytes);
}

function asText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalid('it has none of the known forms');
  }
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return bytes.length >= prefix.length && prefix.every((byte, i) => bytes[i] === byte);
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function invalid(why: string): InputError {
  return new InputError(
    'private_key_invalid',
    `This is no Ed25519 private key that can be read: ${why}. ` +
      'Known are libp2p protobuf, PKCS#8 (PEM or DER), JWK, and a key file of Kith.',
  );
}
