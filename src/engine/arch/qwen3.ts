/** Qwen3 (dense): half-split RoPE, RMS norm on each head of q and k. @module engine/arch/qwen3 */
import {
  attentionTensors,
  gatedFeedForwardTensors,
  headNormed,
  preNormBlock,
  readHyperparameters,
} from './common.ts';
import { llama } from './llama.ts';
import type { Architecture } from './types.ts';

export const qwen3: Architecture = {
  ...llama,
  name: 'qwen3',
  read: (gguf) => readHyperparameters(gguf, 'qwen3', { ropeMode: 2 }),
  blockTensors: (h, il) => [
    ...attentionTensors(h, il),
    ...gatedFeedForwardTensors(h, il),
    { name: `blk.${il}.attn_q_norm.weight`, dims: [h.headDim], required: true },
    { name: `blk.${il}.attn_k_norm.weight`, dims: [h.headDim], required: true },
  ],
  block: (g, il, x) =>
    preNormBlock(g, il, x, ({ q, k }) => ({
      q: headNormed(g, `blk.${il}.attn_q_norm`, q),
      k: headNormed(g, `blk.${il}.attn_k_norm`, k),
    })),
};
