/**
 * Typed access to GGUF metadata: `getNumber(gguf, 'llama.block_count')`. Every accessor takes a fallback for a key
 * that is absent; without one an absent key is an error. A value of the wrong type is always an error.
 *
 * @module models/gguf/access
 */

import { InputError } from '../../base/index.ts';
import type { Gguf, GgufArray, GgufValue } from '../types.ts';
import { quoted } from './limits.ts';

type WithMetadata = Pick<Gguf, 'metadata'>;

function missing(key: string): InputError {
  return new InputError('gguf_key_missing', `The model file has no metadata key ${quoted(key)}.`, {
    details: { key },
  });
}

function describe(entry: GgufValue): string {
  return entry.type === 'array' ? `array of ${entry.value.type}` : entry.type;
}

function wrong(key: string, wanted: string, entry: GgufValue, why = ''): InputError {
  return new InputError(
    'gguf_key_type',
    `The metadata key ${quoted(key)} must be ${wanted}, but is ${describe(entry)}${why}.`,
    { details: { key, type: describe(entry) } },
  );
}

function lookUp<T>(
  gguf: WithMetadata,
  key: string,
  fallback: T | undefined,
  convert: (entry: GgufValue) => T,
): T {
  const entry = gguf.metadata.get(key);
  if (entry !== undefined) return convert(entry);
  if (fallback === undefined) throw missing(key);
  return fallback;
}

function toNumber(key: string, entry: GgufValue): number {
  const { value } = entry;
  if (typeof value === 'number') return value;
  if (typeof value !== 'bigint') throw wrong(key, 'a number', entry);
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw wrong(key, 'at most 2^53 - 1', entry, ` ${value}`);
  return number;
}

/** True if the key is present. */
export function hasKey(gguf: WithMetadata, key: string): boolean {
  return gguf.metadata.has(key);
}

/** A number of any numeric type. 64-bit integers must be safe integers. */
export function getNumber(gguf: WithMetadata, key: string, fallback?: number): number {
  return lookUp(gguf, key, fallback, (entry) => toNumber(key, entry));
}

/** A whole number from `min` (default 0) to `max` (default 2^53 - 1): sizes and counts that are used to allocate. */
export function getInteger(
  gguf: WithMetadata,
  key: string,
  range: { readonly min?: number; readonly max?: number; readonly fallback?: number } = {},
): number {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = range;
  return lookUp(gguf, key, range.fallback, (entry) => {
    const value = toNumber(key, entry);
    if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
    throw wrong(key, `a whole number from ${min} to ${max}`, entry, ` ${value}`);
  });
}

export function getString(gguf: WithMetadata, key: string, fallback?: string): string {
  return lookUp(gguf, key, fallback, (entry) => {
    if (typeof entry.value === 'string') return entry.value;
    throw wrong(key, 'a string', entry);
  });
}

export function getBool(gguf: WithMetadata, key: string, fallback?: boolean): boolean {
  return lookUp(gguf, key, fallback, (entry) => {
    if (typeof entry.value === 'boolean') return entry.value;
    throw wrong(key, 'a bool', entry);
  });
}

/** Items of an array, without copying. */
export function getArray(gguf: WithMetadata, key: string, fallback?: GgufArray): GgufArray {
  return lookUp(gguf, key, fallback, (entry) => {
    if (entry.type === 'array') return entry.value;
    throw wrong(key, 'an array', entry);
  });
}

/** An array of numbers of any numeric type. 64-bit integers must be safe integers; bools count as 0 and 1. */
export function getNumbers(
  gguf: WithMetadata,
  key: string,
  fallback?: readonly number[],
): readonly number[] | Exclude<GgufArray['values'], readonly unknown[] | BigUint64Array | BigInt64Array> {
  return lookUp<ReturnType<typeof getNumbers>>(gguf, key, fallback, (entry) => {
    if (entry.type !== 'array') throw wrong(key, 'an array of numbers', entry);
    const { type, values } = entry.value;
    if (values instanceof BigUint64Array || values instanceof BigInt64Array) {
      return Array.from(values, (value) => toNumber(key, { type: 'int64', value }));
    }
    if (!Array.isArray(values)) return values as Exclude<typeof values, readonly unknown[]>;
    if (type === 'bool') return (values as readonly boolean[]).map(Number);
    throw wrong(key, 'an array of numbers', entry);
  });
}

/** An array of strings, without copying. An empty array of any type counts. */
export function getStrings(gguf: WithMetadata, key: string, fallback?: readonly string[]): readonly string[] {
  return lookUp(gguf, key, fallback, (entry) => {
    if (entry.type === 'array') {
      if (entry.value.type === 'string') return entry.value.values as readonly string[];
      if (entry.value.values.length === 0) return [];
    }
    throw wrong(key, 'an array of strings', entry);
  });
}

/**
 * A value per block: a file gives either one number for all `blocks` or an array with at least one number for each
 * (`attention.head_count_kv`, `feed_forward_length` of models whose blocks differ).
 */
export function getPerBlock(
  gguf: WithMetadata,
  key: string,
  blocks: number,
  fallback?: number,
): readonly number[] {
  const entry = gguf.metadata.get(key);
  if (entry === undefined || entry.type !== 'array') {
    return new Array<number>(blocks).fill(getNumber(gguf, key, fallback));
  }
  const values = getNumbers(gguf, key);
  if (values.length < blocks)
    throw wrong(key, `one number for each of ${blocks} blocks`, entry, ` with ${values.length}`);
  return Array.from({ length: blocks }, (_, block) => values[block]!);
}
