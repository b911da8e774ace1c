/** Tensors of Llama, Mistral, Qwen2 and Qwen3 checkpoints. @module models/import/hf-decoder */

import type { DecoderShape } from './hf-config.ts';
import { llama3Divisors } from './hf-config.ts';
import {
  constantRows,
  GGML,
  interleavedRows,
  type PlannedTensor,
  type Quantisation,
  type RowReader,
} from './plan.ts';
import type { SafeTensor } from './safetensors.ts';
import { weights } from './weights.ts';

/** Buffers that older checkpoints saved along with the weights. */
const IGNORED = [/\.rotary_emb\.inv_freq$/, /\.attn\.(masked_)?bias$/];

/**
 * @throws InputError `import_missing_tensor`, `import_shape`, `import_unsupported`
 */
export function decoderTensors(
  tensors: ReadonlyMap<string, SafeTensor>,
  shape: DecoderShape,
  quantisation: Quantisation,
): PlannedTensor[] {
  // Checkpoints of the bare model leave out the prefix.
  const bare = new Map([...tensors].map(([name, tensor]) => [name.replace(/^model\./, ''), tensor]));
  const w = weights(bare, quantisation);
  const { embedding, heads, kvHeads, headSize, ffn, vocab } = shape;
  // Only llama.cpp's `llama` graph rotates neighbouring pairs; qwen keeps the order of the checkpoint.
  const rotated = shape.architecture === 'llama';
  const order = (columns: number) => (read: RowReader) =>
    rotated ? interleavedRows(read, headSize, columns) : read;
  const out: PlannedTensor[] = [w.matrix('token_embd.weight', 'embed_tokens.weight', vocab, embedding)];
  for (let i = 0; i < shape.blocks; i++) {
    const from = `layers.${i}.`;
    const to = `blk.${i}.`;
    const linear = (target: string, name: string, rows: number, columns: number, permute = false): void => {
      const rowOrder = permute ? order(columns) : undefined;
      out.push(w.matrix(`${to}${target}.weight`, `${from}${name}.weight`, rows, columns, rowOrder));
      if (!w.has(`${from}${name}.bias`)) return;
      out.push(w.plain(`${to}${target}.bias`, `${from}${name}.bias`, [rows], permute ? order(1) : undefined));
    };
    const norm = (target: string, name: string, size: number): void => {
      out.push(w.plain(`${to}${target}.weight`, `${from}${name}.weight`, [size]));
    };
    norm('attn_norm', 'input_layernorm', embedding);
    linear('attn_q', 'self_attn.q_proj', heads * headSize, embedding, true);
    linear('attn_k', 'self_attn.k_proj', kvHeads * headSize, embedding, true);
    linear('attn_v', 'self_attn.v_proj', kvHeads * headSize, embedding);
    linear('attn_output', 'self_attn.o_proj', embedding, heads * headSize);
    if (shape.architecture === 'qwen3') {
      norm('attn_q_norm', 'self_attn.q_norm', headSize);
      norm('attn_k_norm', 'self_attn.k_norm', headSize);
    }
    norm('ffn_norm', 'post_attention_layernorm', embedding);
    linear('ffn_gate', 'mlp.gate_proj', ffn, embedding);
    linear('ffn_up', 'mlp.up_proj', ffn, embedding);
    linear('ffn_down', 'mlp.down_proj', embedding, ffn);
  }
  out.push(w.plain('output_norm.weight', 'norm.weight', [embedding]));
  // A tied checkpoint may hold the head all the same; it is the embedding again.
  const headless = shape.tied || (!w.has('lm_head.weight') && tensors.has('embed_tokens.weight'));
  if (!headless) out.push(w.matrix('output.weight', 'lm_head.weight', vocab, embedding));
  w.refuseUnused(headless ? [...IGNORED, /^lm_head\.weight$/] : IGNORED);
  if (shape.scaling?.kind === 'llama3') out.push(ropeFrequencies(llama3Divisors(shape, shape.scaling)));
  return out;
}

function ropeFrequencies(divisors: Float32Array): PlannedTensor {
  return {
    name: 'rope_freqs.weight',
    dims: [divisors.length],
    type: GGML.F32,
    rows: constantRows(divisors, divisors.length),
  };
}
