/**
 * JSON documents as they cross the wire, and what all of them share: bounds, strict canonical form, names of dates.
 *
 * A document's bytes must equal its own JCS form (RFC 8785). This refuses duplicate keys, numbers that JSON parsing
 * rounds, and white space, so that two programs never read different things in the same bytes, and the SHA-256 of the
 * bytes is a safe name for what they say.
 *
 * @module identity/proof/document
 */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../base/index.ts';

/** Bytes of one credential, with its proof. */
export const CREDENTIAL_MAX_BYTES = 4096;
/** Nesting of objects and arrays in a credential. */
export const CREDENTIAL_MAX_DEPTH = 8;

export type JsonObject = { readonly [key: string]: unknown };

/** What a strict reading gave: the document, or why there is none. */
export type Reading = { readonly document: JsonObject } | { readonly fault: string };

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The JSON object in `bytes` when they are its canonical form and hold integers only (ECMAScript's safe ones).
 * Never throws.
 */
export function readStrict(bytes: Uint8Array, maxBytes: number, maxDepth: number): Reading {
  if (bytes.length > maxBytes) return { fault: `It has ${bytes.length} bytes; ${maxBytes} are allowed.` };
  let text: string;
  let value: unknown;
  try {
    text = utf8.decode(bytes);
    // Deep nesting is refused before the parser recurses into it.
    if (depthOf(text) > maxDepth) return { fault: `It is nested deeper than ${maxDepth} levels.` };
    value = JSON.parse(text);
  } catch {
    return { fault: 'It is not JSON in UTF-8.' };
  }
  if (!isObject(value)) return { fault: 'It is not a JSON object.' };
  try {
    if (canonicalJson(value, { maxDepth }) !== text)
      return { fault: 'Its bytes are not their own canonical form (RFC 8785).' };
  } catch {
    return { fault: 'It has no canonical form (RFC 8785).' };
  }
  if (!isEvery(value, (each) => typeof each !== 'number' || Number.isSafeInteger(each)))
    return { fault: 'It holds a number that is not an integer within ±2^53.' };
  // Copies of an object lose this key or take its value for their prototype, so it could be signed and not be seen.
  if (!isEvery(value, (each) => !isObject(each) || !Object.hasOwn(each, '__proto__')))
    return { fault: 'It has a key named __proto__.' };
  return { document: value };
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Most brackets open at once outside strings. */
function depthOf(text: string): number {
  let depth = 0;
  let most = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === 0x5c) at++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) most = Math.max(most, ++depth);
    else if (code === 0x7d || code === 0x5d) depth--;
  }
  return most;
}

function isEvery(value: unknown, holds: (each: unknown) => boolean): boolean {
  if (!holds(value)) return false;
  return (
    typeof value !== 'object' || value === null || Object.values(value).every((each) => isEvery(each, holds))
  );
}

/** Whether a value is exactly this list: how a pinned `@context` is compared. */
export function isList(value: unknown, wanted: readonly string[]): boolean {
  return (
    Array.isArray(value) && value.length === wanted.length && wanted.every((entry, at) => value[at] === entry)
  );
}

export function sha256(data: string | Uint8Array): Uint8Array {
  return createHash('sha256').update(data).digest();
}

/** SHA-256 of a document's bytes, hex: its name in caches, announcements and the wallet. */
export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** ms since 1970 of `2026-01-31T12:00:00Z` (XML Schema dateTimeStamp, whole seconds, UTC only); null for all else. */
export function parseDateTime(text: unknown): number | null {
  if (typeof text !== 'string' || !dateTime.test(text)) return null;
  const ms = Date.parse(text);
  // Date.parse takes February 30 for March 2.
  return Number.isNaN(ms) || formatDateTime(ms) !== text ? null : ms;
}

/** The form that `parseDateTime` reads; parts of a second are cut off. Years 0000 to 9999. */
export function formatDateTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
