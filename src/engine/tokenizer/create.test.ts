import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import type { GgufValue } from '../../models/index.ts';
import { createFullTokenizer, createTokenizer } from './index.ts';

const string = (value: string): GgufValue => ({ type: 'string', value });
const strings = (values: string[]): GgufValue => ({ type: 'array', value: { type: 'string', values } });
const int32s = (values: number[]): GgufValue => ({
  type: 'array',
  value: { type: 'int32', values: Int32Array.from(values) },
});
const float32s = (values: number[]): GgufValue => ({
  type: 'array',
  value: { type: 'float32', values: Float32Array.from(values) },
});
const id = (value: number): GgufValue => ({ type: 'uint32', value });
const code = (expected: string) => (thrown: unknown) => (thrown as { code?: string }).code === expected;

function gpt2(tokens: string[], merges: string[], extra: Record<string, GgufValue> = {}) {
  return new Map<string, GgufValue>([
    ['tokenizer.ggml.model', string('gpt2')],
    ['tokenizer.ggml.pre', string('gpt-2')],
    ['tokenizer.ggml.tokens', strings(tokens)],
    ['tokenizer.ggml.merges', strings(merges)],
    ...Object.entries(extra),
  ]);
}

test('kinds and pre-tokenizers that are not written here are refused by name', () => {
  for (const model of ['t5', 'rwkv', 'plamo2', 'hybriddna', 'no_vocab']) {
    const metadata = new Map([['tokenizer.ggml.model', string(model)]]);
    assert.throws(() => createTokenizer(metadata), code('tokenizer_unsupported'));
  }
  assert.throws(
    () => createTokenizer(gpt2(['a'], [], { 'tokenizer.ggml.pre': string('martian') })),
    (thrown) => code('tokenizer_unsupported')(thrown) && /"martian"/.test(String(thrown)),
  );
});

test('missing or mistyped metadata is refused by key', () => {
  const cases: [string, GgufValue | null][] = [
    ['tokenizer.ggml.model', null],
    ['tokenizer.ggml.tokens', null],
    ['tokenizer.ggml.merges', null],
    ['tokenizer.ggml.tokens', string('a')],
    ['tokenizer.ggml.tokens', int32s([1])],
    ['tokenizer.ggml.tokens', strings([])],
    ['tokenizer.ggml.scores', float32s([1])],
    ['tokenizer.ggml.token_type', strings(['a', 'b'])],
    ['tokenizer.ggml.add_bos_token', string('yes')],
  ];
  for (const [key, value] of cases) {
    const metadata = gpt2(['a', 'b'], ['a b']);
    if (value === null) metadata.delete(key);
    else metadata.set(key, value);
    assert.throws(
      () => createTokenizer(metadata),
      (thrown) => code('tokenizer_invalid')(thrown) && String(thrown).includes(key),
    );
  }
});

test('BOS and EOS are added as the metadata asks and the caller allows', () => {
  const metadata = gpt2(['a', '<s>', '</s>'], [], {
    'tokenizer.ggml.token_type': int32s([1, 3, 3]),
    'tokenizer.ggml.bos_token_id': id(1),
    'tokenizer.ggml.eos_token_id': id(2),
    'tokenizer.ggml.add_bos_token': { type: 'bool', value: true },
    'tokenizer.ggml.add_eos_token': { type: 'bool', value: true },
  });
  const tokenizer = createTokenizer(metadata);
  assert.deepEqual([...tokenizer.encode('a')], [1, 0, 2]);
  assert.deepEqual([...tokenizer.encode('a', { addSpecial: false })], [0]);
  assert.deepEqual([...tokenizer.encode('a</s>a', { addSpecial: false, parseSpecial: true })], [0, 2, 0]);
});

test('WordPiece frames a text with CLS and SEP', () => {
  const tokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '▁a', 'b'];
  const tokenizer = createTokenizer(
    new Map([
      ['tokenizer.ggml.model', string('bert')],
      ['tokenizer.ggml.tokens', strings(tokens)],
      ['tokenizer.ggml.bos_token_id', id(2)],
      ['tokenizer.ggml.seperator_token_id', id(3)],
      ['tokenizer.ggml.unknown_token_id', id(1)],
    ]),
  );
  assert.deepEqual([...tokenizer.encode('AB a xyz')], [2, 4, 5, 4, 1, 3]);
  assert.deepEqual([...tokenizer.encode('')], [2, 3]);
});

test('ids out of range are no tokens: special ids are dropped, bytes are empty', () => {
  const tokenizer = createTokenizer(gpt2(['a'], [], { 'tokenizer.ggml.eos_token_id': id(99) }));
  assert.equal(tokenizer.bos, null);
  assert.equal(tokenizer.eos, null);
  for (const token of [-1, 1, 1.5, Number.NaN]) assert.equal(tokenizer.bytes(token).length, 0);
  assert.equal(tokenizer.decode([0, 7, 0]), 'aa');
});

test('control tokens have bytes only when asked for', () => {
  const tokenizer = createTokenizer(
    gpt2(['a', '<|end|>'], [], { 'tokenizer.ggml.token_type': int32s([1, 3]) }),
  );
  assert.equal(tokenizer.bytes(1).length, 0);
  assert.equal(Buffer.from(tokenizer.bytes(1, true)).toString(), '<|end|>');
  assert.ok(tokenizer.eog.has(1));
});

test('hostile vocabularies and merges end in tokens or a typed error, never in a loop', () => {
  const word = fc.oneof(
    fc.string({ maxLength: 4 }),
    fc.constantFrom('', 'a', 'b', 'ab', 'a b', ' ', '▁', '\udc80'),
  );
  const vocabulary = fc.record({
    model: fc.constantFrom('llama', 'gpt2', 'bert', 'gemma4'),
    tokens: fc.array(word, { minLength: 1, maxLength: 12 }),
    merges: fc.array(word, { maxLength: 12 }),
    scores: fc.array(fc.float(), { minLength: 12, maxLength: 12 }),
    types: fc.array(fc.integer({ min: -2, max: 9 }), { minLength: 12, maxLength: 12 }),
    bos: fc.nat(20),
    text: fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', '\u00e9', '\ud800', '😀'), maxLength: 30 }),
  });
  fc.assert(
    fc.property(vocabulary, ({ model, tokens, merges, scores, types, bos, text }) => {
      const tokenizer = createFullTokenizer(
        new Map([
          ['tokenizer.ggml.model', string(model)],
          ['tokenizer.ggml.pre', string('gpt-2')],
          ['tokenizer.ggml.tokens', strings(tokens)],
          ['tokenizer.ggml.merges', strings([...merges, ...merges])],
          ['tokenizer.ggml.scores', float32s(scores)],
          ['tokenizer.ggml.token_type', int32s(types)],
          ['tokenizer.ggml.bos_token_id', id(bos)],
        ]),
      );
      for (const parseSpecial of [false, true]) {
        const ids = tokenizer.encode(text, { parseSpecial });
        for (const token of ids) assert.ok(token >= 0 && token < tokens.length);
        assert.ok(tokenizer.decode(ids).isWellFormed());
      }
    }),
    { numRuns: 300 },
  );
});

test('long runs without any word boundary are tokenized whole', () => {
  const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`);
  const powers = Array.from({ length: 12 }, (_, i) => 'a'.repeat(2 ** i));
  const tokens = ['<unk>', ...bytes, ...powers];
  const tokenizer = createTokenizer(
    new Map([
      ['tokenizer.ggml.model', string('llama')],
      ['tokenizer.ggml.tokens', strings(tokens)],
      ['tokenizer.ggml.scores', float32s(tokens.map((_, i) => -i))],
      ['tokenizer.ggml.add_space_prefix', { type: 'bool', value: false }],
    ]),
  );
  const text = 'a'.repeat(100_000);
  const ids = tokenizer.encode(text, { addSpecial: false });
  assert.ok(tokenizer.decode(ids) === text);
  assert.ok(ids.length < 200, `${ids.length} tokens`);
});

test('a text over the limit is refused', () => {
  const tokenizer = createTokenizer(gpt2(['a'], []));
  assert.throws(() => tokenizer.encode('a'.repeat(16_777_217)), code('limit_reached'));
});
