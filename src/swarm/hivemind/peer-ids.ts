/**
 * PeerIds between their text and their bytes: of Ed25519 keys (`12D3KooW...`), and of others by the SHA-256 of the key
 * (`Qm...`), as older peers have them.
 *
 * Source: https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md
 *
 * @module swarm/hivemind/peer-ids
 */
import { base58btc } from 'multiformats/bases/base58';

/** Null for what is neither of the two. */
export function peerIdFromBytes(bytes: Uint8Array): string | null {
  const [hash, length] = bytes;
  const identity = hash === 0 && length === 36 && bytes.length === 38 && bytes[2] === 8 && bytes[3] === 1;
  const sha256 = hash === 0x12 && length === 32 && bytes.length === 34;
  return identity || sha256 ? base58btc.baseEncode(bytes) : null;
}

/** @param peer a PeerId that is known to be one */
export function peerIdToBytes(peer: string): Uint8Array {
  return base58btc.baseDecode(peer);
}
