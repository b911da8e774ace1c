/**
 * JSON Canonicalization Scheme, RFC 8785: one byte sequence for one value, for hashing and signing.
 *
 * Numbers are written as ECMAScript's Number::toString does (RFC 8785, 3.2.2.3), keys are sorted by UTF-16 code
 * units (3.2.3), and only what I-JSON allows is accepted: finite numbers, well-formed strings.
 *
 * @module base/canonical-json
 */
import { InputError } from './errors.ts';

/** Deepest nesting of arrays and objects accepted. Deeper input is refused, not recursed into. */
export const CANONICAL_JSON_MAX_DEPTH = 256;

export interface CanonicalJsonOptions {
  /** @default CANONICAL_JSON_MAX_DEPTH */
  readonly maxDepth?: number;
}

/**
 * Canonical text of `value`: null, booleans, finite numbers, well-formed strings, arrays, and plain objects of these.
 *
 * Anything else is refused rather than dropped or converted (undefined, bigint, Date, Map, a lone surrogate, ...),
 * since two parties that sign "the same" value must never disagree on what was left out.
 *
 * Throws InputError `canonical_json_invalid` with `param` = a JSON Pointer to the offending place.
 */
export function canonicalJson(value: unknown, options: CanonicalJsonOptions = {}): string {
  return write(value, [], options.maxDepth ?? CANONICAL_JSON_MAX_DEPTH);
}

/** UTF-8 bytes of `canonicalJson(value)`: what is hashed and signed. */
export function canonicalBytes(value: unknown, options: CanonicalJsonOptions = {}): Uint8Array {
  return new TextEncoder().encode(canonicalJson(value, options));
}

function write(value: unknown, path: (string | number)[], depth: number): string {
  switch (typeof value) {
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      if (!Number.isFinite(value)) throw refused(path, `${value} has no JSON form`);
      return String(value);
    case 'string':
      return writeString(value, path);
    case 'object':
      if (value === null) return 'null';
      if (depth <= 0) throw refused(path, 'it is nested too deeply');
      return Array.isArray(value) ? writeArray(value, path, depth) : writeObject(value, path, depth);
    default:
      throw refused(path, `${typeof value} has no JSON form`);
  }
}

/** JSON.stringify escapes a well-formed string exactly as RFC 8785, 3.2.2.2 asks. */
function writeString(text: string, path: readonly (string | number)[]): string {
  if (!text.isWellFormed()) throw refused(path, 'the string holds a lone surrogate');
  return JSON.stringify(text);
}

function writeArray(items: readonly unknown[], path: (string | number)[], depth: number): string {
  let text = '[';
  // By index, since for...of and map treat holes differently and a hole must be refused.
  for (let index = 0; index < items.length; index++) {
    path.push(index);
    text += (index === 0 ? '' : ',') + write(items[index], path, depth - 1);
    path.pop();
  }
  return `${text}]`;
}

function writeObject(object: object, path: (string | number)[], depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) {
    throw refused(path, `a ${object.constructor?.name || 'class instance'} is not a plain object`);
  }
  const record = object as Record<string, unknown>;
  let text = '{';
  // The default sort compares UTF-16 code units, which is the order the RFC asks for.
  for (const key of Object.keys(record).sort()) {
    path.push(key);
    text += `${text === '{' ? '' : ','}${writeString(key, path)}:${write(record[key], path, depth - 1)}`;
    path.pop();
  }
  return `${text}}`;
}

function refused(path: readonly (string | number)[], why: string): InputError {
  // Only the first steps are named: a hostile document can make a path of megabytes.
  const pointer = path
    .slice(0, 16)
    .map((step) => `/${String(step).slice(0, 64).toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
  return new InputError(
    'canonical_json_invalid',
    `The value at "${pointer}" cannot be written as canonical JSON: ${why}.`,
    { param: pointer },
  );
}
