/**
 * Strict reading of the fields of a CBOR map from outside.
 *
 * @module swarm/records/fields
 */
import {
  type CborLimits,
  type CborMap,
  type CborValue,
  decodeCbor,
  fromHex,
  InputError,
  messageOf,
} from '../../base/index.ts';
import { checkedPublicKey, peerIdOf, publicKeyOfPeerId } from '../../identity/index.ts';

/** SHA-256 as text. */
export const DIGEST = /^[0-9a-f]{64}$/;

/** @throws {InputError} `record_malformed`, always. */
export function malformed(what: string): never {
  throw new InputError('record_malformed', `The record is not one this version can read: ${what}.`);
}

/** The fields of a record; each is asked for once, and `end` refuses those that nobody asked for. */
export class Fields {
  readonly #map: CborMap;
  readonly #asked = new Set<string>();

  constructor(value: CborValue) {
    if (value === null || typeof value !== 'object' || Array.isArray(value) || value instanceof Uint8Array)
      malformed('it is not a map');
    this.#map = value as CborMap;
  }

  /** Decodes `bytes`, which must be the one deterministic encoding of a map. */
  static decode(bytes: Uint8Array, limits: CborLimits): Fields {
    let value: CborValue;
    try {
      value = decodeCbor(bytes, limits);
    } catch (error) {
      return malformed(messageOf(error).replace(/\.$/, ''));
    }
    return new Fields(value);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#map, name);
  }

  #take(name: string): CborValue {
    this.#asked.add(name);
    if (!this.has(name)) malformed(`${name} is missing`);
    return this.#map[name]!;
  }

  /** A whole number from `min` to `max`. */
  int(name: string, min: number, max: number): number {
    const value = this.#take(name);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max)
      malformed(`${name} is not a whole number from ${min} to ${max}`);
    return value as number;
  }

  bytes(name: string, min: number, max: number = min): Uint8Array {
    const value = this.#take(name);
    if (!(value instanceof Uint8Array) || value.length < min || value.length > max)
      malformed(`${name} does not have ${min === max ? min : `${min} to ${max}`} bytes`);
    return value as Uint8Array;
  }

  /** 32 bytes of an Ed25519 public key that may name somebody; its PeerId. */
  peer(name: string): string {
    const key = this.bytes(name, 32);
    try {
      return peerIdOf(checkedPublicKey(key));
    } catch (error) {
      return malformed(`${name}: ${messageOf(error).replace(/\.$/, '')}`);
    }
  }

  text(name: string, pattern: RegExp): string {
    return textOf(this.#take(name), name, pattern);
  }

  bool(name: string): boolean {
    const value = this.#take(name);
    if (typeof value !== 'boolean') malformed(`${name} is neither true nor false`);
    return value as boolean;
  }

  list<T>(name: string, max: number, read: (value: CborValue) => T): T[] {
    const value = this.#take(name);
    if (!Array.isArray(value) || value.length > max) malformed(`${name} is not a list of at most ${max}`);
    return (value as readonly CborValue[]).map(read);
  }

  /** A list of texts that ascend by code units, so that one set has one form. */
  words(name: string, max: number, pattern: RegExp): string[] {
    const words = this.list(name, max, (value) => textOf(value, name, pattern));
    for (let index = 1; index < words.length; index++)
      if (words[index - 1]! >= words[index]!) malformed(`${name} is not in order, or has an entry twice`);
    return words;
  }

  /** A field that may be left out; null then. */
  optional<T>(name: string, read: (fields: Fields) => T): T | null {
    return this.has(name) ? read(this) : null;
  }

  fields(name: string): Fields {
    return new Fields(this.#take(name));
  }

  end(): void {
    for (const name of Object.keys(this.#map))
      if (!this.#asked.has(name)) malformed(`the field ${JSON.stringify(name.slice(0, 32))} is unknown`);
  }
}

function textOf(value: CborValue, name: string, pattern: RegExp): string {
  if (typeof value !== 'string' || !pattern.test(value)) malformed(`${name} is not of the form ${pattern}`);
  return value as string;
}

/** The key that a PeerId names. @throws {InputError} `record_malformed` */
export function keyOfPeer(peer: string): Uint8Array {
  try {
    return publicKeyOfPeerId(peer);
  } catch (error) {
    return malformed(messageOf(error).replace(/\.$/, ''));
  }
}

/** The bytes of a digest in hex. @throws {InputError} `record_malformed` */
export function digestBytes(text: string): Uint8Array {
  return DIGEST.test(text) ? fromHex(text) : malformed('a digest is not 64 lower-case hex digits');
}
