/** The embedded model, split at every block boundary (23 loads of 322 MB) and over many tokens: too long for every run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTokenizer } from '../../src/engine/tokenizer/index.ts';
import { testModel } from '../models/index.ts';
import { sameTokens } from '../reference/same-tokens.ts';
import { chain, withGguf } from '../runner-support.ts';

test('TinyLlama split at every block boundary gives the logits of the whole', async () => {
  await withGguf(await testModel('tinyllama'), async (gguf, open) => {
    const tokens = [...createTokenizer(gguf.metadata).encode('The capital of France is')];
    await using whole = await open();
    const { blocks } = whole.info;
    const expected = await chain([whole], tokens);
    for (let cut = 0; cut <= blocks; cut++) {
      await using first = await open({ from: 0, to: cut, embed: true, head: false });
      await using second = await open({ from: cut, to: blocks, embed: false, head: true });
      const actual = await chain([first, second], tokens);
      for (const [i, row] of actual.entries()) assert.deepEqual(row, expected[i], `cut at ${cut}, pass ${i}`);
    }
  });
});

test("200 greedy tokens of TinyLlama are llama.cpp's", () => sameTokens('tinyllama', 200));
