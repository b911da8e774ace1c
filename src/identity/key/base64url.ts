/**
 * Base64url without padding, RFC 4648, 5: strictly one text for one sequence of bytes.
 *
 * @module identity/key/base64url
 */

export function toBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url');
}

/** Bytes of a text that encodes exactly `length` of them, or null: other characters, padding, spare bits that are set. */
export function fromBase64url(text: string, length: number): Uint8Array | null {
  if (text.length !== Math.ceil((length * 4) / 3)) return null;
  const bytes = Uint8Array.from(Buffer.from(text, 'base64url'));
  return bytes.length === length && toBase64url(bytes) === text ? bytes : null;
}
