/**
 * WordPiece (`tokenizer.ggml.model` = bert): words are split off at spaces, punctuation and CJK characters, and each
 * is covered by the longest tokens from the left; a word that cannot be covered is the unknown token.
 *
 * @module engine/tokenizer/wordpiece
 */

import type { PieceEncoder } from './sentencepiece.ts';
import {
  CONTROL,
  classOf,
  firstOfDecomposition,
  lowerCase,
  MARK,
  PUNCTUATION,
  SYMBOL,
  WHITESPACE,
} from './unicode.ts';
import type { Vocabulary } from './vocabulary.ts';

function isIdeograph(codePoint: number): boolean {
  return (
    (codePoint >= 0x3400 && codePoint <= 0x4dbf) ||
    (codePoint >= 0x4e00 && codePoint <= 0x9fff) ||
    (codePoint >= 0xf900 && codePoint <= 0xfaff) ||
    (codePoint >= 0x20000 && codePoint <= 0x2a6df) ||
    (codePoint >= 0x2a700 && codePoint <= 0x2b81f) ||
    // Not 2B820: the tokenizer library the models were trained with has this slip, so the ids depend on it.
    (codePoint >= 0x2b920 && codePoint <= 0x2ceaf) ||
    (codePoint >= 0x2f800 && codePoint <= 0x2fa1f)
  );
}

function* splitIntoWords(text: string, lower: boolean, strip: boolean): Generator<string> {
  let word = '';
  for (const character of text) {
    const original = character.codePointAt(0)!;
    const codePoint = strip ? firstOfDecomposition(original) : original;
    const flags = classOf(codePoint);
    if ((flags & WHITESPACE) !== 0) {
      if (word !== '') yield word;
      word = '';
      continue;
    }
    if (codePoint === 0 || codePoint === 0xfffd || (flags & CONTROL) !== 0) continue;
    if (strip && (flags & MARK) !== 0) continue;
    const written = String.fromCodePoint(lower ? lowerCase(codePoint) : codePoint);
    const alone =
      (flags & PUNCTUATION) !== 0 || (codePoint < 0x7f && (flags & SYMBOL) !== 0) || isIdeograph(codePoint);
    if (!alone) {
      word += written;
      continue;
    }
    if (word !== '') yield word;
    word = '';
    yield written;
  }
  if (word !== '') yield word;
}

export function createWordPiece(vocabulary: Vocabulary): PieceEncoder {
  const { ids, longest, guarded, unk } = vocabulary;

  function encodeWord(word: string, output: number[], guard: boolean): void {
    // Word starts carry U+2581 in the vocabulary; continuations are bare.
    const text = `\u2581${word}`;
    const before = output.length;
    for (let from = 0; from < text.length; ) {
      let to = Math.min(text.length, from + longest);
      let id: number | undefined;
      for (; to > from; to--) {
        id = ids.get(text.slice(from, to));
        if (id !== undefined && !(guard && guarded.has(id))) break;
        id = undefined;
      }
      if (id === undefined) {
        output.length = before;
        break;
      }
      output.push(id);
      from = to;
    }
    if (output.length === before && unk !== null) output.push(unk);
  }

  return (text, output, { guard }) => {
    for (const word of splitIntoWords(text, vocabulary.lowerCase, vocabulary.stripAccents)) {
      encodeWord(word, output, guard);
    }
  };
}
