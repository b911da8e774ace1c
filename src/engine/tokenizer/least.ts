/**
 * A lower bound of the number of tokens of a text, from its characters alone: enough to refuse most texts that are far too
 * long before any of it is tokenized.
 *
 * A token that covers a character is at most as long as the longest token with this character in it. So each character
 * counts as one part in that many, and the parts under one token never add up to more than one.
 *
 * @module engine/tokenizer/least
 */

import { BYTES } from './byte-level.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Tokens of a text at least; it stops above `enough`. Holds where every part of a text becomes at least one token. */
export type Least = (text: string, enough: number) => number;

/** By UTF-16 unit: units of the longest token that has it, at least 1. */
function longestWith({ texts }: Vocabulary): Uint32Array {
  const longest = new Uint32Array(0x10000).fill(1);
  for (const text of texts) {
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (text.length > longest[unit]!) longest[unit] = text.length;
    }
  }
  return longest;
}

/** @param parts by UTF-16 unit of a text: what it adds. */
function createLeast(parts: Float64Array): Least {
  return (text, enough) => {
    let sum = 0;
    // One more: sums of fractions are a little off.
    for (let i = 0; i < text.length && sum <= enough + 1; i++) sum += parts[text.charCodeAt(i)]!;
    return Math.max(0, Math.ceil(sum - 1));
  };
}

/** For tokens that are written as the text is, with U+2581 for spaces. */
export function createUnitLeast(vocabulary: Vocabulary): Least {
  const longest = longestWith(vocabulary);
  const parts = Float64Array.from(longest, (length) => 1 / length);
  parts[0x20] = Math.min(parts[0x20]!, parts[0x2581]!);
  return createLeast(parts);
}

/** For tokens in the byte-level alphabet. */
export function createByteLeast(vocabulary: Vocabulary): Least {
  const longest = longestWith(vocabulary);
  const parts = new Float64Array(0x10000);
  let high = 1;
  for (const [byte, character] of BYTES.entries()) {
    const length = longest[character.charCodeAt(0)]!;
    if (byte < 0x80) parts[byte] = 1 / length;
    else high = Math.max(high, length);
  }
  for (let unit = 0x80; unit < 0x10000; unit++) {
    // UTF-8 bytes of the unit, half a surrogate pair's four.
    const isHalf = unit >= 0xd800 && unit <= 0xdfff;
    parts[unit] = (unit < 0x800 || isHalf ? 2 : 3) / high;
  }
  return createLeast(parts);
}
