/** Rows that are computed together `each` as if alone have the bits that passes of one row give. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { testModel } from './models/index.ts';
import { makeRandomModel, type RandomModel } from './models/random-model.ts';
import { straightCells } from './runner-support.ts';
import { assertEach, withRunner } from './single-rows-support.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kith-rows-'));
});
after(() => rm(folder, { recursive: true, force: true }));

for (const name of ['stories15m-f16', 'stories15m-q4_0', 'minimind2-q8_0'] as const) {
  test(`rows of ${name} have the bits of single rows, also where attention grows by a step`, async () => {
    const path = await testModel(name);
    await withRunner(path, 1, (runner) => assertEach(runner, 249, [2, 8, 16]));
  });
}

test('rows of TinyLlama IQ2_XXS have the bits of single rows', async () => {
  const path = await testModel('tinyllama');
  const range = { from: 0, to: 2, embed: true, head: true };
  await withRunner(path, 1, (runner) => assertEach(runner, 5, [2, 4, 8, 16]), range);
});

const base = { blocks: 3, embedding: 128, heads: 4, kvHeads: 2, ffn: 256, vocab: 320, seed: 7 } as const;
const models: Record<string, RandomModel> = {
  'llama Q4_0 with a tied head': { ...base, arch: 'llama', type: 'Q4_0', tied: true },
  'qwen2 F16': { ...base, arch: 'qwen2', type: 'F16', kvHeads: 1 },
  'qwen3 F32 with wide heads': { ...base, arch: 'qwen3', type: 'F32', headDim: 64 },
  'gemma3 F32 with a sliding window': { ...base, arch: 'gemma3', type: 'F32', blocks: 7, slidingWindow: 8 },
  'phi3 F16': { ...base, arch: 'phi3', type: 'F16' },
};
for (const [name, model] of Object.entries(models)) {
  test(`rows of ${name} have the bits of single rows`, async () => {
    const path = join(folder, `${name.replace(/\W+/g, '-')}.gguf`);
    await makeRandomModel(model, path);
    await withRunner(path, 1, (runner) => assertEach(runner, 11, [2, 5, 9]));
    const blocks = { from: 1, to: 3, embed: false, head: false };
    await withRunner(path, 1, (runner) => assertEach(runner, 11, [3]), blocks);
  });
}

test('rows of several sequences in one pass are each as if alone, and too many are refused', async () => {
  const path = await testModel('stories15m-q8_0');
  await withRunner(path, 1, async (runner) => {
    const low = straightCells(64);
    const high = Int32Array.from({ length: 64 }, (_, i) => 300 + i);
    const tokens = (seed: number, count: number) =>
      Int32Array.from({ length: count }, (_, i) => seed + i * 7);
    const forward = async (...parts: (readonly [Int32Array, number, Int32Array, 'last' | 'each'])[]) =>
      (
        await runner.forward(
          parts.map(([cells, start, ids, outputs]) => ({
            cells,
            start,
            count: ids.length,
            tokens: ids,
            hidden: null,
            outputs,
          })),
        )
      ).rows;
    await forward([low, 0, tokens(20, 9), 'last']);
    await forward([high, 0, tokens(50, 9), 'last']);
    const expected: number[] = [];
    for (const id of tokens(90, 4))
      expected.push(...(await forward([low, 9 + expected.length / 32000, Int32Array.of(id), 'last'])));
    const other = await forward([high, 9, Int32Array.of(77), 'last']);
    const rows = await forward([high, 9, Int32Array.of(77), 'last'], [low, 9, tokens(90, 4), 'each']);
    assert.deepEqual(rows.subarray(0, 32000), other);
    assert.deepEqual(rows.subarray(32000), Float32Array.from(expected));
    await assert.rejects(forward([straightCells(128), 0, tokens(3, 65), 'each']), {
      code: 'forward_invalid',
    });
  });
});
