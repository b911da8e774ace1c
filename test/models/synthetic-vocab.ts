/**
 * Small vocabularies made by rule: enough to tokenize any text, with no package to install.
 *
 * @module test/models/synthetic-vocab
 */

import { TOKEN_TYPE } from '../../src/models/import/token-types.ts';
import {
  bool,
  float32s,
  int32s,
  type MetadataEntry,
  string,
  strings,
  uint32,
} from '../../src/models/import/values.ts';

const LETTERS = [...'etaoinshrdlcumwfgypbvkjxqzETAOINSHRDLCUMWFGYPBVKJXQZ0123456789.,!?\'"-:;()'];

/**
 * SentencePiece vocabulary: three specials, 256 bytes, characters, pairs and triples of them, and last the control tokens
 * that are asked for.
 */
export function sentencePieceVocabulary(size: number, control: readonly string[] = []): MetadataEntry[] {
  if (size < 260) throw new Error(`A SentencePiece vocabulary has at least 260 tokens, not ${size}.`);
  const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`);
  const tokens = [
    '<unk>',
    '<s>',
    '</s>',
    ...bytes,
    ...pieces(['\u2581', ...LETTERS], size - 259 - control.length),
    ...control,
  ];
  const types = Int32Array.from(tokens, (_, id) => {
    if (id === 0) return TOKEN_TYPE.unknown;
    if (id < 3 || id >= size - control.length) return TOKEN_TYPE.control;
    return id < 259 ? TOKEN_TYPE.byte : TOKEN_TYPE.normal;
  });
  return [
    ['tokenizer.ggml.model', string('llama')],
    ['tokenizer.ggml.pre', string('default')],
    ['tokenizer.ggml.tokens', strings(tokens)],
    ['tokenizer.ggml.scores', float32s(Float32Array.from(tokens, (_, id) => (id < 259 ? 0 : 259 - id)))],
    ['tokenizer.ggml.token_type', int32s(types)],
    ['tokenizer.ggml.bos_token_id', uint32(1)],
    ['tokenizer.ggml.eos_token_id', uint32(2)],
    ['tokenizer.ggml.unknown_token_id', uint32(0)],
    ['tokenizer.ggml.add_bos_token', bool(true)],
    ['tokenizer.ggml.add_eos_token', bool(false)],
  ];
}

/** WordPiece vocabulary as llama.cpp stores it: five specials, then word starts (U+2581) and continuations. */
export function wordPieceVocabulary(size: number): MetadataEntry[] {
  const lower = LETTERS.filter((letter) => letter === letter.toLowerCase());
  const specials = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
  const minimum = specials.length + 2 * lower.length;
  if (size < minimum) throw new Error(`A WordPiece vocabulary has at least ${minimum} tokens, not ${size}.`);
  const starts = lower.map((letter) => `\u2581${letter}`);
  const rest = pieces(lower, size - minimum + lower.length).slice(lower.length);
  const tokens = [...specials, ...starts, ...lower, ...rest];
  return [
    ['tokenizer.ggml.model', string('bert')],
    ['tokenizer.ggml.pre', string('jina-v2-en')],
    ['tokenizer.ggml.tokens', strings(tokens)],
    [
      'tokenizer.ggml.token_type',
      int32s(Int32Array.from(tokens, (_, id) => (id < 5 ? TOKEN_TYPE.control : TOKEN_TYPE.normal))),
    ],
    ['tokenizer.ggml.bos_token_id', uint32(2)],
    ['tokenizer.ggml.cls_token_id', uint32(2)],
    ['tokenizer.ggml.seperator_token_id', uint32(3)],
    ['tokenizer.ggml.unknown_token_id', uint32(1)],
    ['tokenizer.ggml.padding_token_id', uint32(0)],
    ['tokenizer.ggml.mask_token_id', uint32(4)],
    ['tokenizer.ggml.token_type_count', uint32(2)],
  ];
}

/** The first `count` strings over an alphabet: single characters, then all pairs, then all triples, and so on. */
function pieces(alphabet: readonly string[], count: number): string[] {
  const out: string[] = [];
  let previous = [''];
  while (out.length < count) {
    const longer: string[] = [];
    for (const left of previous) {
      for (const letter of alphabet) {
        if (out.length + longer.length >= count) break;
        longer.push(left + letter);
      }
    }
    out.push(...longer);
    previous = longer;
  }
  return out;
}
