/**
 * The bits of a status list and their encoding: W3C "Bitstring Status List v1.0" (Recommendation, 15 May 2025).
 *
 * Index 0 is the most significant bit of byte 0. Encoded: gzip, then multibase `u` (base64url without padding).
 *
 * @module identity/status/bitstring
 */
import { gunzipSync, gzipSync } from 'node:zlib';

/** Fewest entries of a list, so that one entry does not stand out. */
export const STATUS_LIST_ENTRIES = 131_072;
/** Bytes that a list may have when it is unpacked: a small text can be a very long list. */
export const STATUS_LIST_MAX_BYTES = 1_048_576;

export function setBit(bits: Uint8Array, index: number): void {
  bits[index >>> 3]! |= 0x80 >>> (index & 7);
}

/** Null outside the list. */
export function bitAt(bits: Uint8Array, index: number): boolean | null {
  const byte = bits[index >>> 3];
  return byte === undefined ? null : (byte & (0x80 >>> (index & 7))) !== 0;
}

export function encodeBits(bits: Uint8Array): string {
  return `u${gzipSync(bits, { level: 9 }).toString('base64url')}`;
}

/** The bits, or what is wrong. At most `STATUS_LIST_MAX_BYTES` are ever unpacked. */
export function decodeBits(encoded: string): Uint8Array | { readonly fault: string } {
  if (!/^u[\w-]+$/.test(encoded)) return { fault: 'it is not base64url with the prefix u' };
  let bits: Uint8Array;
  try {
    bits = gunzipSync(Buffer.from(encoded.slice(1), 'base64url'), { maxOutputLength: STATUS_LIST_MAX_BYTES });
  } catch (error) {
    const large = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    return { fault: large ? `it unpacks to more than ${STATUS_LIST_MAX_BYTES} bytes` : 'it is not gzip' };
  }
  if (bits.length * 8 < STATUS_LIST_ENTRIES)
    return { fault: `it has ${bits.length * 8} entries, and ${STATUS_LIST_ENTRIES} are the fewest` };
  return bits;
}
