/** Llama and Mistral. RoPE over neighbouring pairs (GGUF stores q and k permuted for it). @module engine/arch/llama */
import {
  attentionTensors,
  embedTensors,
  gatedFeedForwardTensors,
  headTensors,
  preNormBlock,
  readHyperparameters,
} from './common.ts';
import type { Architecture } from './types.ts';

export const llama: Architecture = {
  name: 'llama',
  task: 'text',
  read: (gguf) => readHyperparameters(gguf, 'llama', { ropeMode: 0 }),
  blockTensors: (h, il) => [...attentionTensors(h, il), ...gatedFeedForwardTensors(h, il)],
  embedTensors,
  headTensors,
  embed: (_g, x) => x,
  block: (g, il, x) => preNormBlock(g, il, x),
  headNorm: (g, x) => g.rmsNorm('output_norm', x),
};
