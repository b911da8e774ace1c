/**
 * WordPiece (`tokenizer.ggml.model` = bert): words are split off at spaces, punctuation and CJK characters, and each
 * is covered by the longest tokens from the left; a word that cannot be covered is the unknown token.
 *
 * @module engine/tokenizer/wordpiece
 */

import { STEP } from './limits.ts';
import type { Steps } from './merge-queue.ts';
import type { PieceEncoder, PieceOptions } from './sentencepiece.ts';
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

/** The words; null now and then in between, so that a long word can be left for a while. */
function* splitIntoWords(text: string, lower: boolean, strip: boolean): Generator<string | null> {
  let word = '';
  let looked = 0;
  for (const character of text) {
    if (++looked % STEP === 0) yield null;
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

/** What one UTF-16 unit is to the tokens of a vocabulary. */
interface UnitFacts {
  /** Units of the longest token that starts with it; 0 = none does. */
  readonly longestFrom: Uint16Array;
  /** 1 = it stands in a token. */
  readonly known: Uint8Array;
  /** 1 = it is a token by itself. */
  readonly alone: Uint8Array;
}

function unitFacts({ texts }: Vocabulary): UnitFacts {
  const longestFrom = new Uint16Array(0x10000);
  const known = new Uint8Array(0x10000);
  const alone = new Uint8Array(0x10000);
  for (const text of texts) {
    const first = text.charCodeAt(0);
    longestFrom[first] = Math.max(longestFrom[first]!, Math.min(text.length, 0xffff));
    if (text.length === 1) alone[first] = 1;
    for (let i = 0; i < text.length; i++) known[text.charCodeAt(i)] = 1;
  }
  return { longestFrom, known, alone };
}

export function createWordPiece(vocabulary: Vocabulary): PieceEncoder {
  const { ids, guarded, unk } = vocabulary;
  let facts: UnitFacts | undefined;

  /** Whether tokens cover what is left of a word, where its characters alone tell; null where they do not. */
  function isCovered(text: string, from: number, { known, alone }: UnitFacts): boolean | null {
    let sure = true;
    for (let i = from; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (known[unit] === 0) return false;
      if (alone[unit] === 0) sure = false;
    }
    return sure ? true : null;
  }

  function* encodeWord(
    word: string,
    output: number[],
    { guard, limit }: Pick<PieceOptions, 'guard' | 'limit'>,
  ): Steps<void> {
    facts ??= unitFacts(vocabulary);
    // Word starts carry U+2581 in the vocabulary; continuations are bare.
    const text = `\u2581${word}`;
    const before = output.length;
    let asked = false;
    let steps = 0;
    for (let from = 0; from < text.length; ) {
      if (++steps % STEP === 0) yield;
      if (output.length > limit && !asked) {
        // A character further on that no token covers would make all of it one unknown token.
        asked = true;
        const covered = isCovered(text, from, facts);
        if (covered === true) return;
        if (covered === false) {
          output.length = before;
          break;
        }
      }
      let to = Math.min(text.length, from + facts.longestFrom[text.charCodeAt(from)]!);
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

  return {
    *encode(text, output, options) {
      for (const word of splitIntoWords(text, vocabulary.lowerCase, vocabulary.stripAccents)) {
        if (word === null) yield;
        else yield* encodeWord(word, output, options);
        if (output.length > options.limit) return;
      }
    },
    // Any number of characters can be one unknown token.
    leastTokens: () => 0,
  };
}
