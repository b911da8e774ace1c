/**
 * Puts a tokenizer together from GGUF metadata.
 *
 * @module engine/tokenizer/create
 */

import { LimitError } from '../../base/index.ts';
import type { EncodeOptions, Tokenizer } from '../types.ts';
import { createBytePair } from './byte-pair.ts';
import { MAX_TEXT_UNITS } from './limits.ts';
import type { Metadata } from './metadata.ts';
import { createPieces } from './pieces.ts';
import { createSentencePiece, type PieceEncoder } from './sentencepiece.ts';
import { createSpecialMatcher, type SpecialMatcher } from './specials.ts';
import { readVocabulary, type Vocabulary } from './vocabulary.ts';
import { createWordPiece } from './wordpiece.ts';

/** A tokenizer with what the text thread needs besides: the vocabulary and guarded encoding. */
export interface FullTokenizer extends Tokenizer {
  readonly vocabulary: Vocabulary;
  readonly specials: SpecialMatcher;
  /**
   * Encodes a text in which some special-token texts must stay text: each has its first character replaced by a
   * stand-in, so that it is not recognised. `restore` puts the characters back in a piece of text; no control
   * token comes out of a piece it changed.
   */
  encodeGuarded(text: string, options: EncodeOptions, restore: (piece: string) => string): Int32Array;
}

function pieceEncoder(vocabulary: Vocabulary, metadata: Metadata): PieceEncoder {
  if (vocabulary.kind === 'llama') return createSentencePiece(vocabulary);
  return vocabulary.kind === 'gpt2' ? createBytePair(vocabulary, metadata) : createWordPiece(vocabulary);
}

export function createFullTokenizer(metadata: Metadata): FullTokenizer {
  const vocabulary = readVocabulary(metadata);
  const encodePiece = pieceEncoder(vocabulary, metadata);
  const specials = createSpecialMatcher(vocabulary);
  const pieces = createPieces(vocabulary);
  const { kind, bos, eos, sep } = vocabulary;
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  function encodeGuarded(
    input: string,
    options: EncodeOptions,
    restore: ((piece: string) => string) | null,
  ): Int32Array {
    if (input.length > MAX_TEXT_UNITS) {
      throw new LimitError(
        'text_units',
        MAX_TEXT_UNITS,
        `The text has ${input.length} characters; at most ${MAX_TEXT_UNITS} are tokenized in one go.`,
        { status: 413 },
      );
    }
    const text = input.toWellFormed();
    const addSpecial = options.addSpecial ?? true;
    const output: number[] = [];
    if (addSpecial && bos !== null && (vocabulary.addBos || kind === 'bert')) output.push(bos);
    let first = true;
    for (const fragment of specials.partition(text, options.parseSpecial ?? false)) {
      if (typeof fragment === 'number') {
        output.push(fragment);
        first = true;
        continue;
      }
      const restored = restore === null ? fragment : restore(fragment);
      encodePiece(restored, output, { first, guard: restored !== fragment });
      first = false;
    }
    if (addSpecial && kind === 'bert' && sep !== null) output.push(sep);
    if (addSpecial && kind !== 'bert' && vocabulary.addEos && eos !== null) output.push(eos);
    return Int32Array.from(output);
  }

  return {
    kind,
    size: vocabulary.texts.length,
    bos,
    eos,
    eog: vocabulary.eog,
    vocabulary,
    specials,
    encode: (text, options = {}) => encodeGuarded(text, options, null),
    encodeGuarded,
    bytes: (token, special = false) => pieces.bytes(token, special),
    decode: (tokens, options = {}) => decoder.decode(pieces.join(tokens, options.special ?? false)),
  };
}

/**
 * Makes the tokenizer a GGUF describes. Ids are those of llama.cpp for the same file.
 *
 * @throws {InputError} `tokenizer_unsupported` for a kind or pre-tokenizer that is not written here;
 * `tokenizer_invalid` for metadata that is missing or of the wrong type.
 */
export function createTokenizer(metadata: Metadata): Tokenizer {
  return createFullTokenizer(metadata);
}
