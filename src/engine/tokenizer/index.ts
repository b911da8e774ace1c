/**
 * Text to token ids and back, from GGUF metadata, with the ids llama.cpp gives: SentencePiece BPE, byte-level BPE
 * and WordPiece. Pure functions of the metadata; nothing native, no files.
 *
 * @module engine/tokenizer
 */

export {
  createFullTokenizer,
  createTokenizer,
  type EncodeBounds,
  type FullTokenizer,
  finish,
  overLimit,
} from './create.ts';
export { MAX_TEXT_UNITS } from './limits.ts';
export type { Steps } from './merge-queue.ts';
export { PRE_TOKENIZERS } from './patterns.ts';
export { createTextStream, type TextChunk, type TextStream, type TextStreamOptions } from './stream.ts';
