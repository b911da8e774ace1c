/**
 * What readers of signed statements in canonical JSON (RFC 8785) share: a statement is taken when its bytes are one to the last bit.
 *
 * @module identity/key/statement
 */
import { canonicalBytes, isKithError } from '../../base/index.ts';
import { didOf, publicKeyOfDid } from './names.ts';

export interface StatementReader {
  /** What the bytes say. */
  json(bytes: Uint8Array): unknown;
  /** Doubled keys, white space and numbers beyond 2^53 vanish in parsing: only bytes that come back the same were read whole. */
  requireCanonical(parsed: unknown, bytes: Uint8Array): void;
  /** Public key of a `did:key` in its one form. */
  keyOf(did: string): Uint8Array;
}

/** @param invalid what is thrown where the bytes are no statement, and why in words */
export function statementReader(invalid: (why: string, cause?: unknown) => Error): StatementReader {
  return {
    json(bytes) {
      try {
        return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
      } catch (error) {
        throw invalid('it is no JSON', error);
      }
    },
    requireCanonical(parsed, bytes) {
      if (Buffer.compare(canonicalBytes(parsed), bytes) !== 0) throw invalid('it is not canonical JSON');
    },
    keyOf(did) {
      try {
        const key = publicKeyOfDid(did);
        if (didOf(key) === did) return key;
      } catch (error) {
        if (!isKithError(error)) throw error;
        throw invalid(error.message, error);
      }
      throw invalid('it names a key by something else than a did:key');
    },
  };
}
