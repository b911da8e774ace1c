/**
 * Gemma 3 (text): embeddings times sqrt(E) for token input only, norms before and after attention and
 * feed-forward, GELU gate, five sliding-window blocks to one global block with their own RoPE base.
 *
 * @module engine/arch/gemma3
 */
import { getInteger, getNumber } from '../../models/index.ts';
import {
  attentionTensors,
  embedTensors,
  finite,
  gatedFeedForward,
  gatedFeedForwardTensors,
  headNormed,
  headTensors,
  projectQkv,
  readHyperparameters,
  unsupported,
} from './common.ts';
import type { Architecture, Hyperparameters } from './types.ts';

const DEFAULT_PERIOD = 6;
/** Gemma 3 27B has 62 blocks and divides by the width per head instead of the head's own width. */
const BLOCKS_27B = 62;

export const gemma3: Architecture = {
  name: 'gemma3',
  task: 'text',
  read(gguf): Hyperparameters {
    const h = readHyperparameters(gguf, 'gemma3', { ropeMode: 2 });
    const window = getInteger(gguf, 'gemma3.attention.sliding_window', { fallback: 0, max: 1 << 26 });
    if (gguf.metadata.get('gemma3.attention.sliding_window_pattern')?.type === 'array') {
      throw unsupported('gemma3', 'a sliding-window pattern per block');
    }
    const period = getInteger(gguf, 'gemma3.attention.sliding_window_pattern', {
      fallback: DEFAULT_PERIOD,
      max: 1024,
    });
    return {
      ...h,
      attentionScale: h.blocks === BLOCKS_27B ? 1 / Math.sqrt(h.embedding / h.heads) : h.attentionScale,
      window: window > 0 ? window : null,
      isWindowed: (il) => window > 0 && (period === 0 || il % period < period - 1),
      ropeWindowed: {
        ...h.rope,
        base: finite(
          'gemma3',
          'rope.freq_base_swa',
          getNumber(gguf, 'gemma3.rope.freq_base_swa', 10_000),
          1,
          1e12,
        ),
        scale: 1,
      },
      logitSoftcap: finite(
        'gemma3',
        'final_logit_softcapping',
        getNumber(gguf, 'gemma3.final_logit_softcapping', 0),
        0,
        1e6,
      ),
    };
  },
  blockTensors: (h, il) => [
    ...attentionTensors(h, il),
    ...gatedFeedForwardTensors(h, il),
    { name: `blk.${il}.attn_q_norm.weight`, dims: [h.headDim], required: true },
    { name: `blk.${il}.attn_k_norm.weight`, dims: [h.headDim], required: true },
    { name: `blk.${il}.post_attention_norm.weight`, dims: [h.embedding], required: true },
    { name: `blk.${il}.post_ffw_norm.weight`, dims: [h.embedding], required: true },
  ],
  embedTensors,
  headTensors,
  embed: (g, x) => g.ops.scale(x, Math.sqrt(g.hyper.embedding)),
  block(g, il, x) {
    const p = `blk.${il}.`;
    const { q, k, v } = projectQkv(g, il, g.rmsNorm(`${p}attn_norm`, x));
    const rotated = g.rope(headNormed(g, `${p}attn_q_norm`, q), il);
    const scaled = g.ops.scale(rotated, g.hyper.attentionScale);
    const attended = g.attend(il, scaled, g.rope(headNormed(g, `${p}attn_k_norm`, k), il), v, 1);
    const rows = g.rowsAfter(il);
    if (rows === 0) return null;
    const projected = g.linear(`${p}attn_output`, g.select(il, attended), rows);
    const mid = g.ops.add(g.rmsNorm(`${p}post_attention_norm`, projected), g.select(il, x));
    const fed = gatedFeedForward(g, il, g.rmsNorm(`${p}ffn_norm`, mid), 'gelu');
    return g.ops.add(g.rmsNorm(`${p}post_ffw_norm`, fed), mid);
  },
  headNorm: (g, x) => g.rmsNorm('output_norm', x),
};
