/**
 * Byte-level BPE (`tokenizer.ggml.model` = gpt2): the text is cut into words, and in each word the pair that comes
 * first in the merge list is joined until none is left.
 *
 * @module engine/tokenizer/byte-pair
 */

import { BYTES, toByteLevel } from './byte-level.ts';
import { createByteLeast, createUnitLeast, type Least } from './least.ts';
import { CACHED_WORD_UNITS, CACHED_WORDS, MAX_MERGES, STEP } from './limits.ts';
import { mergeSymbols, type RankOf, type Steps } from './merge-queue.ts';
import { invalidTokenizer, type Metadata, stringsOf } from './metadata.ts';
import { byteTokens, type PieceEncoder, type PieceOptions } from './sentencepiece.ts';
import { splitWords } from './split.ts';
import { textBytes } from './utf8.ts';
import type { Vocabulary } from './vocabulary.ts';

/** `left right` (as the file writes it) to its place in the list; a pair that is listed twice keeps the first. */
function readMerges(metadata: Metadata, required: boolean): { ranks: Map<string, number>; longest: number } {
  const key = 'tokenizer.ggml.merges';
  const merges = stringsOf(metadata, key, MAX_MERGES);
  if (merges === undefined && required) throw invalidTokenizer(`The model file has no ${key}.`, key);
  const ranks = new Map<string, number>();
  let longest = 0;
  for (const [rank, merge] of (merges ?? []).entries()) {
    // No second half: nothing to join.
    if (merge.indexOf(' ', 1) < 0 || ranks.has(merge)) continue;
    ranks.set(merge, rank);
    if (merge.length > longest) longest = merge.length;
  }
  return { ranks, longest: longest - 1 };
}

export function createBytePair(vocabulary: Vocabulary, metadata: Metadata): PieceEncoder {
  const { ids, guarded } = vocabulary;
  const pre = vocabulary.pre!;
  const plain = pre.plainText === true;
  // Kimi K2 files may come without merges.
  const isKimi = metadata.get('tokenizer.ggml.pre')?.value === 'kimi-k2';
  const { ranks, longest } = readMerges(metadata, !isKimi);
  const hexBytes = plain ? byteTokens(ids) : null;
  let cache = new Map<string, Int32Array>();

  const rank: RankOf = (text, left, middle, right) => {
    if (right - left > longest) return Number.NaN;
    return ranks.get(`${text.slice(left, middle)} ${text.slice(middle, right)}`) ?? Number.NaN;
  };

  function pushSymbol(symbol: string, output: number[], guard: boolean): void {
    const id = ids.get(symbol);
    if (id !== undefined && !(guard && guarded.has(id))) {
      output.push(id);
      return;
    }
    if (hexBytes !== null) {
      for (const byte of textBytes(symbol)) if (hexBytes[byte]! >= 0) output.push(hexBytes[byte]!);
      return;
    }
    // The reference looks each byte of the symbol up as a text of its own: ASCII characters can be found that way.
    for (const character of symbol) {
      const single = character < '\x80' || guard ? ids.get(character) : undefined;
      if (single !== undefined && !(guard && guarded.has(single))) output.push(single);
    }
  }

  /** Whatever words can become has a token, so that no part of a text gets lost. */
  function isComplete(): boolean {
    for (const merge of ranks.keys()) {
      const space = merge.indexOf(' ', 1);
      if (!ids.has(merge.slice(0, space) + merge.slice(space + 1))) return false;
    }
    if (hexBytes !== null) return hexBytes.every((token) => token >= 0);
    return BYTES.every((byte) => ids.has(byte));
  }
  let least: Least | null | undefined;
  function leastTokens(text: string, enough: number): number {
    if (least === undefined)
      least = !isComplete() ? null : plain ? createUnitLeast(vocabulary) : createByteLeast(vocabulary);
    return least === null ? 0 : least(text, enough);
  }

  function* encodeWord(raw: string, output: number[], guard: boolean): Steps<void> {
    const word = plain ? raw : toByteLevel(raw);
    const whole = pre.ignoreMerges === true || (pre.wholeNewlines === true && /^\n+$/.test(word));
    if (whole) {
      const id = ids.get(word);
      if (id !== undefined && !(guard && guarded.has(id))) {
        output.push(id);
        return;
      }
    }
    yield* mergeSymbols(word, rank, (start, end) => pushSymbol(word.slice(start, end), output, guard));
  }

  function* encode(text: string, output: number[], { guard, limit }: PieceOptions): Steps<void> {
    const escaped = vocabulary.escapeSpaces ? text.replaceAll(' ', '\u2581') : text;
    let start = 0;
    let paused = 0;
    for (const end of yield* splitWords(escaped, pre.steps)) {
      if (output.length > limit) return;
      if (end - paused >= STEP) {
        paused = end;
        yield;
      }
      const word = escaped.slice(start, end);
      start = end;
      if (guard || word.length > CACHED_WORD_UNITS) {
        yield* encodeWord(word, output, guard);
        continue;
      }
      let tokens = cache.get(word);
      if (tokens === undefined) {
        const fresh: number[] = [];
        yield* encodeWord(word, fresh, false);
        tokens = Int32Array.from(fresh);
        // Words repeat in runs, so starting over now and then costs little and bounds the memory.
        if (cache.size >= CACHED_WORDS) cache = new Map();
        cache.set(word, tokens);
      }
      for (const token of tokens) output.push(token);
    }
  }
  return { encode, leastTokens };
}
