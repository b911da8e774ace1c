/**
 * Hugging Face tokenizer files to `tokenizer.*` metadata of a GGUF. Three kinds: byte-level BPE (`gpt2`),
 * SentencePiece-like BPE with byte fallback (`llama`) and WordPiece (`bert`).
 *
 * @module models/import/tokenizer-json
 */

import { InputError } from '../../base/index.ts';
import { describe, isObject, type JsonObject } from './json.ts';
import { detectPreTokenizer } from './pre-tokenizer.ts';
import {
  addedAround,
  chatTemplate,
  type SpecialRole,
  specialId,
  type TokenizerFiles,
} from './special-tokens.ts';
import { TOKEN_TYPE } from './token-types.ts';
import { bool, float32s, int32s, type MetadataEntry, string, strings, uint32 } from './values.ts';

const MAX_VOCAB = 2_000_000;
const MAX_MERGES = 4_000_000;
const MAX_TOKEN_LENGTH = 4096;

interface Vocabulary {
  /** Text of every id; holes are filled with unused placeholders. */
  readonly tokens: string[];
  readonly types: Int32Array;
  readonly ids: ReadonlyMap<string, number>;
}

/**
 * @param rows number of rows of the embedding; a vocabulary that is smaller is padded with unused tokens
 * @throws InputError `tokenizer_unsupported` for a kind that GGUF cannot express, `tokenizer_vocab` for damaged
 *   tables, `tokenizer_pre` for an unknown splitting rule
 */
export function tokenizerMetadata(files: TokenizerFiles, rows: number): MetadataEntry[] {
  const model = files.tokenizer.model;
  if (!isObject(model)) throw new InputError('tokenizer_unsupported', 'tokenizer.json has no model section.');
  // Old files leave out the type; a list of merges is BPE.
  const type = model.type ?? (Array.isArray(model.merges) ? 'BPE' : undefined);
  if (type === 'WordPiece') return wordPiece(files, model, rows);
  if (type === 'BPE' && isByteLevel(files.tokenizer)) return byteLevelBpe(files, model, rows);
  if (type === 'BPE' && model.byte_fallback === true) return sentencePieceBpe(files, model, rows);
  throw new InputError(
    'tokenizer_unsupported',
    `tokenizer.json is of type ${describe(type)}${type === 'BPE' ? ' without byte-level or byte-fallback coding' : ''}; byte-level BPE, BPE with byte fallback and WordPiece can be imported.`,
  );
}

function isByteLevel(tokenizer: JsonObject): boolean {
  const has = (step: unknown, depth: number): boolean => {
    if (!isObject(step) || depth > 4) return false;
    if (step.type === 'ByteLevel') return true;
    const inner = step.pretokenizers ?? step.decoders;
    return Array.isArray(inner) && inner.some((one) => has(one, depth + 1));
  };
  return has(tokenizer.pre_tokenizer, 0) || has(tokenizer.decoder, 0);
}

function byteLevelBpe(files: TokenizerFiles, model: JsonObject, rows: number): MetadataEntry[] {
  const vocabulary = readVocabulary(files.tokenizer, model, rows);
  return [
    ['tokenizer.ggml.model', string('gpt2')],
    ['tokenizer.ggml.pre', string(detectPreTokenizer(files.tokenizer))],
    ['tokenizer.ggml.tokens', strings(vocabulary.tokens)],
    ['tokenizer.ggml.token_type', int32s(vocabulary.types)],
    ['tokenizer.ggml.merges', strings(readMerges(model).map(([a, b]) => `${a} ${b}`))],
    ...specials(files, vocabulary, ['bos', 'eos', 'unk', 'pad']),
  ];
}

function sentencePieceBpe(files: TokenizerFiles, model: JsonObject, rows: number): MetadataEntry[] {
  const vocabulary = readVocabulary(files.tokenizer, model, rows);
  const unknown = typeof model.unk_token === 'string' ? vocabulary.ids.get(model.unk_token) : undefined;
  for (const [id, token] of vocabulary.tokens.entries()) {
    if (/^<0x[0-9A-F]{2}>$/.test(token)) vocabulary.types[id] = TOKEN_TYPE.byte;
    else if (id === unknown) vocabulary.types[id] = TOKEN_TYPE.unknown;
  }
  const scores = mergeScores(vocabulary, readMerges(model));
  return [
    ['tokenizer.ggml.model', string('llama')],
    ['tokenizer.ggml.pre', string('default')],
    ['tokenizer.ggml.tokens', strings(vocabulary.tokens)],
    ['tokenizer.ggml.scores', float32s(scores)],
    ['tokenizer.ggml.token_type', int32s(vocabulary.types)],
    ['tokenizer.ggml.add_space_prefix', bool(addsSpacePrefix(files.tokenizer))],
    ...specials(files, vocabulary, ['bos', 'eos', 'unk', 'pad']),
  ];
}

/**
 * SentencePiece merges the pair with the best score, tokenizer.json the pair listed first: a token's score is the
 * negated rank of the merge that makes it. Tokens that no merge makes come after all of those.
 */
function mergeScores(vocabulary: Vocabulary, merges: readonly (readonly [string, string])[]): Float32Array {
  const scores = new Float32Array(vocabulary.tokens.length).fill(-merges.length);
  for (let rank = merges.length - 1; rank >= 0; rank--) {
    const [left, right] = merges[rank] as readonly [string, string];
    const id = vocabulary.ids.get(left + right);
    if (id !== undefined) scores[id] = -rank;
  }
  for (const [id, type] of vocabulary.types.entries()) if (type !== TOKEN_TYPE.normal) scores[id] = 0;
  return scores;
}

/** Whether a space is put before the text: by Metaspace, or by a Prepend step of the normalizer. */
function addsSpacePrefix(tokenizer: JsonObject): boolean {
  const pre = tokenizer.pre_tokenizer;
  if (isObject(pre) && pre.type === 'Metaspace') {
    return pre.prepend_scheme === undefined ? pre.add_prefix_space !== false : pre.prepend_scheme !== 'never';
  }
  const normalizer = tokenizer.normalizer;
  const list =
    isObject(normalizer) && Array.isArray(normalizer.normalizers) ? normalizer.normalizers : [normalizer];
  return list.some((step: unknown) => isObject(step) && step.type === 'Prepend');
}

function wordPiece(files: TokenizerFiles, model: JsonObject, rows: number): MetadataEntry[] {
  const prefix = model.continuing_subword_prefix ?? '##';
  if (prefix !== '##') {
    throw new InputError(
      'tokenizer_unsupported',
      `WordPiece with the prefix ${describe(prefix)} is not known (only ##).`,
    );
  }
  const vocabulary = readVocabulary(files.tokenizer, model, rows);
  const cls = specialId(files, 'cls', vocabulary.ids) ?? vocabulary.ids.get('[CLS]');
  const sep = specialId(files, 'sep', vocabulary.ids) ?? vocabulary.ids.get('[SEP]');
  if (cls === undefined || sep === undefined) {
    throw new InputError(
      'tokenizer_vocab',
      'tokenizer.json: the WordPiece vocabulary has no [CLS] or no [SEP] token.',
    );
  }
  const tokens = vocabulary.tokens.map((token, id) => {
    const type = vocabulary.types[id];
    if (type === TOKEN_TYPE.control || type === TOKEN_TYPE.unused) return token;
    return token.startsWith('##') ? token.slice(2) : `\u2581${token}`;
  });
  const optional = (key: string, role: SpecialRole, text: string): MetadataEntry[] => {
    const id = specialId(files, role, vocabulary.ids) ?? vocabulary.ids.get(text);
    return id === undefined || id >= tokens.length ? [] : [[key, uint32(id)]];
  };
  const normalizer = isObject(files.tokenizer.normalizer) ? files.tokenizer.normalizer : {};
  const lowercase = normalizer.lowercase !== false;
  const stripAccents = typeof normalizer.strip_accents === 'boolean' ? normalizer.strip_accents : lowercase;
  return [
    ['tokenizer.ggml.model', string('bert')],
    ['tokenizer.ggml.pre', string('jina-v2-en')],
    ['tokenizer.ggml.tokens', strings(tokens)],
    ['tokenizer.ggml.token_type', int32s(vocabulary.types)],
    // llama.cpp takes [CLS] from bos and [SEP] from sep, whose key is spelt like this. A BERT has no eos.
    ['tokenizer.ggml.bos_token_id', uint32(cls)],
    ['tokenizer.ggml.cls_token_id', uint32(cls)],
    ['tokenizer.ggml.seperator_token_id', uint32(sep)],
    ...optional('tokenizer.ggml.unknown_token_id', 'unk', '[UNK]'),
    ...optional('tokenizer.ggml.padding_token_id', 'pad', '[PAD]'),
    ...optional('tokenizer.ggml.mask_token_id', 'mask', '[MASK]'),
    ['tokenizer.ggml.normalizer.lowercase', bool(lowercase)],
    ['tokenizer.ggml.normalizer.strip_accents', bool(stripAccents)],
  ];
}

const SPECIAL_KEYS: Readonly<Record<string, string>> = {
  bos: 'bos',
  eos: 'eos',
  unk: 'unknown',
  pad: 'padding',
};

function specials(
  files: TokenizerFiles,
  vocabulary: Vocabulary,
  roles: readonly SpecialRole[],
): MetadataEntry[] {
  const entries: MetadataEntry[] = [];
  const found = new Map<SpecialRole, number>();
  for (const role of roles) {
    const id = specialId(files, role, vocabulary.ids);
    if (id === null) continue;
    if (id >= vocabulary.tokens.length) {
      throw new InputError(
        'tokenizer_vocab',
        `The ${role} token has id ${id}, but there are ${vocabulary.tokens.length} tokens.`,
      );
    }
    found.set(role, id);
    entries.push([`tokenizer.ggml.${SPECIAL_KEYS[role]}_token_id`, uint32(id)]);
  }
  const around = addedAround(files, found.get('bos') ?? null, found.get('eos') ?? null, vocabulary.ids);
  entries.push(
    ['tokenizer.ggml.add_bos_token', bool(around.bos)],
    ['tokenizer.ggml.add_eos_token', bool(around.eos)],
  );
  const template = chatTemplate(files);
  if (template !== null) entries.push(['tokenizer.chat_template', string(template)]);
  return entries;
}

function readVocabulary(tokenizer: JsonObject, model: JsonObject, rows: number): Vocabulary {
  if (!isObject(model.vocab))
    throw new InputError('tokenizer_vocab', 'tokenizer.json: model.vocab is no object.');
  if (rows > MAX_VOCAB) {
    throw new InputError(
      'tokenizer_vocab',
      `The vocabulary has ${rows} tokens; at most ${MAX_VOCAB} are accepted.`,
    );
  }
  const tokens = new Array<string | undefined>(rows).fill(undefined);
  const types = new Int32Array(rows).fill(TOKEN_TYPE.normal);
  const ids = new Map<string, number>();
  const put = (text: string, id: unknown): number => {
    if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0 || id >= rows) {
      throw new InputError(
        'tokenizer_vocab',
        `tokenizer.json: token ${describe(text)} has the id ${describe(id)}, but the model has ${rows} rows.`,
      );
    }
    if (text.length > MAX_TOKEN_LENGTH || !text.isWellFormed()) {
      throw new InputError(
        'tokenizer_vocab',
        `tokenizer.json: token ${id} is no text a vocabulary can hold.`,
      );
    }
    if (tokens[id] !== undefined && tokens[id] !== text) {
      throw new InputError(
        'tokenizer_vocab',
        `tokenizer.json: id ${id} is given to ${describe(tokens[id])} and ${describe(text)}.`,
      );
    }
    tokens[id] = text;
    ids.set(text, id);
    return id;
  };
  for (const [text, id] of Object.entries(model.vocab)) put(text, id);
  for (const added of Array.isArray(tokenizer.added_tokens) ? tokenizer.added_tokens : []) {
    if (!isObject(added) || typeof added.content !== 'string') {
      throw new InputError('tokenizer_vocab', 'tokenizer.json: an entry of added_tokens has no content.');
    }
    const id = put(added.content, added.id);
    types[id] =
      added.special === true || looksSpecial(added.content) ? TOKEN_TYPE.control : TOKEN_TYPE.userDefined;
    // llama.cpp matches these in the text before normalisation: a space is a space there.
    if (types[id] === TOKEN_TYPE.userDefined) tokens[id] = added.content.replaceAll('\u2581', ' ');
  }
  const filled = tokens.map((token, id) => {
    if (token !== undefined) return token;
    types[id] = TOKEN_TYPE.unused;
    return `[PAD${id}]`;
  });
  return { tokens: filled, types, ids };
}

/** Some models do not mark their control tokens as special; the writing `<|...|>` gives them away. */
function looksSpecial(text: string): boolean {
  return text === '<pad>' || text === '<mask>' || (text.startsWith('<|') && text.endsWith('|>'));
}

function readMerges(model: JsonObject): (readonly [string, string])[] {
  const { merges } = model;
  if (!Array.isArray(merges) || merges.length > MAX_MERGES) {
    throw new InputError(
      'tokenizer_vocab',
      `tokenizer.json: merges is no list of at most ${MAX_MERGES} pairs.`,
    );
  }
  return merges.map((merge: unknown, rank) => {
    // Older files write "a b", newer ones ["a", "b"].
    const pair: unknown[] = typeof merge === 'string' ? splitMerge(merge) : Array.isArray(merge) ? merge : [];
    const [left, right] = pair;
    if (pair.length !== 2 || typeof left !== 'string' || typeof right !== 'string' || !left || !right) {
      throw new InputError(
        'tokenizer_vocab',
        `tokenizer.json: merge ${rank} is ${describe(merge)}, which is no pair of tokens.`,
      );
    }
    return [left, right] as const;
  });
}

function splitMerge(merge: string): string[] {
  const space = merge.indexOf(' ', 1);
  return space < 0 ? [merge] : [merge.slice(0, space), merge.slice(space + 1)];
}
