/**
 * A prompt for each real model, continued by llama.cpp and by this engine.
 *
 * @module test/reference/same-tokens
 */
import assert from 'node:assert/strict';
import { createTokenizer } from '../../src/engine/tokenizer/index.ts';
import { testModel } from '../models/index.ts';
import { greedy, withGguf } from '../runner-support.ts';
import { openReference } from './libllama.ts';

const prompts = {
  'stories15m-f16': 'Once upon a time, there was a little robot who',
  'minimind2-q8_0': '<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n',
  tinyllama:
    '<|system|>\nYou are helpful.</s>\n<|user|>\nWhat is the capital of France?</s>\n<|assistant|>\n',
} as const;

/** Fails unless both continue the model's prompt by the same `count` tokens. */
export async function sameTokens(name: keyof typeof prompts, count: number): Promise<void> {
  const path = await testModel(name);
  await withGguf(path, async (gguf, open) => {
    const tokens = [
      ...createTokenizer(gguf.metadata).encode(prompts[name], { addSpecial: true, parseSpecial: true }),
    ];
    const reference = openReference(path, { context: 512 });
    const expected = reference.greedy(tokens, count);
    reference.close();
    await using runner = await open();
    assert.deepEqual(await greedy(runner, tokens, count), expected);
  });
}
