/**
 * Ids of keys and nodes: SHA-1 over the MessagePack of a key, near to each other by XOR.
 *
 * @module swarm/hivemind/ids
 */
import { createHash } from 'node:crypto';
import { encodeMsgpack, type MsgValue } from './msgpack.ts';
import { peerIdToBytes } from './peer-ids.ts';

export const NODE_ID_BYTES = 20;

/** Bytes are taken as they are, everything else as its MessagePack. */
export function keyId(key: MsgValue): Uint8Array {
  return sha1(key instanceof Uint8Array ? key : encodeMsgpack(key));
}

/** The id that a node takes for itself; others draw theirs at random. */
export function nodeIdOf(peer: string): Uint8Array {
  return sha1(peerIdToBytes(peer));
}

function sha1(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha1').update(bytes).digest());
}

/** Negative when `a` is nearer to `target` than `b`. */
export function compareDistance(target: Uint8Array, a: Uint8Array, b: Uint8Array): number {
  for (let index = 0; index < NODE_ID_BYTES; index++) {
    const difference = (a[index]! ^ target[index]!) - (b[index]! ^ target[index]!);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Bits that two ids have in common from the left, 0 to 160. */
export function commonPrefix(a: Uint8Array, b: Uint8Array): number {
  for (let index = 0; index < NODE_ID_BYTES; index++) {
    const differing = a[index]! ^ b[index]!;
    if (differing !== 0) return index * 8 + Math.clz32(differing) - 24;
  }
  return NODE_ID_BYTES * 8;
}
