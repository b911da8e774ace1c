/**
 * Reads fields of messages, each within its bounds, and refuses what is there beside them.
 *
 * @module base/fields
 */
import type { CborMap, CborValue } from './cbor.ts';

export function isMap(value: CborValue | undefined): value is CborMap {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}

/** One map, read once: `end` refuses fields that nobody asked for. */
export class Fields {
  readonly #map: CborMap;
  readonly #what: string;
  readonly #read = new Set<string>();
  readonly #malformed: (what: string) => Error;

  /** `what`: how faults call the map. `malformed` makes the error of what is wrong with it, the end of a sentence. */
  constructor(map: CborValue | undefined, what: string, malformed: (what: string) => Error) {
    if (!isMap(map)) throw malformed(`${what} is no map`);
    this.#map = map;
    this.#what = what;
    this.#malformed = malformed;
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#map, key);
  }

  /** UTF-16 units between the bounds. */
  text(key: string, max: number, min = 0): string {
    const value = this.#take(key);
    if (typeof value !== 'string' || value.length < min || value.length > max)
      throw this.#fault(key, `a text of ${min} to ${max} characters`);
    return value;
  }

  textOrNull(key: string, max: number): string | null {
    return this.#map[key] === null ? this.#none(key) : this.text(key, max);
  }

  oneOf<const T extends string>(key: string, values: readonly T[]): T {
    const value = this.#take(key);
    const found = values.find((one) => one === value);
    if (found === undefined) throw this.#fault(key, `one of ${values.join(', ')}`);
    return found;
  }

  flag(key: string): boolean {
    const value = this.#take(key);
    if (typeof value !== 'boolean') throw this.#fault(key, 'true or false');
    return value;
  }

  /** A whole number from 0. */
  count(key: string, max: number): number {
    const value = this.#take(key);
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > max)
      throw this.#fault(key, `a whole number from 0 to ${max}`);
    return value;
  }

  countOrNull(key: string, max: number): number | null {
    return this.#map[key] === null ? this.#none(key) : this.count(key, max);
  }

  /** Any number from 0, such as ms. */
  amountOrNull(key: string, max: number): number | null {
    const value = this.#take(key);
    if (value === null) return null;
    if (typeof value !== 'number' || value < 0 || value > max)
      throw this.#fault(key, `a number from 0 to ${max}`);
    return value;
  }

  bytes(key: string, length: number): Uint8Array {
    const value = this.#take(key);
    if (!(value instanceof Uint8Array) || value.length !== length) throw this.#fault(key, `${length} bytes`);
    return value;
  }

  bytesOrNull(key: string, length: number): Uint8Array | null {
    return this.#map[key] === null ? this.#none(key) : this.bytes(key, length);
  }

  /** Bytes of any length up to the bound. */
  bytesUpTo(key: string, max: number): Uint8Array {
    const value = this.#take(key);
    if (!(value instanceof Uint8Array) || value.length > max) throw this.#fault(key, `at most ${max} bytes`);
    return value;
  }

  list(key: string, max: number): readonly CborValue[] {
    const value = this.#take(key);
    if (!Array.isArray(value) || value.length > max) throw this.#fault(key, `a list of at most ${max}`);
    return value as readonly CborValue[];
  }

  /** Whatever it is: the caller looks at it. */
  any(key: string): CborValue | undefined {
    return this.#take(key);
  }

  /** Throws when the map has fields that were not read. */
  end(): void {
    const left = Object.keys(this.#map).find((key) => !this.#read.has(key));
    if (left !== undefined) throw this.#malformed(`${this.#what} has the unknown field ${show(left)}`);
  }

  #take(key: string): CborValue | undefined {
    this.#read.add(key);
    return Object.hasOwn(this.#map, key) ? this.#map[key] : undefined;
  }

  #none(key: string): null {
    this.#read.add(key);
    return null;
  }

  #fault(key: string, allowed: string): Error {
    return this.#malformed(`'${key}' of ${this.#what} is not ${allowed}`);
  }
}

const show = (key: string): string => JSON.stringify(key.slice(0, 40));
