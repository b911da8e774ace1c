import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { getLlama, type Llama, LlamaLogLevel, type Token } from 'node-llama-cpp';
import { testModel } from '../../../test/models/index.ts';
import { fc } from '../../../test/property.ts';
import type { Gguf } from '../../models/index.ts';
import { fileSource, readGguf, writeGguf } from '../../models/index.ts';
import { createFullTokenizer, PRE_TOKENIZERS } from './index.ts';

const PIECES = [
  "don't I'LL 've 'S",
  '  def f(x):\n\t\treturn x**2  # ok\n\n\n',
  '👩‍👩‍👧‍👦🏳️‍🌈',
  '漢字かなカナ、한국어。',
  'שלום عليكم، ١٢٣ हिन्दी ไทย',
  'e\u0301\u0302o\u0308 ÀÉîõü İſK',
  '12 345,678.90 1234567 ½Ⅷ²',
  'Supercalifragilisticexpialidocious'.repeat(2),
  '<0x0A>▁x [UNK] [CLS]',
  " ' ' 't .",
  'IMGIMGABCZ<sentinel:12>',
  '\u0000\u0001\u007f\ud800',
  // Assigned after Unicode 15: unassigned to the models.
  '\u1c89\u{10d50}',
];

const textFor = (specials: readonly string[]): fc.Arbitrary<string> =>
  fc
    .array(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 10 }),
        fc.string({ unit: 'grapheme', maxLength: 10 }),
        fc.string({ unit: 'grapheme-ascii', maxLength: 16 }),
        fc.string({
          unit: fc.constantFrom(...' \n\t\r\u00a0\u3000\u2003\u0085\ufeff\u200ba.'),
          maxLength: 10,
        }),
        fc.string({ unit: fc.constantFrom(...'0199٣² a.'), maxLength: 12 }),
        fc.constantFrom(...PIECES),
        fc.constantFrom(...specials, ...specials.map((text) => text.slice(1))),
      ),
      { maxLength: 7 },
    )
    .map((parts) => parts.join(''));

let llama: Llama;
let folder: string;
before(async () => {
  llama = await getLlama({ gpu: false, build: 'never', logLevel: LlamaLogLevel.disabled });
  folder = await mkdtemp(join(tmpdir(), 'kith-tokenizer-'));
});
after(async () => {
  await llama.dispose();
  await rm(folder, { recursive: true });
});

async function metadataOf(path: string): Promise<Gguf['metadata']> {
  await using source = await fileSource(path);
  return (await readGguf(source)).metadata;
}

/** Compares ids of texts that are long enough to be tokenized in parts. */
async function compareLong(path: string): Promise<void> {
  const model = await llama.loadModel({ modelPath: path, vocabOnly: true });
  const ours = createFullTokenizer(await metadataOf(path));
  for (const text of [
    `${PIECES.join(' ')} `.repeat(100),
    'ab  c'.repeat(6_000),
    'Supercali_'.repeat(2_000),
  ]) {
    const long = text.toWellFormed();
    assert.deepEqual(ours.encode(long, { addSpecial: false }), Int32Array.from(model.tokenize(long)));
  }
  await model.dispose();
}

/** Compares ids, text and ends of generation for random texts and random tokens. */
async function compare(path: string, numRuns: number): Promise<void> {
  const model = await llama.loadModel({ modelPath: path, vocabOnly: true });
  const ours = createFullTokenizer(await metadataOf(path));
  const { texts, guarded } = ours.vocabulary;
  const specials = [...[...guarded].slice(0, 20).map((id) => texts[id]!), '<|im_end|>', '</s>'];
  const cases = fc.tuple(textFor(specials), fc.boolean(), fc.array(fc.nat(ours.size - 1), { maxLength: 6 }));
  let tokens = 0;
  fc.assert(
    fc.property(cases, ([text, parseSpecial, random]) => {
      const expected = [...model.tokenize(text, parseSpecial)];
      tokens += expected.length;
      assert.deepEqual([...ours.encode(text, { addSpecial: false, parseSpecial })], expected);
      for (const ids of [expected, random as Token[]]) {
        if (ids.length === 0) continue;
        assert.equal(ours.decode(ids, { special: parseSpecial }), model.detokenize(ids, parseSpecial));
      }
    }),
    { numRuns },
  );
  assert.ok(tokens > numRuns, 'the texts had tokens to compare');
  for (let id = 0; id < ours.size; id++) {
    assert.equal(ours.eog.has(id), model.isEogToken(id as Token), `end of generation: ${texts[id]}`);
  }
  assert.equal(ours.bos, model.tokens.bos);
  assert.equal(ours.eos, model.tokens.eos);
  await model.dispose();
}

test('TinyLlama texts get the ids llama.cpp gives them', async () => {
  await compare(await testModel('tinyllama'), 400);
});

test('MiniMind2 texts get the ids llama.cpp gives them', async () => {
  await compare(await testModel('minimind2-q8_0'), 400);
});

test('MiniLM texts get the ids llama.cpp gives them', async () => {
  await compare(await testModel('minilm-f16'), 400);
});

test('long texts get the ids llama.cpp gives them', async () => {
  for (const name of ['tinyllama', 'minimind2-q8_0', 'minilm-f16'] as const)
    await compareLong(await testModel(name));
});

test('every pre-tokenizer cuts texts where llama.cpp cuts them', async () => {
  const metadata = await metadataOf(await testModel('minimind2-q8_0'));
  for (const [pre, { plainText }] of PRE_TOKENIZERS) {
    // These need a vocabulary of plain text, which the next test makes.
    if (pre === '' || plainText === true) continue;
    const path = join(folder, `${pre}.gguf`);
    const changed = new Map(metadata).set('tokenizer.ggml.pre', { type: 'string', value: pre });
    await writeGguf(path, { metadata: changed, tensors: [] });
    await compare(path, 40);
  }
});

test('byte-level merges over plain text (Gemma 4, Sarvam) give the ids llama.cpp gives', async () => {
  const source = await metadataOf(await testModel('minimind2-q8_0'));
  const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`);
  const letters = [...'▁abcdefgh\n'];
  const pairs = letters.slice(0, 9).flatMap((a) => [`${a}a`, `${a}b`]);
  const tokens = ['<pad>', '<eos>', '<bos>', ...bytes, ...letters, ...pairs, '\n\n', '\n\n\n', '漢字', '▁aa'];
  const types = Int32Array.from(tokens, (_, id) => (id < 3 ? 3 : id < 259 ? 6 : 1));
  const merges = [...pairs.map((pair) => `${pair[0]} ${pair[1]}`), '▁ aa', '▁a a'];
  const base = new Map([...source].filter(([key]) => !key.startsWith('tokenizer.')));
  const string = (value: string) => ({ type: 'string', value }) as const;
  const strings = (values: string[]) => ({ type: 'array', value: { type: 'string', values } }) as const;
  for (const [model, pre] of [
    ['gemma4', 'gemma4'],
    ['gpt2', 'sarvam-moe'],
    ['gpt2', 'granite-embed-multi-311m'],
  ] as const) {
    const metadata: Map<string, NonNullable<ReturnType<typeof source.get>>> = new Map(base);
    metadata.set('tokenizer.ggml.model', string(model));
    metadata.set('tokenizer.ggml.pre', string(pre));
    metadata.set('tokenizer.ggml.tokens', strings(tokens));
    metadata.set('tokenizer.ggml.merges', strings(merges));
    metadata.set('tokenizer.ggml.token_type', { type: 'array', value: { type: 'int32', values: types } });
    metadata.set('tokenizer.ggml.bos_token_id', { type: 'uint32', value: 2 });
    metadata.set('tokenizer.ggml.eos_token_id', { type: 'uint32', value: 1 });
    const path = join(folder, `${pre}.gguf`);
    await writeGguf(path, { metadata, tensors: [] });
    await compare(path, 100);
  }
});
