/**
 * What lies beside a vector in an engine, sealed: AES-256-GCM under a key of the owner's for this collection, padded so that
 * lengths tell little. And the digest by which a point is told to be as it should, keyed, so that nobody can try texts against it.
 *
 * | Bytes | Hold |
 * |---|---|
 * | 12 | nonce, random |
 * | n | ciphertext of: u32 length (little-endian), the bytes, zeros up to the padding (Padmé, as of records) |
 * | 16 | tag |
 *
 * Bound in: `kith-engine-v1`, the collection, the point's id.
 *
 * @module vault/adapters/sealing
 */
import { createHmac, hkdfSync } from 'node:crypto';
import { type Random, toHex } from '../../base/index.ts';
import { type Deriver, KEY_BYTES } from '../keys/keys.ts';
import { damaged, openWithNonce, paddedLength, sealWithNonce } from '../seal/record.ts';
import { ENGINE_BOUNDS } from './types.ts';

const LENGTH_BYTES = 4;

export interface EngineSealer {
  /** What the collection is called in the engine: 32 hex digits that tell nothing of it. */
  readonly collection: string;
  seal(id: number, plain: Uint8Array, random: Pick<Random, 'bytes'>): Uint8Array;
  /** @throws KithError `vault_damaged` */
  open(id: number, sealed: Uint8Array): Uint8Array;
  /** Of the parts of a point, 16 bytes. */
  digest(id: number, parts: readonly (Uint8Array | string)[]): Uint8Array;
}

/** @param about what the collection is of; another one has other keys and another name */
export function engineSealer(identity: Deriver, about: string): EngineSealer {
  const root = identity.derive('vault/engine', KEY_BYTES);
  const below = (use: string, length: number): Uint8Array =>
    new Uint8Array(
      hkdfSync('sha256', root, Buffer.alloc(0), Buffer.from(`kith-engine-v1/${use}/${about}`), length),
    );
  const collection = toHex(below('name', 16));
  const sealing = below('payload', KEY_BYTES);
  const telling = below('digest', KEY_BYTES);
  const bound = (id: number): Uint8Array => Buffer.from(`kith-engine-v1\0${collection}\0${id}\0`);
  return {
    collection,
    seal(id, plain, random) {
      const padded = Buffer.alloc(paddedLength(LENGTH_BYTES + plain.length));
      padded.writeUInt32LE(plain.length, 0);
      padded.set(plain, LENGTH_BYTES);
      return sealWithNonce(sealing, bound(id), padded, random);
    },
    open(id, sealed) {
      const what = `point ${id}`;
      const padded = Buffer.from(openWithNonce(sealing, bound(id), sealed, what));
      const length = padded.length < LENGTH_BYTES ? -1 : padded.readUInt32LE(0);
      if (length < 0 || LENGTH_BYTES + length > padded.length) throw damaged(what);
      return Uint8Array.from(padded.subarray(LENGTH_BYTES, LENGTH_BYTES + length));
    },
    digest(id, parts) {
      const hash = createHmac('sha256', telling);
      for (const part of [String(id), ...parts]) {
        const bytes = typeof part === 'string' ? Buffer.from(part) : part;
        const length = Buffer.alloc(LENGTH_BYTES);
        length.writeUInt32LE(bytes.length, 0);
        hash.update(length).update(bytes);
      }
      return new Uint8Array(hash.digest().subarray(0, ENGINE_BOUNDS.digestBytes));
    },
  };
}
