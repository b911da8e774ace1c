/**
 * SentencePiece BPE (`tokenizer.ggml.model` = llama): pairs that form a token are joined, highest score first; what
 * forms no token is written as bytes.
 *
 * @module engine/tokenizer/sentencepiece
 */

import { createUnitLeast, type Least } from './least.ts';
import { STEP } from './limits.ts';
import { mergeSymbols, type RankOf, type Steps } from './merge-queue.ts';
import { textBytes } from './utf8.ts';
import type { Vocabulary } from './vocabulary.ts';

/** How a kind of tokenizer treats pieces of text without special tokens in them; spaces are still spaces. */
export interface PieceEncoder {
  /** Appends the tokens of a piece. May stop as soon as `output` has more than `limit`: what it has is right. */
  encode(text: string, output: number[], options: PieceOptions): Steps<void>;
  /**
   * Tokens a text has at least, without tokenizing it; 0 when nothing is known. It stops counting above `enough`.
   * A part of a text never has more than the whole.
   */
  leastTokens(text: string, enough: number): number;
}

export interface PieceOptions {
  /** The piece follows a special token or the start. */
  readonly first: boolean;
  /** No control token may come out, even if its text can be merged. */
  readonly guard: boolean;
  readonly limit: number;
}

/** Ids of `<0xNN>`, or of the byte itself; -1 where the vocabulary has neither. */
export function byteTokens(ids: ReadonlyMap<string, number>): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => {
    const written = ids.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
    const plain = byte < 0x80 ? String.fromCharCode(byte) : String.fromCharCode(0xdc00 + byte);
    return written ?? ids.get(plain) ?? -1;
  });
}

export function createSentencePiece(vocabulary: Vocabulary): PieceEncoder {
  const { ids, scores, longest, guarded, unk } = vocabulary;
  const bytes = byteTokens(ids);
  const rank: RankOf = (text, left, _middle, right) => {
    if (right - left > longest) return Number.NaN;
    const id = ids.get(text.slice(left, right));
    return id === undefined ? Number.NaN : -scores[id]!;
  };
  const guardedRank: RankOf = (text, left, _middle, right) => {
    if (right - left > longest) return Number.NaN;
    const id = ids.get(text.slice(left, right));
    return id === undefined || guarded.has(id) ? Number.NaN : -scores[id]!;
  };
  let isInside: PairTest | undefined;

  function* encode(text: string, output: number[], { first, guard, limit }: PieceOptions): Steps<void> {
    const escaped = (first && vocabulary.addSpacePrefix ? ` ${text}` : text).replaceAll(' ', '\u2581');
    if (escaped.length <= STEP) {
      yield* merge(escaped, output, guard);
      return;
    }
    isInside ??= pairsInTokens(vocabulary);
    let start = 0;
    for (let end = 1; end <= escaped.length; end++) {
      const isEnd = end === escaped.length;
      if (!isEnd) {
        if (end - start < STEP) continue;
        if (isInside(escaped.charCodeAt(end - 1), escaped.charCodeAt(end))) continue;
      }
      yield* merge(escaped.slice(start, end), output, guard);
      if (output.length > limit) return;
      start = end;
      yield;
    }
  }

  function* merge(escaped: string, output: number[], guard: boolean): Steps<void> {
    yield* mergeSymbols(escaped, guard ? guardedRank : rank, (start, end) => {
      const symbol = escaped.slice(start, end);
      const id = ids.get(symbol);
      if (id !== undefined && !(guard && guarded.has(id))) {
        output.push(id);
        return;
      }
      for (const byte of textBytes(symbol)) {
        const token = bytes[byte]!;
        if (token >= 0) output.push(token);
        else if (unk !== null) output.push(unk);
      }
    });
  }

  const complete = unk !== null || bytes.every((token) => token >= 0);
  let least: Least | undefined;
  return {
    encode,
    leastTokens(text, enough) {
      if (!complete) return 0;
      least ??= createUnitLeast(vocabulary);
      return least(text, enough);
    },
  };
}

type PairTest = (left: number, right: number) => boolean;

const PAIR_BITS = 22;

/**
 * Tells whether two neighbouring UTF-16 units may stand inside one token. Where they do not, no merge ever crosses, so
 * the text on both sides can be merged by itself. Units share bits: it can say yes too often, never no.
 */
function pairsInTokens({ texts }: Vocabulary): PairTest {
  const bits = new Uint32Array(2 ** (PAIR_BITS - 5));
  const placeOf = (left: number, right: number): number =>
    Math.imul((left << 16) | right, 0x9e3779b1) >>> (32 - PAIR_BITS);
  for (const text of texts) {
    for (let i = 1; i < text.length; i++) {
      const place = placeOf(text.charCodeAt(i - 1), text.charCodeAt(i));
      bits[place >>> 5]! |= 1 << (place & 31);
    }
  }
  return (left, right) => {
    // Between the halves of one character there is no end of a symbol.
    if (left >= 0xd800 && left <= 0xdbff && right >= 0xdc00 && right <= 0xdfff) return true;
    const place = placeOf(left, right);
    return (bits[place >>> 5]! & (1 << (place & 31))) !== 0;
  };
}
