/**
 * SentencePiece BPE (`tokenizer.ggml.model` = llama): pairs that form a token are joined, highest score first; what
 * forms no token is written as bytes.
 *
 * @module engine/tokenizer/sentencepiece
 */

import { mergeSymbols, type RankOf } from './merge-queue.ts';
import { textBytes } from './utf8.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Encodes one piece of text without special tokens in it; spaces are still spaces. */
export type PieceEncoder = (text: string, output: number[], options: PieceOptions) => void;

export interface PieceOptions {
  /** The piece follows a special token or the start. */
  readonly first: boolean;
  /** No control token may come out, even if its text can be merged. */
  readonly guard: boolean;
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
  return (text, output, { first, guard }) => {
    const escaped = (first && vocabulary.addSpacePrefix ? ` ${text}` : text).replaceAll(' ', '\u2581');
    mergeSymbols(escaped, guard ? guardedRank : rank, (start, end) => {
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
  };
}
