/**
 * What a hostile file is, and what they share.
 *
 * @module knowledge/parse/testing/hostile/file
 */
import { zipOf } from '../office.ts';

export interface HostileFile {
  readonly name: string;
  readonly make: () => Uint8Array;
  /** Codes that it may end with; `ok`: a document, perhaps with notes. */
  readonly ends: readonly string[];
}

export const text = (content: string): Uint8Array => Buffer.from(content);
export const TYPED = ['parse_broken', 'parse_too_large', 'parse_unsupported', 'parse_encrypted'];
/** Where the outcome may be either, it must still come in time. */
export const ANY = ['ok', ...TYPED];

export const body =
  'The engine weaves algebraic patterns just as the loom weaves flowers and leaves. '.repeat(20);
export const word = (inner: string): Uint8Array =>
  zipOf({ '[Content_Types].xml': '<Types/>', 'word/document.xml': inner });
