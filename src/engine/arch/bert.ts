/**
 * BERT encoders for embeddings (all-MiniLM, bge, gte, e5) and with one more layer for the relevance of a passage to a query
 * (ms-marco-MiniLM): post-norm blocks, learned positions, GELU, no cache.
 * The graph takes `texts` sequences padded to one `length`, so attention works per text.
 *
 * @module engine/arch/bert
 */
import { type Gguf, getBool, getNumber } from '../../models/index.ts';
import type { Tensor } from '../ggml/api.ts';
import type { Ops } from '../ggml/ops.ts';
import { readHyperparameters, unsupported } from './common.ts';
import type { Hyperparameters, TensorNeed } from './types.ts';

/**
 * How token vectors become one: `bert.pooling_type` (1 mean, 2 first token, 3 last token). With 4 they become one number: the
 * first token's vector goes through the classification head.
 */
export type Pooling = 'mean' | 'cls' | 'last' | 'rank';

export interface EncoderHyperparameters extends Hyperparameters {
  readonly pooling: Pooling;
}

const POOLING: readonly (Pooling | undefined)[] = [undefined, 'mean', 'cls', 'last', 'rank'];

export function readBert(gguf: Gguf): EncoderHyperparameters {
  const h = readHyperparameters(gguf, 'bert', {
    ropeMode: 0,
    epsilonKey: 'bert.attention.layer_norm_epsilon',
  });
  if (getBool(gguf, 'bert.attention.causal', false)) throw unsupported('bert', 'causal attention');
  const pooling = POOLING[getNumber(gguf, 'bert.pooling_type', 1)];
  if (pooling === undefined) throw unsupported('bert', 'this pooling type');
  if (h.kvHeads !== h.heads || h.headDim * h.heads !== h.embedding)
    throw unsupported('bert', 'grouped heads');
  return { ...h, pooling };
}

export function bertTensors(h: Hyperparameters, tokenTypes: number): TensorNeed[] {
  const need = (name: string, dims: number[], required = true): TensorNeed => ({ name, dims, required });
  const e = h.embedding;
  const list = [
    need('token_embd.weight', [e, h.vocab]),
    need('position_embd.weight', [e, h.context]),
    need('token_types.weight', tokenTypes === 1 ? [e] : [e, tokenTypes], false),
    need('token_embd_norm.weight', [e]),
    need('token_embd_norm.bias', [e]),
  ];
  for (let il = 0; il < h.blocks; il++) {
    const p = `blk.${il}.`;
    for (const name of ['attn_q', 'attn_k', 'attn_v', 'attn_output']) {
      list.push(need(`${p}${name}.weight`, [e, e]), need(`${p}${name}.bias`, [e], false));
    }
    list.push(
      need(`${p}ffn_up.weight`, [e, h.feedForward]),
      need(`${p}ffn_up.bias`, [h.feedForward], false),
      need(`${p}ffn_down.weight`, [h.feedForward, e]),
      need(`${p}ffn_down.bias`, [e], false),
    );
    for (const name of ['attn_output_norm', 'layer_output_norm']) {
      list.push(need(`${p}${name}.weight`, [e]), need(`${p}${name}.bias`, [e]));
    }
  }
  return list;
}

/** The head of a reranker as llama.cpp's converter writes it: perhaps a dense layer with tanh, and one output. */
export function rankTensors(h: Hyperparameters): TensorNeed[] {
  const e = h.embedding;
  return [
    { name: 'cls.weight', dims: [e, e], required: false },
    { name: 'cls.bias', dims: [e], required: false },
    { name: 'cls.output.weight', dims: [e], required: true },
    { name: 'cls.output.bias', dims: [1], required: false },
  ];
}

export interface EncoderInputs {
  /** i32 [texts × length] */
  readonly ids: Tensor;
  /** i32 [texts × length] */
  readonly positions: Tensor;
  /** f16 [length, length, 1, texts]: hides padding. */
  readonly mask: Tensor;
  readonly texts: number;
  readonly length: number;
  /** Of a text of two parts. @default one part */
  readonly pair?: PairInputs;
}

export interface PairInputs {
  /** i32 [texts × length]: 0 for tokens of the first part and 1 for those of the second. Null for a model without segments. */
  readonly segments: Tensor | null;
  /** i32 [texts]: rows of the texts' first tokens, the only ones that the last block goes on with. */
  readonly firsts: Tensor;
  /** i32 [embedding]: 0, 1, 2, ... */
  readonly rows: Tensor;
}

/** Hidden states of every token, [embedding, texts × length]; of the texts' first tokens for pairs, [embedding, texts]. */
export function bertGraph(
  ops: Ops,
  h: EncoderHyperparameters,
  weight: (name: string) => Tensor | undefined,
  inputs: EncoderInputs,
): Tensor {
  const { texts, length, pair } = inputs;
  const rows = texts * length;
  const get = (name: string) => weight(name)!;
  const linear = (name: string, x: Tensor) => {
    const product = ops.mulMat(get(`${name}.weight`), x);
    const bias = weight(`${name}.bias`);
    return bias === undefined ? product : ops.add(product, bias);
  };
  const norm = (name: string, x: Tensor) =>
    ops.add(ops.mul(ops.norm(x, h.normEpsilon), get(`${name}.weight`)), get(`${name}.bias`));

  let x = ops.add(
    ops.getRows(get('position_embd.weight'), inputs.positions),
    ops.getRows(get('token_embd.weight'), inputs.ids),
  );
  const types = weight('token_types.weight');
  // Without a second part: sentence A for every token, as sentence encoders are trained.
  if (types !== undefined)
    x = ops.add(x, pair?.segments ? ops.getRows(types, pair.segments) : ops.view1d(types, h.embedding, 0));
  x = norm('token_embd_norm', x);
  for (let il = 0; il < h.blocks; il++) {
    const p = `blk.${il}.`;
    const split = (name: string) =>
      ops.permute(ops.reshape4d(linear(`${p}${name}`, x), h.headDim, h.heads, length, texts), 0, 2, 1, 3);
    const q = split('attn_q'); // [headDim, length, heads, texts]
    const k = split('attn_k');
    const v = split('attn_v');
    // K and V stay F32: casting them to F16 for the cache-less case costs more than it saves (measured 5x).
    const mixed = ops.flashAttention(q, k, v, inputs.mask, h.attentionScale); // [headDim, heads, length, texts]
    let attended = ops.reshape2d(mixed, h.embedding, rows);
    if (pair !== undefined && il === h.blocks - 1) {
      attended = ops.getRows(attended, pair.firsts);
      x = ops.getRows(x, pair.firsts);
    }
    x = norm(`${p}attn_output_norm`, ops.add(linear(`${p}attn_output`, attended), x));
    const fed = linear(`${p}ffn_down`, ops.gelu(linear(`${p}ffn_up`, x)));
    x = norm(`${p}layer_output_norm`, ops.add(fed, x));
  }
  return x;
}

/** The relevance of each text, [1, texts], from the hidden states of first tokens. In F32, whatever type the head is stored in. */
export function rankGraph(
  ops: Ops,
  weight: (name: string) => Tensor | undefined,
  firsts: Tensor,
  { rows }: PairInputs,
): Tensor {
  const dense = weight('cls.weight');
  const bias = weight('cls.bias');
  const outputBias = weight('cls.output.bias');
  let x = firsts;
  if (dense !== undefined) {
    x = ops.mulMat(ops.getRows(dense, rows), x);
    x = ops.tanh(bias === undefined ? x : ops.add(x, bias));
  }
  x = ops.mulMat(ops.getRows(weight('cls.output.weight')!, ops.view1d(rows, 1, 0)), x);
  return outputBias === undefined ? x : ops.add(x, outputBias);
}
