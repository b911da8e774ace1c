/**
 * A prompt as numbers, without a model: hashed words and pairs of words ("feature hashing", Weinberger et al. 2009),
 * and the shape of the text. One pass over at most 8,000 characters and no garbage but the result.
 *
 * Labels and weights on disk are made of these numbers: a change of their meaning needs a migration that drops both.
 *
 * @module gateway/router/features
 */
import type { Features, RouterPrompt } from './types.ts';

export const BUCKETS = 1 << 15;
export const SHAPE_COUNT = 11;

const HEAD_CHARACTERS = 6000;
const TAIL_CHARACTERS = 2000;

/** Occurrences by bucket of the text at hand; zero outside of `extractFeatures`. */
const counts = new Uint16Array(BUCKETS);
const seen = new Uint16Array(2 * (HEAD_CHARACTERS + TAIL_CHARACTERS));

const OTHER = 0;
const LETTER = 1;
const DIGIT = 2;
const OPERATOR = 3;
const SPACE = 4;
const kinds = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  if (/[a-zA-Z]/.test(character)) return LETTER;
  if (/\d/.test(character)) return DIGIT;
  if (/[-+*/=<>^%|&~\\_{}[\]()]/.test(character)) return OPERATOR;
  return /\s/.test(character) ? SPACE : OTHER;
});

/** The murmur3 finaliser: the words' hashes are made of few steps each, and its buckets need every bit mixed. */
function bucketOf(hash: number): number {
  let word = hash ^ (hash >>> 16);
  word = Math.imul(word, 0x85ebca6b);
  word ^= word >>> 13;
  word = Math.imul(word, 0xc2b2ae35);
  return (word ^ (word >>> 16)) & (BUCKETS - 1);
}

export function extractFeatures(prompt: RouterPrompt, vector: Float32Array | null = null): Features {
  const { text } = prompt;
  const { length } = text;
  const cut = length > HEAD_CHARACTERS + TAIL_CHARACTERS;
  let distinct = 0;
  const count = (hash: number): void => {
    const bucket = bucketOf(hash);
    if (counts[bucket]!++ === 0) seen[distinct++] = bucket;
  };

  let letters = 0;
  let upper = 0;
  let digits = 0;
  let operators = 0;
  let lines = 0;
  let foreign = 0;
  let questions = 0;
  let words = 0;
  let read = 0;
  let previous = 0;
  let word = 0;
  let inWord = false;
  const part = (from: number, to: number): void => {
    for (let at = from; at < to; at++) {
      let code = text.charCodeAt(at);
      let kind = LETTER;
      if (code < 128) {
        kind = kinds[code]!;
        if (kind === DIGIT) digits++;
        else if (kind === OPERATOR) operators++;
        else if (code === 10) lines++;
        else if (code === 63) questions++;
        else if (kind === LETTER) {
          letters++;
          if (code < 97) {
            upper++;
            code += 32;
          }
        }
      } else foreign++;
      if (kind === LETTER || kind === DIGIT) {
        word = inWord ? Math.imul(word ^ code, 0x01000193) : Math.imul(0x811c9dc5 ^ code, 0x01000193);
        inWord = true;
        continue;
      }
      if (inWord) endWord();
      // Signs are words too: what is written with them tells code and formulas from prose.
      if (kind === OPERATOR) {
        word = Math.imul(0x9e3779b9 ^ code, 0x01000193);
        endWord();
      }
    }
    read += to - from;
    if (inWord) endWord();
  };
  const endWord = (): void => {
    words++;
    count(word);
    if (previous !== 0) count(Math.imul(previous, 0x9e3779b1) ^ word);
    previous = word;
    inWord = false;
  };
  if (cut) {
    part(0, HEAD_CHARACTERS);
    previous = 0;
    part(length - TAIL_CHARACTERS, length);
  } else part(0, length);

  const terms = seen.slice(0, distinct);
  const weights = new Float32Array(distinct);
  let norm = 0;
  for (let at = 0; at < distinct; at++) {
    const weight = 1 + Math.log(counts[terms[at]!]!);
    counts[terms[at]!] = 0;
    weights[at] = weight;
    norm += weight * weight;
  }
  const scale = norm === 0 ? 0 : 1 / Math.sqrt(norm);
  for (let at = 0; at < distinct; at++) weights[at] = weights[at]! * scale;

  const per = 1 / Math.max(1, read);
  return {
    terms,
    weights,
    shape: Float32Array.of(
      Math.log1p(length) / 5 - 1,
      Math.log1p(words) / 4 - 1,
      (letters + foreign) / Math.max(1, words) / 5 - 1,
      digits * per * 10,
      operators * per * 10,
      Math.log1p(lines) / 2,
      foreign * per * 10,
      upper * per * 10,
      Math.log1p(questions),
      Math.log1p(prompt.depth) / 2,
      Math.log1p(prompt.tools) / 2,
    ),
    vector,
  };
}
