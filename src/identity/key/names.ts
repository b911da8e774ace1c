/**
 * The names of an Ed25519 public key, as pure functions: PeerId, `did:key`, `did:peer`.
 *
 * | Name | Text | Bytes |
 * |---|---|---|
 * | PeerId | base58btc, 52 characters, `12D3KooW…` | `00 24 08 01 12 20` and the key |
 * | PeerId as CID | base32 `bafz…` or base36 `k51…` | `01 72` and the above |
 * | did:key | `did:key:z` and base58btc, `did:key:z6Mk…` | `ed 01` and the key |
 * | did:peer | `did:peer:0z6Mk…`; also read: `did:peer:2.Vz6Mk…` | as did:key |
 *
 * Sources: libp2p peer-ids specification; did:key method 0.9; did:peer method, numbers 0 and 2; multicodec table.
 *
 * A name is parsed strictly: it must be the one text that its bytes have in that form, and the key must be one that can be
 * held to what it signs (no point of low order).
 *
 * @module identity/key/names
 */
import { base32 } from 'multiformats/bases/base32';
import { base36 } from 'multiformats/bases/base36';
import { base58btc } from 'multiformats/bases/base58';
import { InputError, toHex } from '../../base/index.ts';
import { isCanonicalPoint, isLowOrder } from './low-order.ts';

export const PUBLIC_KEY_BYTES = 32;

/** Identity multihash of the 36 bytes of a libp2p public key: type Ed25519, 32 bytes. */
const PEER_ID_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20);
/** CID version 1, codec libp2p-key. */
const CID_PREFIX = Uint8Array.of(0x01, 0x72, ...PEER_ID_PREFIX);
/** Multicodec ed25519-pub, 0xed as a varint. */
const MULTIKEY_PREFIX = Uint8Array.of(0xed, 0x01);

/** The longest name of any form has 75 characters. Base conversion is quadratic, so longer texts are refused unread. */
const MAX_NAME_CHARS = 128;

/** `12D3KooW…`. The key must be `checkedPublicKey`. */
export function peerIdOf(publicKey: Uint8Array): string {
  return base58btc.baseEncode(joined(PEER_ID_PREFIX, publicKey));
}

/** The PeerId in its other form, a CID in base32: `bafz…`. */
export function peerIdCidOf(publicKey: Uint8Array): string {
  return base32.encode(joined(CID_PREFIX, publicKey));
}

/** `z6Mk…`: the key as Multikey (Controlled Identifiers 1.0, 2.2.2), which is also the fragment of its DID URL. */
export function multikeyOf(publicKey: Uint8Array): string {
  return base58btc.encode(joined(MULTIKEY_PREFIX, publicKey));
}

/** `did:key:z6Mk…` */
export function didOf(publicKey: Uint8Array): string {
  return `did:key:${multikeyOf(publicKey)}`;
}

/** `did:peer:0z6Mk…`: the same key as a peer DID without further services. */
export function didPeerOf(publicKey: Uint8Array): string {
  return `did:peer:0${multikeyOf(publicKey)}`;
}

/** `did:key:z6Mk…#z6Mk…`: the DID URL under which a `did:key` names its one key in proofs. */
export function verificationMethodOf(did: string): string {
  return `${did}#${did.slice('did:key:'.length)}`;
}

/**
 * The DID of a verification method `did:key:z6Mk…#z6Mk…`.
 * Throws InputError `identity_name_invalid` for any other form, or when the fragment is not the DID's own key.
 */
export function didOfVerificationMethod(url: string): string {
  if (url.length > MAX_NAME_CHARS) throw invalid(url, 'a did:key verification method');
  const did = url.split('#', 1)[0]!;
  publicKeyOfDid(did);
  if (url !== verificationMethodOf(did)) throw invalid(url, 'a did:key verification method');
  return did;
}

/** The key of a PeerId in base58btc, or in its CID form. Throws InputError `identity_name_invalid`, `public_key_weak`. */
export function publicKeyOfPeerId(peerId: string): Uint8Array {
  const what = 'a PeerId of an Ed25519 key, such as 12D3KooW…';
  if (peerId.startsWith('b')) return read(peerId, CID_PREFIX, base32, what);
  if (peerId.startsWith('k')) return read(peerId, CID_PREFIX, base36, what);
  return read(peerId, PEER_ID_PREFIX, bareBase58, what);
}

/**
 * The key of `did:key:z6Mk…`, `did:peer:0z6Mk…` or `did:peer:2.Vz6Mk…`.
 * Throws InputError `identity_name_invalid`, `public_key_weak`.
 */
export function publicKeyOfDid(did: string): Uint8Array {
  const what = 'a did:key or did:peer of an Ed25519 key';
  const prefix = ['did:key:', 'did:peer:0', 'did:peer:2.V'].find((each) => did.startsWith(each));
  if (prefix === undefined) throw invalid(did, what);
  return read(did.slice(prefix.length), MULTIKEY_PREFIX, base58btc, what, did);
}

/** The key of any of the names above. Throws InputError `identity_name_invalid`, `public_key_weak`. */
export function publicKeyOf(name: string): Uint8Array {
  return name.startsWith('did:') ? publicKeyOfDid(name) : publicKeyOfPeerId(name);
}

/** PeerId -> `did:key`. Throws InputError `identity_name_invalid`, `public_key_weak`. */
export function didOfPeerId(peerId: string): string {
  return didOf(publicKeyOfPeerId(peerId));
}

/** `did:key` or `did:peer` -> PeerId. Throws InputError `identity_name_invalid`, `public_key_weak`. */
export function peerIdOfDid(did: string): string {
  return peerIdOf(publicKeyOfDid(did));
}

/**
 * The key itself, when it may name somebody: 32 bytes, canonically encoded, not of low order.
 * Throws InputError `identity_name_invalid` (length), `public_key_weak`.
 */
export function checkedPublicKey(key: Uint8Array): Uint8Array {
  if (key.length !== PUBLIC_KEY_BYTES) {
    throw new InputError(
      'identity_name_invalid',
      `An Ed25519 public key has ${PUBLIC_KEY_BYTES} bytes, not ${key.length}.`,
    );
  }
  if (isLowOrder(key) || !isCanonicalPoint(key)) {
    throw new InputError(
      'public_key_weak',
      `The public key ${toHex(key)} is a point of low order or has a second encoding: anybody could sign for it. Refuse it.`,
    );
  }
  return key;
}

interface Base {
  encode(bytes: Uint8Array): string;
  decode(text: string): Uint8Array;
}

const bareBase58: Base = {
  encode: (bytes) => base58btc.baseEncode(bytes),
  decode: (text) => base58btc.baseDecode(text),
};

function read(text: string, prefix: Uint8Array, base: Base, what: string, shown: string = text): Uint8Array {
  if (text.length > MAX_NAME_CHARS) throw invalid(shown, what);
  let bytes: Uint8Array;
  try {
    bytes = base.decode(text);
  } catch (error) {
    throw invalid(shown, what, error);
  }
  const whole = bytes.length === prefix.length + PUBLIC_KEY_BYTES;
  if (!whole || !prefix.every((byte, i) => bytes[i] === byte)) throw invalid(shown, what);
  // Base 32 and 36 have spare bits and read upper case too: two texts for one key would be two peers to a careless map.
  if (base.encode(bytes) !== text) throw invalid(shown, what);
  return checkedPublicKey(bytes.slice(prefix.length));
}

function invalid(text: string, what: string, cause?: unknown): InputError {
  return new InputError(
    'identity_name_invalid',
    `${JSON.stringify(text.slice(0, 100))} is not ${what}. Copy it again from its owner: \`kith identity show\`.`,
    cause === undefined ? {} : { cause },
  );
}

function joined(prefix: Uint8Array, key: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(prefix.length + key.length);
  bytes.set(prefix);
  bytes.set(key, prefix.length);
  return bytes;
}
