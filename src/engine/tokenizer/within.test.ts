/** Encoding within a limit decides and gives exactly what encoding everything would. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { testModel } from '../../../test/models/index.ts';
import { fc } from '../../../test/property.ts';
import { isKithError } from '../../base/index.ts';
import type { GgufValue } from '../../models/index.ts';
import { fileSource, readGguf } from '../../models/index.ts';
import { createFullTokenizer, type EncodeBounds, type FullTokenizer, finish } from './index.ts';
import { createByteLeast, createUnitLeast } from './least.ts';

const real = new Map<string, FullTokenizer>();
before(async () => {
  for (const name of ['minimind2-q8_0', 'tinyllama', 'minilm-q8_0'] as const) {
    await using source = await fileSource(await testModel(name));
    real.set(name, createFullTokenizer((await readGguf(source)).metadata));
  }
});

const OVER = 'over';
function within(
  tokenizer: FullTokenizer,
  text: string,
  bounds: EncodeBounds,
  options = {},
): number[] | typeof OVER {
  try {
    return [...finish(tokenizer.encodeSteps(text, options, bounds, null))];
  } catch (thrown) {
    if (isKithError(thrown) && thrown.code === 'tokens_over_limit') return OVER;
    throw thrown;
  }
}

function holds(tokenizer: FullTokenizer, text: string, limit: number, options = {}): void {
  const all = [...tokenizer.encode(text, options)];
  assert.deepEqual(within(tokenizer, text, { limit }, options), all.length > limit ? OVER : all);
  const cut = all.slice(0, limit);
  const [last] = tokenizer.encode('').slice(1);
  if (all.length > limit && limit > 0 && last !== undefined && all.at(-1) === last) cut[limit - 1] = last;
  assert.deepEqual(within(tokenizer, text, { limit, cut: true }, options), cut);
}

const piece = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 60 }),
  fc.constantFrom(
    '<|im_end|>',
    '</s>',
    '[SEP]',
    'Once upon a time ',
    '    ',
    '\n\n',
    '😀',
    '漢字',
    'a'.repeat(90),
  ),
);
const texts = fc
  .array(fc.tuple(piece, fc.constantFrom(1, 1, 1, 7, 300)), { maxLength: 5 })
  .map((parts) => parts.map(([part, times]) => part.repeat(times)).join(''));

for (const name of ['minimind2-q8_0', 'tinyllama', 'minilm-q8_0']) {
  test(`${name}: the same tokens when they fit, and a refusal exactly when they do not`, () => {
    const tokenizer = real.get(name)!;
    const cases = fc.tuple(texts, fc.oneof(fc.nat(8), fc.nat(400)), fc.boolean(), fc.constantFrom(-1, 0, 1));
    fc.assert(
      fc.property(cases, ([text, some, parseSpecial, offset]) => {
        holds(tokenizer, text, some, { parseSpecial });
        // Where the decision turns.
        holds(tokenizer, text, Math.max(0, tokenizer.encode(text).length + offset));
      }),
      { numRuns: 60 },
    );
  });

  test(`${name}: long texts are decided as short ones are`, () => {
    const tokenizer = real.get(name)!;
    for (const text of [
      'a'.repeat(20_000),
      'The quick brown fox. '.repeat(1_000),
      ' '.repeat(20_000),
      `${'ab'.repeat(10_000)}😀`,
      `${'x'.repeat(20_000)} y`,
      '😀'.repeat(9_000),
      `${'漢字かな '.repeat(2_000)}<|im_end|>`,
    ]) {
      const { length } = tokenizer.encode(text);
      for (const limit of [512, length - 1, length]) holds(tokenizer, text, limit);
    }
  });
}

const string = (value: string): GgufValue => ({ type: 'string', value });
const strings = (values: string[]): GgufValue => ({ type: 'array', value: { type: 'string', values } });

test('vocabularies with gaps, where parts of a text become nothing or one unknown token, decide the same', () => {
  const word = fc.oneof(
    fc.string({ unit: fc.constantFrom('a', 'b', 'c', '▁', 'Ġ', 'Ã', '©'), minLength: 1, maxLength: 4 }),
    fc.constantFrom('<0x61>', '▁a', '[x]', 'é'),
  );
  const vocabulary = fc.record({
    model: fc.constantFrom('llama', 'gpt2', 'bert', 'gemma4'),
    tokens: fc.array(word, { minLength: 1, maxLength: 12 }),
    merges: fc.array(
      fc.tuple(word, word).map(([a, b]) => `${a} ${b}`),
      { maxLength: 12 },
    ),
    types: fc.array(fc.constantFrom(1, 1, 1, 2, 3, 4, 6), { minLength: 12, maxLength: 12 }),
    unknown: fc.nat(20),
    name: fc.constantFrom('', 'phi-3'),
    text: fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' ', 'é', '😀', '[x]'), maxLength: 60 }),
    limit: fc.nat(30),
  });
  fc.assert(
    fc.property(vocabulary, ({ model, tokens, merges, types, unknown, name, text, limit }) => {
      const tokenizer = createFullTokenizer(
        new Map<string, GgufValue>([
          ['general.name', string(name)],
          ['tokenizer.ggml.model', string(model)],
          ['tokenizer.ggml.pre', string('gpt-2')],
          ['tokenizer.ggml.tokens', strings(tokens)],
          ['tokenizer.ggml.merges', strings(merges)],
          [
            'tokenizer.ggml.token_type',
            {
              type: 'array',
              value: { type: 'int32', values: Int32Array.from(types.slice(0, tokens.length)) },
            },
          ],
          ['tokenizer.ggml.unknown_token_id', { type: 'uint32', value: unknown }],
          ['tokenizer.ggml.bos_token_id', { type: 'uint32', value: 99 }],
          ['tokenizer.ggml.eos_token_id', { type: 'uint32', value: 99 }],
          ['tokenizer.ggml.seperator_token_id', { type: 'uint32', value: 99 }],
        ]),
      );
      for (const parseSpecial of [false, true]) {
        const options = { addSpecial: false, parseSpecial };
        const all = [...tokenizer.encode(text, options)];
        const expected = all.length > limit ? OVER : all;
        assert.deepEqual(within(tokenizer, text, { limit }, options), expected);
        assert.deepEqual(within(tokenizer, text, { limit, cut: true }, options), all.slice(0, limit));
      }
    }),
    { numRuns: 500 },
  );
});

test('the bound from characters alone is never more than the tokens, and is worth something', () => {
  const boundOf = new Map([
    ['minimind2-q8_0', createByteLeast(real.get('minimind2-q8_0')!.vocabulary)],
    ['tinyllama', createUnitLeast(real.get('tinyllama')!.vocabulary)],
  ]);
  for (const [name, least] of boundOf) {
    const tokenizer = real.get(name)!;
    fc.assert(
      fc.property(texts, (text) => {
        const tokens = tokenizer.encode(text, { addSpecial: false }).length;
        assert.ok(least(text, Number.POSITIVE_INFINITY) <= tokens);
      }),
      { numRuns: 60 },
    );
    assert.ok(least('Once upon a time '.repeat(1_000), 100_000) > 500);
  }
});

test('a long text is tokenized in many steps', () => {
  for (const tokenizer of real.values()) {
    const steps = tokenizer.encodeSteps('a'.repeat(120_000), {}, {}, null);
    let count = 0;
    while (steps.next().done !== true) count++;
    assert.ok(count > 10, `${count} steps`);
  }
});
