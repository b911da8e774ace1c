/**
 * The byte-level alphabet of GPT-2: every byte is written as one printable character.
 *
 * @module engine/tokenizer/byte-level
 */

const printable = (byte: number): boolean =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;

const characters: string[] = [];
const bytes = new Map<string, number>();
let next = 0x100;
for (let byte = 0; byte < 0x100; byte++) {
  const character = String.fromCharCode(printable(byte) ? byte : next++);
  characters.push(character);
  bytes.set(character, byte);
}

/** Bytes up to which adding strings up is the faster way; of long ones it makes a heap of pieces. */
const SHORT = 256;
const codes = Uint16Array.from(characters, (character) => character.charCodeAt(0));

/** The character of each byte. */
export const BYTES: readonly string[] = characters;

/** Each byte of the UTF-8 of a text as its character. */
export function toByteLevel(text: string): string {
  const utf8 = Buffer.from(text, 'utf8');
  if (utf8.length > SHORT) {
    const out = Buffer.allocUnsafe(utf8.length * 2);
    for (let i = 0; i < utf8.length; i++) out.writeUInt16LE(codes[utf8[i]!]!, i * 2);
    return out.toString('utf16le');
  }
  let out = '';
  for (const byte of utf8) out += characters[byte]!;
  return out;
}

/**
 * Bytes of a byte-level token text. A character outside the alphabet is spelt out as `[UNK_BYTE_0x<hex><text>]`,
 * as llama.cpp does.
 */
export function fromByteLevel(text: string): Uint8Array {
  const parts: Buffer[] = [];
  for (const character of text) {
    const byte = bytes.get(character);
    if (byte !== undefined) parts.push(Buffer.from([byte]));
    else
      parts.push(
        Buffer.from(`[UNK_BYTE_0x${Buffer.from(character, 'utf8').toString('hex')}${text}]`, 'utf8'),
      );
  }
  return new Uint8Array(Buffer.concat(parts));
}
