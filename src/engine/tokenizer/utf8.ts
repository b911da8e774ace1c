/**
 * Bytes of token texts. The GGUF reader keeps a byte that is not UTF-8 as the lone surrogate U+DC00 + byte; here it
 * becomes the byte again.
 *
 * @module engine/tokenizer/utf8
 */

const ESCAPE = /[\uDC80-\uDCFF]/;

/** UTF-8 of a token text, with escaped bytes as themselves. */
export function textBytes(text: string): Uint8Array {
  if (text.isWellFormed() || !ESCAPE.test(text)) return new Uint8Array(Buffer.from(text, 'utf8'));
  const parts: Buffer[] = [];
  for (const character of text) {
    const unit = character.charCodeAt(0);
    const escaped = character.length === 1 && unit >= 0xdc80 && unit <= 0xdcff;
    parts.push(escaped ? Buffer.from([unit - 0xdc00]) : Buffer.from(character, 'utf8'));
  }
  return new Uint8Array(Buffer.concat(parts));
}

/** How many bytes at the end of `bytes[0, length)` start a UTF-8 sequence that more bytes could complete (0 to 3). */
export function incompleteTail(bytes: Uint8Array, length: number = bytes.length): number {
  for (let back = 1; back <= 3 && back <= length; back++) {
    const byte = bytes[length - back]!;
    if (byte >= 0x80 && byte <= 0xbf) continue;
    if (byte < 0xc2 || byte > 0xf4) return 0;
    const needed = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    if (back >= needed) return 0;
    if (back >= 2) {
      const second = bytes[length - back + 1]!;
      // Overlong forms, surrogates and code points over U+10FFFF end at the lead byte (Unicode 15, table 3-7).
      if (byte === 0xe0 && second < 0xa0) return 0;
      if (byte === 0xed && second > 0x9f) return 0;
      if (byte === 0xf0 && second < 0x90) return 0;
      if (byte === 0xf4 && second > 0x8f) return 0;
    }
    return back;
  }
  return 0;
}
