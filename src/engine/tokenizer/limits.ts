/**
 * Bounds of the tokenizers.
 *
 * @module engine/tokenizer/limits
 */

/** Tokens in a vocabulary. */
export const MAX_VOCABULARY = 4_194_304;
/** Merge rules of a byte-level BPE vocabulary. */
export const MAX_MERGES = 8_388_608;
/** UTF-16 units of a text that is encoded in one call (a million tokens of prose need about five million). */
export const MAX_TEXT_UNITS = 16_777_216;
/** Words whose tokens are remembered, and the longest of them in UTF-16 units. */
export const CACHED_WORDS = 20_000;
export const CACHED_WORD_UNITS = 64;
/** Symbols, pairs or characters a tokenizer looks at between two places where it can pause: some 10 ms of work. */
export const STEP = 8_192;
