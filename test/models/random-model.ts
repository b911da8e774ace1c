/**
 * Complete small GGUFs with random weights for architectures whose real weights are not at hand. llama.cpp loads
 * and runs them, so our graphs can be compared with its own. The same options give the same bytes.
 *
 * @example
 * await makeRandomModel({ arch: 'qwen3', blocks: 3, embedding: 64, heads: 4, kvHeads: 2, ffn: 128, vocab: 320,
 *   type: 'Q8_0', seed: 1 }, path);
 *
 * @module test/models/random-model
 */

import { quantise, type WrittenGguf, writeGguf } from '../../src/models/gguf/index.ts';
import { GGML } from '../../src/models/import/plan.ts';
import { bool, bools, float32, type MetadataEntry, string, uint32 } from '../../src/models/import/values.ts';
import { sentencePieceVocabulary, wordPieceVocabulary } from './synthetic-vocab.ts';

export type RandomArch = 'llama' | 'qwen2' | 'qwen3' | 'gemma3' | 'phi3' | 'bert';

export interface RandomModel {
  readonly arch: RandomArch;
  readonly blocks: number;
  readonly embedding: number;
  readonly heads: number;
  /** Must equal `heads` for bert. */
  readonly kvHeads: number;
  /** @default embedding / heads (phi3 and bert allow nothing else) */
  readonly headDim?: number;
  readonly ffn: number;
  /** At least 260 (bert: 104). */
  readonly vocab: number;
  /** Type of the matrices; a row that is no multiple of 32 falls back to F16. Norms and biases are F32. */
  readonly type: 'F32' | 'F16' | 'Q8_0' | 'Q4_0';
  readonly seed: number;
  /** @default 512 */
  readonly context?: number;
  /** @default 10000 (gemma3: 1000000) */
  readonly ropeTheta?: number;
  /** Values of a head that are rotated. @default all */
  readonly ropeDims?: number;
  /** The head is the embedding. @default true for gemma3, false otherwise */
  readonly tied?: boolean;
  /** gemma3: tokens a local block looks back. @default 16 */
  readonly slidingWindow?: number;
  /** gemma3: every n-th block is global, or a flag per block (true = local). @default 6, llama.cpp's own */
  readonly slidingPattern?: number | readonly boolean[];
  /** llama: adds `rope_freqs.weight`, as Llama 3.1 has. */
  readonly ropeFreqs?: boolean;
  /** phi3: adds `rope_factors_long/short.weight` and an original context of half the context. */
  readonly longRope?: boolean;
  readonly ropeScaling?: { readonly type: 'linear' | 'yarn'; readonly factor: number };
  /** bert: 1 mean, 2 first token. @default 1 */
  readonly pooling?: 1 | 2;
  /** Biases on q, k and v where the architecture leaves the choice (llama, qwen3 have none by default). */
  readonly attentionBias?: boolean;
  /** Texts of control tokens at the end of the vocabulary. @default none */
  readonly control?: readonly string[];
  /** Jinja chat template. @default none */
  readonly template?: string;
}

interface Tensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly kind: 'matrix' | 'table' | 'norm' | 'bias' | 'factors';
}

/** Writes the model and gives its size, sha256 and header. */
export async function makeRandomModel(model: RandomModel, path: string): Promise<WrittenGguf> {
  const size = headSize(model);
  if (model.heads % model.kvHeads !== 0 || size % 2 !== 0) throw new Error('Heads do not divide.');
  const plain = model.arch === 'phi3' || model.arch === 'bert';
  if (plain && size * model.heads !== model.embedding)
    throw new Error(`${model.arch} has no head size of its own.`);
  return writeGguf(path, {
    metadata: metadata(model),
    tensors: tensors(model).map((tensor) => {
      const codec = codecOf(model, tensor);
      return {
        name: tensor.name,
        dims: tensor.dims,
        type: GGML[codec],
        data: async () => quantise(codec, randomValues(tensor, model)),
      };
    }),
  });
}

function headSize(model: RandomModel): number {
  return model.headDim ?? model.embedding / model.heads;
}

function codecOf(model: RandomModel, tensor: Tensor): 'F32' | 'F16' | 'Q8_0' | 'Q4_0' {
  if (tensor.kind !== 'matrix') return 'F32';
  const blocks = model.type === 'Q8_0' || model.type === 'Q4_0';
  return blocks && (tensor.dims[0] as number) % 32 !== 0 ? 'F16' : model.type;
}

function metadata(model: RandomModel): MetadataEntry[] {
  const { arch } = model;
  const size = headSize(model);
  const context = model.context ?? 512;
  const entries: MetadataEntry[] = [
    ['general.architecture', string(arch)],
    // Without the architecture: llama.cpp changes token types of models that call themselves phi-3.
    ['general.name', string('Random weights')],
    ['general.file_type', uint32({ F32: 0, F16: 1, Q4_0: 2, Q8_0: 7 }[model.type])],
    [`${arch}.context_length`, uint32(context)],
    [`${arch}.embedding_length`, uint32(model.embedding)],
    [`${arch}.block_count`, uint32(model.blocks)],
    [`${arch}.feed_forward_length`, uint32(model.ffn)],
    [`${arch}.attention.head_count`, uint32(model.heads)],
    [`${arch}.attention.head_count_kv`, uint32(model.kvHeads)],
  ];
  if (arch === 'bert') {
    entries.push(
      ['bert.attention.layer_norm_epsilon', float32(1e-12)],
      ['bert.attention.causal', bool(false)],
      ['bert.pooling_type', uint32(model.pooling ?? 1)],
      ...wordPieceVocabulary(model.vocab),
    );
    return entries;
  }
  entries.push(
    [`${arch}.attention.layer_norm_rms_epsilon`, float32(1e-6)],
    [`${arch}.rope.freq_base`, float32(model.ropeTheta ?? (arch === 'gemma3' ? 1e6 : 1e4))],
    [`${arch}.rope.dimension_count`, uint32(model.ropeDims ?? size)],
  );
  if (size * model.heads !== model.embedding) {
    entries.push(
      [`${arch}.attention.key_length`, uint32(size)],
      [`${arch}.attention.value_length`, uint32(size)],
    );
  }
  if (model.ropeScaling) {
    entries.push(
      [`${arch}.rope.scaling.type`, string(model.ropeScaling.type)],
      [`${arch}.rope.scaling.factor`, float32(model.ropeScaling.factor)],
      [`${arch}.rope.scaling.original_context_length`, uint32(context)],
    );
  }
  if (arch === 'gemma3') {
    const pattern = model.slidingPattern;
    entries.push(['gemma3.attention.sliding_window', uint32(model.slidingWindow ?? 16)]);
    entries.push(['gemma3.rope.freq_base_swa', float32(1e4)]);
    if (pattern !== undefined) {
      const value = typeof pattern === 'number' ? uint32(pattern) : bools(pattern);
      entries.push(['gemma3.attention.sliding_window_pattern', value]);
    }
  }
  if (arch === 'phi3' && model.longRope) {
    entries.push(
      ['phi3.rope.scaling.original_context_length', uint32(context / 2)],
      ['phi3.rope.scaling.attn_factor', float32(1.19)],
    );
  }
  if (model.template !== undefined) entries.push(['tokenizer.chat_template', string(model.template)]);
  entries.push(...sentencePieceVocabulary(model.vocab, model.control));
  return entries;
}

function tensors(model: RandomModel): Tensor[] {
  return model.arch === 'bert' ? bertTensors(model) : decoderTensors(model);
}

function decoderTensors(model: RandomModel): Tensor[] {
  const { arch, embedding, ffn, vocab } = model;
  const size = headSize(model);
  const q = size * model.heads;
  const kv = size * model.kvHeads;
  const out: Tensor[] = [matrix('token_embd.weight', embedding, vocab)];
  for (let i = 0; i < model.blocks; i++) {
    const at = (name: string): string => `blk.${i}.${name}`;
    out.push(norm(at('attn_norm.weight'), embedding));
    if (arch === 'phi3') {
      out.push(matrix(at('attn_qkv.weight'), embedding, q + 2 * kv));
    } else {
      out.push(matrix(at('attn_q.weight'), embedding, q));
      out.push(matrix(at('attn_k.weight'), embedding, kv));
      out.push(matrix(at('attn_v.weight'), embedding, kv));
    }
    if (arch === 'qwen2' || model.attentionBias) {
      out.push(bias(at('attn_q.bias'), q), bias(at('attn_k.bias'), kv), bias(at('attn_v.bias'), kv));
    }
    if (arch === 'qwen3' || arch === 'gemma3') {
      out.push(norm(at('attn_q_norm.weight'), size), norm(at('attn_k_norm.weight'), size));
    }
    out.push(matrix(at('attn_output.weight'), q, embedding));
    if (arch === 'gemma3') out.push(norm(at('post_attention_norm.weight'), embedding));
    out.push(norm(at('ffn_norm.weight'), embedding));
    // phi3 keeps gate and up in one matrix, gate first.
    if (arch === 'phi3') out.push(matrix(at('ffn_up.weight'), embedding, 2 * ffn));
    else out.push(matrix(at('ffn_gate.weight'), embedding, ffn), matrix(at('ffn_up.weight'), embedding, ffn));
    out.push(matrix(at('ffn_down.weight'), ffn, embedding));
    if (arch === 'gemma3') out.push(norm(at('post_ffw_norm.weight'), embedding));
  }
  out.push(norm('output_norm.weight', embedding));
  if (!(model.tied ?? arch === 'gemma3')) out.push(matrix('output.weight', embedding, vocab));
  const rotated = (model.ropeDims ?? size) / 2;
  if (model.ropeFreqs) out.push({ name: 'rope_freqs.weight', dims: [rotated], kind: 'factors' });
  if (model.longRope) {
    out.push({ name: 'rope_factors_long.weight', dims: [rotated], kind: 'factors' });
    out.push({ name: 'rope_factors_short.weight', dims: [rotated], kind: 'factors' });
  }
  return out;
}

function bertTensors(model: RandomModel): Tensor[] {
  const { embedding, ffn } = model;
  const layerNorm = (name: string): Tensor[] => [
    norm(`${name}.weight`, embedding),
    bias(`${name}.bias`, embedding),
  ];
  const linear = (name: string, columns: number, rows: number): Tensor[] => [
    matrix(`${name}.weight`, columns, rows),
    bias(`${name}.bias`, rows),
  ];
  const out: Tensor[] = [
    matrix('token_embd.weight', embedding, model.vocab),
    { name: 'position_embd.weight', dims: [embedding, model.context ?? 512], kind: 'table' },
    { name: 'token_types.weight', dims: [embedding, 2], kind: 'table' },
    ...layerNorm('token_embd_norm'),
  ];
  for (let i = 0; i < model.blocks; i++) {
    out.push(
      ...linear(`blk.${i}.attn_q`, embedding, embedding),
      ...linear(`blk.${i}.attn_k`, embedding, embedding),
      ...linear(`blk.${i}.attn_v`, embedding, embedding),
      ...linear(`blk.${i}.attn_output`, embedding, embedding),
      ...layerNorm(`blk.${i}.attn_output_norm`),
      ...linear(`blk.${i}.ffn_up`, embedding, ffn),
      ...linear(`blk.${i}.ffn_down`, ffn, embedding),
      ...layerNorm(`blk.${i}.layer_output_norm`),
    );
  }
  return out;
}

const matrix = (name: string, columns: number, rows: number): Tensor => ({
  name,
  dims: [columns, rows],
  kind: 'matrix',
});
const norm = (name: string, size: number): Tensor => ({ name, dims: [size], kind: 'norm' });
const bias = (name: string, size: number): Tensor => ({ name, dims: [size], kind: 'bias' });

/** Spread of the values per kind: matrices keep the size of a vector, norms lie around one. */
function randomValues(tensor: Tensor, model: RandomModel): Float32Array {
  const count = tensor.dims.reduce((product, dim) => product * dim, 1);
  const next = generator(model.seed, tensor.name);
  const columns = tensor.dims[0] as number;
  const gain = tensor.name === 'token_embd.weight' ? embeddingGain(model) : 1;
  const out = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    // Uniform in [-1, 1) has a variance of 1/3.
    const u = next() * 2 - 1;
    if (tensor.kind === 'matrix') out[i] = u * Math.sqrt(3 / columns) * gain;
    else if (tensor.kind === 'norm') out[i] = 1 + 0.2 * u;
    else if (tensor.kind === 'factors') out[i] = 1.5 + 0.5 * u;
    else out[i] = (tensor.kind === 'bias' ? 0.2 : 0.5) * u;
  }
  return out;
}

/** Tokens weigh as much as what a block adds, so that the blocks decide; gemma3 multiplies by sqrt(embedding). */
function embeddingGain(model: RandomModel): number {
  return model.arch === 'gemma3' ? 2 / Math.sqrt(model.embedding) : 4;
}

/** mulberry32 over the seed and the tensor's name (FNV-1a): tensors do not depend on each other. */
function generator(seed: number, name: string): () => number {
  let state = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < name.length; i++) state = Math.imul(state ^ name.charCodeAt(i), 0x01000193) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
