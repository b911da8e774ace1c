/**
 * Phi-3 and Phi-4: q, k, v in one matrix, gate and up in one matrix, long or short RoPE factors chosen by the
 * context the model is opened with.
 *
 * @module engine/arch/phi3
 */
import { embedTensors, headTensors, readHyperparameters } from './common.ts';
import type { Architecture } from './types.ts';

export const phi3: Architecture = {
  name: 'phi3',
  task: 'text',
  read: (gguf) => readHyperparameters(gguf, 'phi3', { ropeMode: 2 }),
  blockTensors(h, il) {
    const p = `blk.${il}.`;
    const qkv = (h.heads + h.kvHeads) * h.headDim + h.kvHeads * h.headDimV;
    return [
      { name: `${p}attn_norm.weight`, dims: [h.embedding], required: true },
      { name: `${p}attn_qkv.weight`, dims: [h.embedding, qkv], required: true },
      { name: `${p}attn_output.weight`, dims: [h.heads * h.headDimV, h.embedding], required: true },
      { name: `${p}ffn_norm.weight`, dims: [h.embedding], required: true },
      { name: `${p}ffn_up.weight`, dims: [h.embedding, 2 * h.feedForward], required: true },
      { name: `${p}ffn_down.weight`, dims: [h.feedForward, h.embedding], required: true },
    ];
  },
  embedTensors,
  headTensors,
  embed: (_g, x) => x,
  block(g, il, x) {
    const h = g.hyper;
    const p = `blk.${il}.`;
    const f32 = 4;
    const qWidth = h.heads * h.headDim;
    const kWidth = h.kvHeads * h.headDim;
    const rowBytes = (qWidth + kWidth + h.kvHeads * h.headDimV) * f32;
    const qkv = g.linear(`${p}attn_qkv`, g.rmsNorm(`${p}attn_norm`, x));
    const part = (dim: number, heads: number, offset: number) =>
      g.ops.view3d(qkv, [dim, heads, g.rows], dim * f32, rowBytes, offset * f32);
    const q = g.ops.scale(g.rope(part(h.headDim, h.heads, 0), il), h.attentionScale);
    const k = g.rope(part(h.headDim, h.kvHeads, qWidth), il);
    const v = g.ops.cont(part(h.headDimV, h.kvHeads, qWidth + kWidth));
    const attended = g.attend(il, q, k, v, 1);
    const rows = g.rowsAfter(il);
    if (rows === 0) return null;
    const mid = g.ops.add(g.linear(`${p}attn_output`, g.select(il, attended), rows), g.select(il, x));
    const up = g.linear(`${p}ffn_up`, g.rmsNorm(`${p}ffn_norm`, mid), rows);
    return g.ops.add(mid, g.linear(`${p}ffn_down`, g.ops.swiglu(up), rows));
  },
  headNorm: (g, x) => g.rmsNorm('output_norm', x),
};
