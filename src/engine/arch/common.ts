/**
 * Parts that the decoder architectures share: hyperparameters from GGUF keys, tensor lists, attention and
 * feed-forward of a pre-norm block.
 *
 * @module engine/arch/common
 */
import { KithError } from '../../base/index.ts';
import { type Gguf, getNumber, getNumbers, getString } from '../../models/index.ts';
import type { Tensor } from '../ggml/api.ts';
import type { RopeOptions } from '../ggml/ops.ts';
import type { BlockGraph, Hyperparameters, TensorNeed } from './types.ts';

export function unsupported(architecture: string, what: string): KithError {
  return new KithError(
    'architecture_unsupported',
    `The ${architecture} graph does not do ${what}; the model runs through the compatibility path instead.`,
    { status: 422, details: { architecture, what } },
  );
}

/** A per-model number that files may also store per block; blocks that differ are refused. */
function uniform(gguf: Gguf, architecture: string, key: string, fallback: number): number {
  const entry = gguf.metadata.get(key);
  if (entry === undefined) return fallback;
  if (entry.type !== 'array') return getNumber(gguf, key);
  const values = getNumbers(gguf, key);
  const first = values[0] ?? fallback;
  if (values.some((value) => value !== first))
    throw unsupported(architecture, `a ${key} that differs per block`);
  return first;
}

/** Bounds that keep shape arithmetic exact and native allocations sane, far above any published model. */
const MAX = {
  blocks: 1024,
  embedding: 65_536,
  heads: 1024,
  headDim: 1024,
  feedForward: 1_048_576,
  vocab: 2_000_000,
};

function bounded(architecture: string, name: string, value: number, max: number): number {
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new KithError('model_invalid', `${architecture}: ${name} is ${value}; allowed is 1 to ${max}.`, {
      status: 422,
    });
  }
  return value;
}

/** Values are rotated in pairs; ggml ends the process for an odd count. */
function even(architecture: string, name: string, value: number): number {
  if (value % 2 !== 0) {
    throw new KithError('model_invalid', `${architecture}: ${name} is ${value}; it must be even.`, {
      status: 422,
    });
  }
  return value;
}

export function finite(architecture: string, name: string, value: number, min: number, max: number): number {
  if (!(value >= min && value <= max)) {
    throw new KithError(
      'model_invalid',
      `${architecture}: ${name} is ${value}; allowed is ${min} to ${max}.`,
      { status: 422 },
    );
  }
  return value;
}

/** RoPE scaling as llama.cpp derives it: none, linear (position / factor) or YaRN (arXiv 2309.00071). */
function readRope(gguf: Gguf, a: string, headDim: number, context: number, mode: 0 | 2): RopeOptions {
  const type = getString(gguf, `${a}.rope.scaling.type`, 'linear');
  if (type !== 'none' && type !== 'linear' && type !== 'yarn' && type !== 'longrope') {
    throw unsupported(a, `rope scaling "${type}"`);
  }
  const factor = getNumber(gguf, `${a}.rope.scaling.factor`, getNumber(gguf, `${a}.rope.scale_linear`, 0));
  const scale = type === 'none' || factor === 0 ? 1 : 1 / finite(a, 'rope.scaling.factor', factor, 1e-3, 1e4);
  const ownFactor = getNumber(gguf, `${a}.rope.scaling.attn_factor`, 1);
  let attnFactor = ownFactor;
  if (type === 'yarn') {
    if (gguf.metadata.has(`${a}.rope.scaling.yarn_log_multiplier`))
      throw unsupported(a, 'YaRN with a log multiplier');
    const stretch = 1 / scale;
    const magnitude = stretch <= 1 ? 1 : 0.1 * Math.log(stretch) + 1;
    // ggml multiplies by 1 + 0.1 ln(factor) itself when extFactor != 0, so that part is cancelled here.
    attnFactor = (magnitude / (1 + 0.1 * Math.log(stretch))) * ownFactor;
  }
  return {
    dims: even(
      a,
      'rope.dimension_count',
      bounded(a, 'rope.dimension_count', getNumber(gguf, `${a}.rope.dimension_count`, headDim), headDim),
    ),
    mode,
    originalContext: bounded(
      a,
      'rope.scaling.original_context_length',
      getNumber(gguf, `${a}.rope.scaling.original_context_length`, context),
      1 << 26,
    ),
    base: finite(a, 'rope.freq_base', getNumber(gguf, `${a}.rope.freq_base`, 10_000), 1, 1e12),
    scale,
    extFactor:
      type === 'yarn'
        ? finite(a, 'yarn_ext_factor', getNumber(gguf, `${a}.rope.scaling.yarn_ext_factor`, 1), 0, 1e3)
        : 0,
    attnFactor: finite(a, 'rope attention factor', attnFactor, 1e-3, 1e3),
    betaFast: finite(a, 'yarn_beta_fast', getNumber(gguf, `${a}.rope.scaling.yarn_beta_fast`, 32), 0, 1e6),
    betaSlow: finite(a, 'yarn_beta_slow', getNumber(gguf, `${a}.rope.scaling.yarn_beta_slow`, 1), 0, 1e6),
  };
}

/** Reads what all architectures share. `ropeMode`: see RopeOptions. */
export function readHyperparameters(
  gguf: Gguf,
  a: string,
  options: { ropeMode: 0 | 2; epsilonKey?: string },
): Hyperparameters {
  const embedding = bounded(a, 'embedding_length', getNumber(gguf, `${a}.embedding_length`), MAX.embedding);
  const heads = bounded(
    a,
    'attention.head_count',
    uniform(gguf, a, `${a}.attention.head_count`, 0),
    MAX.heads,
  );
  const kvHeads = bounded(
    a,
    'attention.head_count_kv',
    uniform(gguf, a, `${a}.attention.head_count_kv`, heads),
    heads,
  );
  if (heads % kvHeads !== 0) throw unsupported(a, `${heads} heads over ${kvHeads} KV heads`);
  const headDim = bounded(
    a,
    'attention.key_length',
    getNumber(gguf, `${a}.attention.key_length`, Math.floor(embedding / heads)),
    MAX.headDim,
  );
  const headDimV = bounded(
    a,
    'attention.value_length',
    getNumber(gguf, `${a}.attention.value_length`, headDim),
    MAX.headDim,
  );
  const context = bounded(a, 'context_length', getNumber(gguf, `${a}.context_length`), 1 << 26);
  if (getNumber(gguf, `${a}.expert_count`, 0) > 0) throw unsupported(a, 'mixtures of experts');
  const embed = gguf.tensors.get('token_embd.weight');
  const vocab = embed?.dims[1] ?? getNumber(gguf, `${a}.vocab_size`);
  return {
    architecture: a,
    blocks: bounded(a, 'block_count', getNumber(gguf, `${a}.block_count`), MAX.blocks),
    embedding,
    heads,
    kvHeads,
    headDim,
    headDimV,
    feedForward: bounded(
      a,
      'feed_forward_length',
      uniform(gguf, a, `${a}.feed_forward_length`, 0),
      MAX.feedForward,
    ),
    vocab: bounded(a, 'vocabulary size', vocab, MAX.vocab),
    context,
    normEpsilon: finite(
      a,
      'norm epsilon',
      getNumber(gguf, options.epsilonKey ?? `${a}.attention.layer_norm_rms_epsilon`),
      0,
      1,
    ),
    rope: readRope(gguf, a, headDim, context, options.ropeMode),
    attentionScale: 1 / Math.sqrt(headDim),
    window: null,
    isWindowed: () => false,
    ropeWindowed: null,
    logitSoftcap: 0,
  };
}

/** q, k, v, o as separate matrices with optional biases. */
export function attentionTensors(h: Hyperparameters, il: number): TensorNeed[] {
  const p = `blk.${il}.`;
  const q = h.heads * h.headDim;
  const k = h.kvHeads * h.headDim;
  const v = h.kvHeads * h.headDimV;
  const need = (name: string, dims: number[], required = true): TensorNeed => ({
    name: p + name,
    dims,
    required,
  });
  return [
    need('attn_norm.weight', [h.embedding]),
    need('attn_q.weight', [h.embedding, q]),
    need('attn_k.weight', [h.embedding, k]),
    need('attn_v.weight', [h.embedding, v]),
    need('attn_q.bias', [q], false),
    need('attn_k.bias', [k], false),
    need('attn_v.bias', [v], false),
    need('attn_output.weight', [h.heads * h.headDimV, h.embedding]),
    need('attn_output.bias', [h.embedding], false),
  ];
}

export function gatedFeedForwardTensors(h: Hyperparameters, il: number): TensorNeed[] {
  const p = `blk.${il}.`;
  const need = (name: string, dims: number[], required = true): TensorNeed => ({
    name: p + name,
    dims,
    required,
  });
  return [
    need('ffn_norm.weight', [h.embedding]),
    need('ffn_gate.weight', [h.embedding, h.feedForward]),
    need('ffn_up.weight', [h.embedding, h.feedForward]),
    need('ffn_down.weight', [h.feedForward, h.embedding]),
    need('ffn_gate.bias', [h.feedForward], false),
    need('ffn_up.bias', [h.feedForward], false),
    need('ffn_down.bias', [h.embedding], false),
  ];
}

export function embedTensors(h: Hyperparameters): TensorNeed[] {
  return [{ name: 'token_embd.weight', dims: [h.embedding, h.vocab], required: true }];
}

export function headTensors(h: Hyperparameters): TensorNeed[] {
  return [
    { name: 'output_norm.weight', dims: [h.embedding], required: true },
    // Absent when the head is tied to the embedding: the runner then uses token_embd.weight.
    { name: 'output.weight', dims: [h.embedding, h.vocab], required: false },
    { name: 'output.bias', dims: [h.vocab], required: false },
  ];
}

/** q, k, v of block `il` from separate matrices, shaped [dim, heads, rows]. */
export function projectQkv(g: BlockGraph, il: number, x: Tensor): { q: Tensor; k: Tensor; v: Tensor } {
  const h = g.hyper;
  const p = `blk.${il}.`;
  return {
    q: g.ops.reshape3d(g.linear(`${p}attn_q`, x), h.headDim, h.heads, g.rows),
    k: g.ops.reshape3d(g.linear(`${p}attn_k`, x), h.headDim, h.kvHeads, g.rows),
    v: g.ops.reshape3d(g.linear(`${p}attn_v`, x), h.headDimV, h.kvHeads, g.rows),
  };
}

/** RMS norm over each head with a weight of length headDim (qwen3, gemma3). */
export function headNormed(g: BlockGraph, name: string, x: Tensor): Tensor {
  return g.ops.mul(g.ops.rmsNorm(x, g.hyper.normEpsilon), g.weight(`${name}.weight`));
}

/** down(act(gate(x)) * up(x)). */
export function gatedFeedForward(g: BlockGraph, il: number, x: Tensor, activation: 'silu' | 'gelu'): Tensor {
  const p = `blk.${il}.`;
  const rows = g.rowsAfter(il);
  const up = g.linear(`${p}ffn_up`, x, rows);
  const gate = g.linear(`${p}ffn_gate`, x, rows);
  const mid = activation === 'silu' ? g.ops.swigluSplit(gate, up) : g.ops.gegluSplit(gate, up);
  return g.linear(`${p}ffn_down`, mid, rows);
}

/**
 * The pre-norm decoder block of llama, mistral, qwen2 and qwen3: x + attention(norm(x)), then + ffn(norm(.)).
 * @param adjust q and k before RoPE (per-head norms).
 */
export function preNormBlock(
  g: BlockGraph,
  il: number,
  x: Tensor,
  adjust?: (qk: { q: Tensor; k: Tensor }) => { q: Tensor; k: Tensor },
): Tensor | null {
  const p = `blk.${il}.`;
  const { q, k, v } = projectQkv(g, il, g.rmsNorm(`${p}attn_norm`, x));
  const adjusted = adjust?.({ q, k }) ?? { q, k };
  const attended = g.attend(il, g.rope(adjusted.q, il), g.rope(adjusted.k, il), v, g.hyper.attentionScale);
  if (g.rowsAfter(il) === 0) return null;
  const mid = g.ops.add(
    g.linear(`${p}attn_output`, g.select(il, attended), g.rowsAfter(il)),
    g.select(il, x),
  );
  return g.ops.add(gatedFeedForward(g, il, g.rmsNorm(`${p}ffn_norm`, mid), 'silu'), mid);
}
