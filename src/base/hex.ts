/**
 * Bytes and hexadecimal text. Plain arrays: a Buffer would share its pool's memory and compare unlike them.
 *
 * @module base/hex
 */

/** Bytes of text that is known to be hexadecimal: what does not fit ends the bytes. */
export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

/** Lower case. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
