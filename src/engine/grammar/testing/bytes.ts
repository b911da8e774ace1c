/**
 * Grammars over a vocabulary of the 256 bytes: every text is tokens.
 *
 * @module engine/grammar/testing/bytes
 */
import type { Random } from '../../../base/index.ts';
import type { Grammar } from '../../types.ts';
import { createGrammars } from '../cache.ts';

const END = 256;
export const byteTokenizer = {
  size: 257,
  eog: new Set([END]),
  bytes: (token: number): Uint8Array => (token === END ? new Uint8Array(0) : Uint8Array.of(token)),
};
const grammars = createGrammars(byteTokenizer, END + 1);

/** Whether the grammar takes the text, and whether it is whole then. */
export function reads(grammar: Grammar, text: string): 'no' | 'begun' | 'whole' {
  const matcher = grammars.matcher(grammar);
  const logits = new Float32Array(END + 1);
  for (const byte of Buffer.from(text)) {
    logits.fill(0);
    matcher.mask(logits);
    if (logits[byte] !== 0) return 'no';
    matcher.accept(byte);
  }
  return matcher.complete ? 'whole' : 'begun';
}

/** A text of the grammar, byte by byte at random; null when it is not whole after `most` bytes. */
export function writes(grammar: Grammar, random: Random, most: number): string | null {
  const matcher = grammars.matcher(grammar);
  const logits = new Float32Array(END + 1);
  const text: number[] = [];
  while (text.length < most) {
    logits.fill(0);
    matcher.mask(logits);
    const allowed: number[] = [];
    for (let byte = 0; byte <= END; byte++) if (logits[byte] === 0) allowed.push(byte);
    // What closes something comes more often than its share, or texts would not end.
    const closing = allowed.filter((byte) => byte === END || '"]}'.includes(String.fromCharCode(byte)));
    const from = closing.length > 0 && random.float() < 0.3 ? closing : allowed;
    const chosen = from[Math.floor(random.float() * from.length)]!;
    if (chosen === END) return Buffer.from(text).toString();
    matcher.accept(chosen);
    text.push(chosen);
    if (matcher.ended) return Buffer.from(text).toString();
  }
  return null;
}
