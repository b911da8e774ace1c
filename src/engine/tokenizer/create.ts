/**
 * Puts a tokenizer together from GGUF metadata.
 *
 * @module engine/tokenizer/create
 */

import { InputError, LimitError } from '../../base/index.ts';
import type { EncodeOptions, Tokenizer } from '../types.ts';
import { createBytePair } from './byte-pair.ts';
import { MAX_TEXT_UNITS } from './limits.ts';
import type { Steps } from './merge-queue.ts';
import type { Metadata } from './metadata.ts';
import { createPieces } from './pieces.ts';
import { createSentencePiece, type PieceEncoder } from './sentencepiece.ts';
import { createSpecialMatcher, type SpecialMatcher } from './specials.ts';
import { ATTRIBUTE, readVocabulary, type Vocabulary } from './vocabulary.ts';
import { createWordPiece } from './wordpiece.ts';

/** How an encoding is bounded. */
export interface EncodeBounds {
  /** Tokens at most, those that are added around the text included; more throw `tokens_over_limit`. */
  readonly limit?: number;
  /**
   * More tokens than `limit` are cut instead: the first ones stay, the last of them gives way to the token that ends every
   * text where the model adds one.
   */
  readonly cut?: boolean;
}

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
  /**
   * The same tokens in steps of some milliseconds, within bounds.
   *
   * @param restore as for `encodeGuarded`; null for a text without stand-ins.
   * @throws {InputError} `tokens_over_limit` when there are more tokens than the limit; for most such texts at once.
   */
  encodeSteps(
    text: string,
    options: EncodeOptions,
    bounds: EncodeBounds,
    restore: ((piece: string) => string) | null,
  ): Steps<Int32Array>;
}

/** All steps of a work at once. */
export function finish<T>(steps: Steps<T>): T {
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/** Why a text with more tokens than were allowed is refused. How many more is not known: nobody counted. */
export function overLimit(limit: number): InputError {
  return new InputError('tokens_over_limit', `The text has more than ${limit} tokens.`, {
    details: { limit },
  });
}

function pieceEncoder(vocabulary: Vocabulary, metadata: Metadata): PieceEncoder {
  if (vocabulary.kind === 'llama') return createSentencePiece(vocabulary);
  return vocabulary.kind === 'gpt2' ? createBytePair(vocabulary, metadata) : createWordPiece(vocabulary);
}

export function createFullTokenizer(metadata: Metadata): FullTokenizer {
  const vocabulary = readVocabulary(metadata);
  const pieceKind = pieceEncoder(vocabulary, metadata);
  const specials = createSpecialMatcher(vocabulary);
  const pieces = createPieces(vocabulary);
  const { kind, bos, eos, sep } = vocabulary;
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  const strips = vocabulary.attributes.some(
    (attribute) => (attribute & (ATTRIBUTE.stripLeft | ATTRIBUTE.stripRight)) !== 0,
  );

  function* encodeSteps(
    input: string,
    options: EncodeOptions,
    { limit = Number.POSITIVE_INFINITY, cut = false }: EncodeBounds,
    restore: ((piece: string) => string) | null,
  ): Steps<Int32Array> {
    if (input.length > MAX_TEXT_UNITS) {
      throw new LimitError(
        'text_units',
        MAX_TEXT_UNITS,
        `The text has ${input.length} characters; at most ${MAX_TEXT_UNITS} are tokenized in one go.`,
        { status: 413 },
      );
    }
    const text = input.toWellFormed();
    const bounded = !cut && limit !== Number.POSITIVE_INFINITY;
    const refuseOver = (part: string, most: number): void => {
      if (bounded && pieceKind.leastTokens(part, most) > most) throw overLimit(limit);
    };
    // Tokens that take the spaces beside them make any number of characters one token, and stand-ins are longer or
    // shorter than what they stand for.
    if (!strips && restore === null) refuseOver(text, limit);
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
      refuseOver(restored, limit - output.length);
      yield* pieceKind.encode(restored, output, { first, guard: restored !== fragment, limit });
      first = false;
      if (output.length > limit) break;
    }
    const end = !addSpecial ? null : kind === 'bert' ? sep : vocabulary.addEos ? eos : null;
    if (end !== null) output.push(end);
    if (output.length <= limit) return Int32Array.from(output);
    if (!cut) throw overLimit(limit);
    output.length = limit;
    if (end !== null && limit > 0) output[limit - 1] = end;
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
    encode: (text, options = {}) => finish(encodeSteps(text, options, {}, null)),
    encodeGuarded: (text, options, restore) => finish(encodeSteps(text, options, {}, restore)),
    encodeSteps,
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
