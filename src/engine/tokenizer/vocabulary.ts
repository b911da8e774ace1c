/**
 * The vocabulary of a GGUF: token texts, scores, attributes, special ids and flags, decided the way llama.cpp
 * decides them.
 *
 * @module engine/tokenizer/vocabulary
 */

import { MAX_VOCABULARY } from './limits.ts';
import {
  boolOf,
  idOf,
  invalidTokenizer,
  type Metadata,
  numbersOf,
  stringOf,
  stringsOf,
  unsupportedTokenizer,
} from './metadata.ts';
import { PRE_TOKENIZERS, type PreTokenizer } from './patterns.ts';
import {
  ENDING_ROLES,
  ENDING_TEXTS,
  ROLE_KEYS,
  ROLE_TEXTS,
  type Role,
  SHOWN_TEXTS,
} from './special-texts.ts';

/** Attribute bits of a token. */
export const ATTRIBUTE = {
  unknown: 0x01,
  unused: 0x02,
  normal: 0x04,
  control: 0x08,
  userDefined: 0x10,
  byte: 0x20,
  /** Matching the token in a text also takes the white space before / after it. */
  stripLeft: 0x80,
  stripRight: 0x100,
} as const;

export interface Vocabulary {
  readonly kind: 'llama' | 'gpt2' | 'bert';
  /** Texts by id; an empty one was replaced by `[EMPTY_<id>]`. */
  readonly texts: readonly string[];
  readonly ids: ReadonlyMap<string, number>;
  readonly scores: Float32Array;
  readonly attributes: Uint16Array;
  /** Control and unknown tokens, also by the file's own types before any was reclassified, whose text looks like one
   *  (three characters or more, not plain words): text from outside must not become one of these. */
  readonly guarded: ReadonlySet<number>;
  /** Longest token text in UTF-16 units. */
  readonly longest: number;
  readonly bos: number | null;
  readonly eos: number | null;
  readonly unk: number | null;
  readonly sep: number | null;
  readonly eog: ReadonlySet<number>;
  readonly addBos: boolean;
  readonly addEos: boolean;
  readonly addSpacePrefix: boolean;
  readonly cleanSpaces: boolean;
  /** Tokens hold U+2581 for spaces. */
  readonly escapeSpaces: boolean;
  readonly pre: PreTokenizer | null;
  readonly lowerCase: boolean;
  readonly stripAccents: boolean;
}

const KINDS: ReadonlyMap<string, Vocabulary['kind']> = new Map([
  ['llama', 'llama'],
  ['gpt2', 'gpt2'],
  ['gemma4', 'gpt2'],
  ['bert', 'bert'],
]);

const PLAIN_WORDS = /^[\p{L}\p{N}\s]*$/u;

/** llama.cpp's `llama_token_type` to attribute bits. */
const TYPE_ATTRIBUTES = [
  0,
  ATTRIBUTE.normal,
  ATTRIBUTE.unknown,
  ATTRIBUTE.control,
  ATTRIBUTE.userDefined,
  ATTRIBUTE.unused,
  ATTRIBUTE.byte,
] as const;

const DEFAULT_IDS = {
  llama: { bos: 1, eos: 2, unk: 0, sep: -1 },
  gpt2: { bos: 11, eos: 11, unk: -1, sep: -1 },
  gemma4: { bos: -1, eos: -1, unk: -1, sep: -1 },
  bert: { bos: 101, eos: -1, unk: 100, sep: 102 },
} as const;

function preTokenizer(model: string, pre: string): PreTokenizer {
  const found = PRE_TOKENIZERS.get(pre);
  if (found !== undefined) return found;
  throw unsupportedTokenizer(
    `The pre-tokenizer ${JSON.stringify(pre.slice(0, 64))} of this model is not known. ` +
      'Without it its text would be cut in other places than in training.',
    model,
    pre.slice(0, 64),
  );
}

/** @throws {InputError} `tokenizer_unsupported` or `tokenizer_invalid`. */
export function readVocabulary(metadata: Metadata): Vocabulary {
  const model = stringOf(metadata, 'tokenizer.ggml.model');
  if (model === undefined) {
    throw invalidTokenizer('The model file has no tokenizer (tokenizer.ggml.model).', 'tokenizer.ggml.model');
  }
  const kind = KINDS.get(model);
  const preName = model === 'gemma4' ? 'gemma4' : (stringOf(metadata, 'tokenizer.ggml.pre') ?? '');
  if (kind === undefined) {
    throw unsupportedTokenizer(
      `The tokenizer kind ${JSON.stringify(model.slice(0, 64))} of this model is not supported. ` +
        'Supported are llama, gpt2, gemma4 and bert.',
      model.slice(0, 64),
      preName.slice(0, 64),
    );
  }
  const pre = kind === 'gpt2' ? preTokenizer(model, preName) : null;

  const listed = stringsOf(metadata, 'tokenizer.ggml.tokens', MAX_VOCABULARY);
  if (listed === undefined || listed.length === 0) {
    throw invalidTokenizer(
      'The model file lists no tokens (tokenizer.ggml.tokens).',
      'tokenizer.ggml.tokens',
    );
  }
  const size = listed.length;
  const texts = listed.map((text, id) => (text === '' ? `[EMPTY_${id}]` : text));
  const ids = new Map<string, number>();
  let longest = 1;
  for (let id = 0; id < size; id++) {
    const text = texts[id]!;
    ids.set(text, id);
    if (text.length > longest) longest = text.length;
  }

  const listedScores = numbersOf(metadata, 'tokenizer.ggml.scores', size);
  const scores = new Float32Array(size);
  if (listedScores !== undefined) for (let id = 0; id < size; id++) scores[id] = listedScores[id]!;
  const types = numbersOf(metadata, 'tokenizer.ggml.token_type', size);
  const attributes = new Uint16Array(size);
  for (let id = 0; id < size; id++)
    attributes[id] = types === undefined ? 4 : (TYPE_ATTRIBUTES[types[id]!] ?? 0);

  const fileAttributes = attributes.slice();
  const defaults = DEFAULT_IDS[model === 'gemma4' ? 'gemma4' : kind];
  const special = (key: string, fallback: number): number | null =>
    idOf(metadata, key, size) ?? (fallback >= 0 && fallback < size ? fallback : null);
  const eos = special('tokenizer.ggml.eos_token_id', defaults.eos);
  const eog = findEndings(metadata, ids, attributes, eos);
  markUnused(texts, attributes);
  markStripping(metadata, preName, ids, attributes);

  const guarded = new Set<number>();
  const isGuarded = ATTRIBUTE.control | ATTRIBUTE.unknown;
  for (let id = 0; id < size; id++) {
    if (((attributes[id]! | fileAttributes[id]!) & isGuarded) === 0) continue;
    if (texts[id]!.length >= 3 && !PLAIN_WORDS.test(texts[id]!)) guarded.add(id);
  }
  const addBos =
    boolOf(metadata, 'tokenizer.ggml.add_bos_token') ?? (kind === 'gpt2' ? (pre?.addBos ?? false) : true);
  const lowerCase = boolOf(metadata, 'tokenizer.ggml.normalizer.lowercase') ?? true;
  return {
    kind,
    texts,
    ids,
    scores,
    attributes,
    guarded,
    longest,
    bos: special('tokenizer.ggml.bos_token_id', pre?.noDefaultBos === true ? -1 : defaults.bos),
    eos,
    unk: special('tokenizer.ggml.unknown_token_id', defaults.unk),
    sep: special('tokenizer.ggml.seperator_token_id', defaults.sep),
    eog,
    // Gemma 4 files say false and are wrong; llama.cpp overrides them too.
    addBos: addBos || pre?.wholeNewlines === true,
    addEos: boolOf(metadata, 'tokenizer.ggml.add_eos_token') ?? false,
    addSpacePrefix: boolOf(metadata, 'tokenizer.ggml.add_space_prefix') ?? kind === 'llama',
    cleanSpaces: kind === 'bert' || (kind === 'gpt2' && pre?.cleanSpaces !== false),
    escapeSpaces: kind !== 'gpt2' || pre?.plainText === true,
    pre,
    lowerCase,
    stripAccents: boolOf(metadata, 'tokenizer.ggml.normalizer.strip_accents') ?? lowerCase,
  };
}

/** The ids that end a generation. Tokens found by their text become control tokens. */
function findEndings(
  metadata: Metadata,
  ids: ReadonlyMap<string, number>,
  attributes: Uint16Array,
  eos: number | null,
): Set<number> {
  const roles = new Map<Role, number>();
  for (const role of Object.keys(ROLE_TEXTS) as Role[]) {
    for (const key of ROLE_KEYS[role]) {
      const id = idOf(metadata, key, attributes.length);
      if (id !== undefined) roles.set(role, id);
    }
    if (roles.has(role)) continue;
    for (const text of ROLE_TEXTS[role]) {
      const id = ids.get(text);
      if (id === undefined) continue;
      roles.set(role, id);
      attributes[id]! |= ATTRIBUTE.control;
      break;
    }
  }
  const eog = new Set<number>();
  for (const text of ENDING_TEXTS) {
    const id = ids.get(text);
    if (id === undefined) continue;
    eog.add(id);
    attributes[id]! |= ATTRIBUTE.control;
  }
  for (const text of SHOWN_TEXTS) {
    const id = ids.get(text);
    if (id !== undefined) attributes[id] = ATTRIBUTE.userDefined;
  }
  for (const role of ENDING_ROLES) {
    const id = roles.get(role);
    if (id !== undefined) eog.add(id);
  }
  if (eos !== null) eog.add(eos);

  const ends = (text: string): boolean => {
    const id = ids.get(text);
    return id !== undefined && eog.has(id);
  };
  // Families where <|end|> or </s> separates messages and something else ends the answer.
  const calls = ends('<|call|>') || ends('<|calls|>');
  const end = ids.get('<|end|>');
  if (end !== undefined && eog.has(end) && calls && (ends('<|return|>') || ends('<|flush|>'))) {
    eog.delete(end);
    attributes[end] = ATTRIBUTE.userDefined;
  }
  const close = ids.get('</s>');
  if (close !== undefined && eog.has(close) && ends('<|tool_response>')) {
    eog.delete(close);
    attributes[close] = ATTRIBUTE.normal;
  }
  return eog;
}

function markUnused(texts: readonly string[], attributes: Uint16Array): void {
  for (let id = 0; id < attributes.length; id++) {
    if ((attributes[id]! & ATTRIBUTE.control) !== 0 && texts[id]!.includes('unused')) {
      attributes[id]! |= ATTRIBUTE.unused;
    }
  }
}

/** Some models' special tokens take the space beside them; GGUF does not say which, so names decide. */
function markStripping(
  metadata: Metadata,
  pre: string,
  ids: ReadonlyMap<string, number>,
  attributes: Uint16Array,
): void {
  const name = (stringOf(metadata, 'general.name') ?? '').toLowerCase();
  const architecture = stringOf(metadata, 'general.architecture') ?? '';
  const add = (text: string, bit: number): void => {
    const id = ids.get(text);
    if (id !== undefined) attributes[id]! |= bit;
  };
  if (
    ['jina-v2-de', 'jina-v2-es', 'jina-v2-code'].some((part) => pre.includes(part)) ||
    ['nomic-bert-moe', 'jina-bert-v3'].some((part) => architecture.includes(part))
  ) {
    add('<mask>', ATTRIBUTE.stripLeft);
  } else if (name.includes('phi-3') || name.includes('phi3')) {
    const special = ATTRIBUTE.control | ATTRIBUTE.userDefined | ATTRIBUTE.unknown;
    for (let id = 0; id < attributes.length; id++) {
      if ((attributes[id]! & special) !== 0) attributes[id]! |= ATTRIBUTE.stripRight;
    }
    add('</s>', ATTRIBUTE.stripRight);
    for (const text of ['<unk>', '<s>', '<|endoftext|>']) {
      const id = ids.get(text);
      if (id !== undefined) attributes[id]! &= ~ATTRIBUTE.stripRight;
    }
  } else if (name.includes('modern-bert')) {
    add('[MASK]', ATTRIBUTE.stripLeft);
  }
}
