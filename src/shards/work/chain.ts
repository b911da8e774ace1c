/**
 * The hash chain over the payloads of a session, of one direction: what a side received, or what it sent on.
 *
 * `c0` is 32 zero bytes; with each message `c = SHA-256(c before, step number as 8 bytes big-endian, SHA-256(payload))`. Whoever
 * kept the payloads can compute it anew; two neighbours on a path have the same one over what went between them.
 *
 * @module shards/work/chain
 */
import { hash } from 'node:crypto';

export const DIGEST_BYTES = 32;

/** SHA-256. */
export function digestOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(hash('sha256', bytes, 'buffer'));
}

export class PayloadChain {
  #value: Uint8Array = new Uint8Array(DIGEST_BYTES);
  readonly #link = new Uint8Array(2 * DIGEST_BYTES + 8);
  readonly #number = new DataView(this.#link.buffer, DIGEST_BYTES, 8);

  /** SHA-256 of all so far. */
  get value(): Uint8Array {
    return this.#value;
  }

  /** @param digest SHA-256 of the payload of the message of step `n` */
  add(n: number, digest: Uint8Array): void {
    this.#link.set(this.#value);
    this.#number.setBigUint64(0, BigInt(n));
    this.#link.set(digest, DIGEST_BYTES + 8);
    this.#value = digestOf(this.#link);
  }
}
