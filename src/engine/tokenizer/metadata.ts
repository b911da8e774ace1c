/**
 * Reads `tokenizer.*` metadata with errors that name the key.
 *
 * @module engine/tokenizer/metadata
 */

import { InputError } from '../../base/index.ts';
import type { Gguf, GgufArray } from '../../models/index.ts';

export type Metadata = Gguf['metadata'];

export function invalidTokenizer(message: string, key: string): InputError {
  return new InputError('tokenizer_invalid', message, { details: { key } });
}

export function unsupportedTokenizer(message: string, model: string, pre: string): InputError {
  return new InputError('tokenizer_unsupported', message, { details: { model, pre } });
}

export function stringOf(metadata: Metadata, key: string): string | undefined {
  const entry = metadata.get(key);
  if (entry === undefined) return undefined;
  if (typeof entry.value === 'string') return entry.value;
  throw invalidTokenizer(`The model file's ${key} must be a string, but is ${entry.type}.`, key);
}

export function boolOf(metadata: Metadata, key: string): boolean | undefined {
  const entry = metadata.get(key);
  if (entry === undefined) return undefined;
  if (typeof entry.value === 'boolean') return entry.value;
  throw invalidTokenizer(`The model file's ${key} must be true or false, but is ${entry.type}.`, key);
}

/** A token id. Ids of another type or outside [0, size) count as absent, as in llama.cpp. */
export function idOf(metadata: Metadata, key: string, size: number): number | undefined {
  const value = metadata.get(key)?.value;
  const id = typeof value === 'bigint' ? Number(value) : value;
  return typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < size ? id : undefined;
}

function arrayOf(metadata: Metadata, key: string): GgufArray | undefined {
  const entry = metadata.get(key);
  if (entry === undefined) return undefined;
  if (entry.type === 'array') return entry.value;
  throw invalidTokenizer(`The model file's ${key} must be an array, but is ${entry.type}.`, key);
}

export function stringsOf(metadata: Metadata, key: string, most: number): readonly string[] | undefined {
  const array = arrayOf(metadata, key);
  if (array === undefined) return undefined;
  if (array.type !== 'string') {
    throw invalidTokenizer(`The model file's ${key} must hold strings, but holds ${array.type}.`, key);
  }
  if (array.values.length > most) {
    throw invalidTokenizer(
      `The model file's ${key} has ${array.values.length} entries; the limit is ${most}.`,
      key,
    );
  }
  return array.values as readonly string[];
}

/** Numbers of 32 bits or less, at least `least` of them. */
export function numbersOf(metadata: Metadata, key: string, least: number): ArrayLike<number> | undefined {
  const array = arrayOf(metadata, key);
  if (array === undefined) return undefined;
  const { values } = array;
  if (!ArrayBuffer.isView(values) || values instanceof BigUint64Array || values instanceof BigInt64Array) {
    throw invalidTokenizer(`The model file's ${key} must hold numbers, but holds ${array.type}.`, key);
  }
  if (values.length < least) {
    throw invalidTokenizer(`The model file's ${key} has ${values.length} entries for ${least} tokens.`, key);
  }
  return values;
}
