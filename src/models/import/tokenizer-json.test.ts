import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { isKithError } from '../../base/index.ts';
import type { JsonObject } from './json.ts';
import type { TokenizerFiles } from './special-tokens.ts';
import { tokenizerMetadata } from './tokenizer-json.ts';
import type { MetadataEntry } from './values.ts';

const files = (tokenizer: JsonObject, rest: Partial<TokenizerFiles> = {}): TokenizerFiles => ({
  tokenizer,
  config: null,
  special: null,
  model: null,
  template: null,
  ...rest,
});

/** Metadata as plain values, without the `tokenizer.ggml.` of the keys. */
function plain(entries: readonly MetadataEntry[]): Record<string, unknown> {
  return Object.fromEntries(
    entries.map(([key, { value }]) => {
      const name = key.replace('tokenizer.ggml.', '');
      return [name, typeof value === 'object' ? Array.from(value.values as Iterable<unknown>) : value];
    }),
  );
}

const byteLevel = { type: 'ByteLevel', add_prefix_space: false, use_regex: true };
const split = (pattern: string) => ({
  type: 'Sequence',
  pretokenizers: [
    { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false },
    { ...byteLevel, use_regex: false },
  ],
});
const gpt2 = (change: JsonObject = {}): JsonObject => ({
  added_tokens: [
    { id: 4, content: '<|end|>', special: true },
    { id: 5, content: '<tool>', special: false },
  ],
  pre_tokenizer: byteLevel,
  model: { type: 'BPE', vocab: { a: 0, b: 1, ab: 2, Ġ: 3 }, merges: ['a b'] },
  ...change,
});

test('byte-level BPE keeps vocabulary, merges and token types, and fills holes', () => {
  const result = plain(
    tokenizerMetadata(
      files(gpt2(), { config: { eos_token: '<|end|>', pad_token: { content: '<|end|>' } } }),
      8,
    ),
  );
  assert.deepEqual(result, {
    model: 'gpt2',
    pre: 'gpt-2',
    tokens: ['a', 'b', 'ab', 'Ġ', '<|end|>', '<tool>', '[PAD6]', '[PAD7]'],
    token_type: [1, 1, 1, 1, 3, 4, 5, 5],
    merges: ['a b'],
    eos_token_id: 4,
    padding_token_id: 4,
    add_bos_token: false,
    add_eos_token: false,
  });
});

test('merges written as pairs are the same as merges written as text', () => {
  const pairs = gpt2({ model: { type: 'BPE', vocab: { a: 0, b: 1, ab: 2, Ġ: 3 }, merges: [['a', 'b']] } });
  assert.deepEqual(tokenizerMetadata(files(pairs), 6), tokenizerMetadata(files(gpt2()), 6));
});

const LLAMA3 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const model = (extra: JsonObject = {}) => ({ type: 'BPE', vocab: { a: 0 }, merges: [], ...extra });
const preOf = (change: JsonObject): unknown => plain(tokenizerMetadata(files(gpt2(change)), 6)).pre;

test('the splitting rule in the file decides the pre-tokenizer', () => {
  assert.equal(preOf({ pre_tokenizer: byteLevel }), 'gpt-2');
  assert.equal(preOf({ pre_tokenizer: split(LLAMA3), model: model({ ignore_merges: true }) }), 'llama-bpe');
  assert.equal(preOf({ pre_tokenizer: split(LLAMA3), model: model() }), 'smaug-bpe');
  assert.equal(preOf({ pre_tokenizer: split(LLAMA3.replace('{1,3}', '')), model: model() }), 'qwen2');
  const digits = {
    type: 'Sequence',
    pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel],
  };
  assert.equal(preOf({ pre_tokenizer: digits }), 'smollm');
});

test('an unknown splitting rule is an error that shows the rule', () => {
  for (const [pre, shown] of [
    [split('\\w+'), '\\\\w+'],
    [{ type: 'Sequence', pretokenizers: [{ type: 'Punctuation' }, byteLevel] }, 'Punctuation'],
    [{ ...byteLevel, add_prefix_space: true }, 'add_prefix_space'],
  ] as const) {
    assert.throws(
      () => preOf({ pre_tokenizer: pre }),
      (error: Error & { code?: string }) => error.code === 'tokenizer_pre' && error.message.includes(shown),
    );
  }
});

const spm = (change: JsonObject = {}): JsonObject => ({
  added_tokens: [
    { id: 0, content: '<unk>', special: true },
    { id: 1, content: '<s>', special: true },
  ],
  normalizer: { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, { type: 'Replace' }] },
  post_processor: {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
  },
  decoder: { type: 'Sequence', decoders: [{ type: 'ByteFallback' }] },
  model: {
    type: 'BPE',
    byte_fallback: true,
    unk_token: '<unk>',
    vocab: { '<unk>': 0, '<s>': 1, '<0x0A>': 2, '▁t': 3, '▁the': 4, he: 5, t: 6 },
    merges: ['▁ t', 'h e', '▁t he', '▁th e'],
  },
  ...change,
});

test('BPE with byte fallback becomes a SentencePiece vocabulary scored by merge rank', () => {
  const result = plain(tokenizerMetadata(files(spm(), { config: { bos_token: '<s>' } }), 7));
  assert.equal(result.model, 'llama');
  assert.equal(result.pre, 'default');
  assert.deepEqual(result.token_type, [2, 3, 6, 1, 1, 1, 1]);
  // ▁the is made by two merges; the earlier one counts. `t` is made by none.
  assert.deepEqual(result.scores, [0, 0, 0, -0, -2, -1, -4]);
  assert.deepEqual([result.bos_token_id, result.add_bos_token, result.add_space_prefix], [1, true, true]);
});

test('flags of the Llama tokenizer class outrank the post-processor, others do not', () => {
  const added = (config: JsonObject) => plain(tokenizerMetadata(files(spm(), { config }), 7)).add_bos_token;
  const base = { bos_token: '<s>', add_bos_token: false };
  assert.equal(added({ ...base, tokenizer_class: 'LlamaTokenizer' }), false);
  assert.equal(added({ ...base, tokenizer_class: 'PreTrainedTokenizerFast' }), true);
});

test('Metaspace says itself whether a space comes first', () => {
  const prefix = (pre_tokenizer: JsonObject) =>
    plain(tokenizerMetadata(files(spm({ pre_tokenizer, normalizer: null })), 7)).add_space_prefix;
  assert.equal(prefix({ type: 'Metaspace', prepend_scheme: 'first' }), true);
  assert.equal(prefix({ type: 'Metaspace', prepend_scheme: 'never' }), false);
  assert.equal(prefix({ type: 'Metaspace', add_prefix_space: false }), false);
});

const bert = (change: JsonObject = {}): JsonObject => ({
  added_tokens: ['[PAD]', '[UNK]', '[CLS]', '[SEP]'].map((content, id) => ({ id, content, special: true })),
  normalizer: { type: 'BertNormalizer', lowercase: true, strip_accents: null },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    vocab: { '[PAD]': 0, '[UNK]': 1, '[CLS]': 2, '[SEP]': 3, run: 4, '##ning': 5 },
  },
  ...change,
});

test('WordPiece marks word starts instead of continuations', () => {
  assert.deepEqual(plain(tokenizerMetadata(files(bert()), 6)), {
    model: 'bert',
    pre: 'jina-v2-en',
    tokens: ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '\u2581run', 'ning'],
    token_type: [3, 3, 3, 3, 1, 1],
    bos_token_id: 2,
    cls_token_id: 2,
    seperator_token_id: 3,
    unknown_token_id: 1,
    padding_token_id: 0,
    'normalizer.lowercase': true,
    'normalizer.strip_accents': true,
  });
});

test('a cased BERT says that it is cased', () => {
  const cased = plain(
    tokenizerMetadata(files(bert({ normalizer: { type: 'BertNormalizer', lowercase: false } })), 6),
  );
  assert.deepEqual([cased['normalizer.lowercase'], cased['normalizer.strip_accents']], [false, false]);
});

test('the chat template comes from its own file, the configuration, or the named default', () => {
  const template = (rest: Partial<TokenizerFiles>) => {
    const entries = tokenizerMetadata(files(gpt2(), rest), 6);
    return entries.find(([key]) => key === 'tokenizer.chat_template')?.[1].value;
  };
  assert.equal(template({}), undefined);
  assert.equal(template({ config: { chat_template: 'A' } }), 'A');
  assert.equal(template({ config: { chat_template: 'A' }, template: 'B' }), 'B');
  const named = [
    { name: 'tool_use', template: 'T' },
    { name: 'default', template: 'D' },
  ];
  assert.equal(template({ config: { chat_template: named } }), 'D');
});

test('ids of config.json count when the tokenizer names none, and the first of several is taken', () => {
  const eos = (config: JsonObject | null, eos_token_id: unknown) =>
    plain(tokenizerMetadata(files(gpt2(), { config, model: { eos_token_id } }), 6)).eos_token_id;
  assert.equal(eos(null, [4, 0]), 4);
  assert.equal(eos({ eos_token: '<|end|>' }, 1), 4);
  assert.throws(() => eos(null, 6), { code: 'tokenizer_vocab' });
});

test('damaged vocabularies are refused', () => {
  const bad: JsonObject[] = [
    gpt2({ model: { type: 'BPE', vocab: { a: 6 }, merges: [] } }),
    gpt2({ model: { type: 'BPE', vocab: { a: -1 }, merges: [] } }),
    gpt2({ model: { type: 'BPE', vocab: { a: 0, b: 0 }, merges: [] } }),
    gpt2({ model: { type: 'BPE', vocab: { a: 0 }, merges: ['ab'] } }),
    gpt2({ model: { type: 'BPE', vocab: { a: 0 }, merges: [['a', 1]] } }),
    gpt2({ model: { type: 'BPE', vocab: [], merges: [] } }),
    gpt2({ added_tokens: [{ id: 0, content: 'z' }] }),
    bert({ added_tokens: [], model: { type: 'WordPiece', vocab: { a: 0 } } }),
  ];
  for (const tokenizer of bad) {
    assert.throws(() => tokenizerMetadata(files(tokenizer), 6), { code: 'tokenizer_vocab' });
  }
});

test('kinds that GGUF cannot express are refused by name', () => {
  const unigram = files({ model: { type: 'Unigram', vocab: [] } });
  assert.throws(() => tokenizerMetadata(unigram, 6), { code: 'tokenizer_unsupported', message: /"Unigram"/ });
  assert.throws(() => tokenizerMetadata(files({ model: { type: 'BPE', vocab: {}, merges: [] } }), 6), {
    code: 'tokenizer_unsupported',
  });
  assert.throws(() => tokenizerMetadata(files({}), 6), { code: 'tokenizer_unsupported' });
});

test('arbitrary JSON in any place of the files is a typed error or metadata', () => {
  const json = fc.jsonValue({ maxDepth: 3 });
  const paths = fc.constantFrom(
    'added_tokens',
    'normalizer',
    'pre_tokenizer',
    'post_processor',
    'decoder',
    'model',
    'vocab',
    'merges',
  );
  fc.assert(
    fc.property(fc.constantFrom(gpt2(), spm(), bert()), paths, json, json, (base, path, value, config) => {
      const inModel = path === 'vocab' || path === 'merges';
      const tokenizer = inModel
        ? { ...base, model: { ...(base.model as JsonObject), [path]: value } }
        : { ...base, [path]: value };
      const rest = { config: { bos_token: config, chat_template: config, add_bos_token: config } };
      try {
        tokenizerMetadata(files(tokenizer, rest), 8);
      } catch (error) {
        if (!isKithError(error)) throw error;
        assert.match(error.code, /^tokenizer_/);
      }
    }),
    { numRuns: 5_000 },
  );
});
