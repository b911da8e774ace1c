/** Qwen2 and Qwen2.5: the llama block with biases on q, k, v and half-split RoPE. @module engine/arch/qwen2 */
import { readHyperparameters } from './common.ts';
import { llama } from './llama.ts';
import type { Architecture } from './types.ts';

export const qwen2: Architecture = {
  ...llama,
  name: 'qwen2',
  read: (gguf) => readHyperparameters(gguf, 'qwen2', { ropeMode: 2 }),
};
