import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { getLlama, type Llama, type Token } from 'node-llama-cpp';
import { makeRandomModel, type RandomModel } from './random-model.ts';

const base = {
  blocks: 2,
  embedding: 64,
  heads: 4,
  kvHeads: 2,
  ffn: 96,
  vocab: 300,
  type: 'F16',
  seed: 1,
} as const;

const decoders: readonly RandomModel[] = [
  { ...base, arch: 'llama', type: 'F32', ropeFreqs: true },
  { ...base, arch: 'llama', type: 'Q8_0', ropeScaling: { type: 'yarn', factor: 4 }, tied: true },
  // Rows of 72 and 100 values are no whole blocks: those matrices stay F16.
  {
    ...base,
    arch: 'llama',
    type: 'Q4_0',
    embedding: 72,
    heads: 6,
    kvHeads: 6,
    ffn: 100,
    attentionBias: true,
  },
  { ...base, arch: 'qwen2', type: 'Q4_0' },
  { ...base, arch: 'qwen3', headDim: 32 },
  { ...base, arch: 'gemma3', headDim: 32, blocks: 7, slidingWindow: 4, slidingPattern: 3 },
  { ...base, arch: 'gemma3', type: 'Q8_0', slidingPattern: [true, false] },
  { ...base, arch: 'phi3', longRope: true },
];

let folder = '';
let llama: Llama;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kith-random-'));
  llama = await getLlama({ gpu: false, build: 'never', logLevel: 'error' as never, maxThreads: 1 });
});
after(async () => {
  await llama.dispose();
  await rm(folder, { recursive: true });
});

for (const [index, model] of decoders.entries()) {
  test(`llama.cpp loads and runs a random ${model.arch} of ${model.type} (${index})`, async () => {
    const path = join(folder, `${index}.gguf`);
    await makeRandomModel(model, path);
    const loaded = await llama.loadModel({ modelPath: path });
    const context = await loaded.createContext({ contextSize: 64, threads: 1 });
    const sequence = context.getSequence();
    const prompt = loaded.tokenize('The cat sat') as Token[];
    const generated: number[] = [];
    for await (const token of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
      generated.push(token);
      if (generated.length === 6) break;
    }
    assert.equal(generated.length, 6);
    assert.ok(generated.every((token) => token < model.vocab));
    await loaded.dispose();
  });
}

for (const pooling of [1, 2] as const) {
  test(`llama.cpp embeds with a random bert, pooling ${pooling}`, async () => {
    const path = join(folder, `bert-${pooling}.gguf`);
    await makeRandomModel({ ...base, arch: 'bert', kvHeads: 4, type: 'Q8_0', pooling }, path);
    const loaded = await llama.loadModel({ modelPath: path });
    const context = await loaded.createEmbeddingContext({ contextSize: 64, threads: 1 });
    const { vector } = await context.getEmbeddingFor('the cat');
    assert.equal(vector.length, 64);
    assert.ok(vector.some((value) => value !== 0) && vector.every(Number.isFinite));
    await loaded.dispose();
  });
}

test('the same options give the same bytes, another seed gives others', async () => {
  const make = async (seed: number) =>
    (await makeRandomModel({ ...base, arch: 'llama', seed }, join(folder, 'seed.gguf'))).sha256;
  assert.equal(await make(5), await make(5));
  assert.notEqual(await make(5), await make(6));
});
