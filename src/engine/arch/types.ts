/**
 * What an architecture file declares: how to read its hyperparameters, which tensors a block has, and the graph of
 * one block. The runner owns inputs, KV cache and row selection; an architecture only connects operations.
 *
 * @module engine/arch/types
 */
import type { Gguf } from '../../models/index.ts';
import type { Tensor } from '../ggml/api.ts';
import type { Ops, RopeOptions } from '../ggml/ops.ts';

export interface Hyperparameters {
  readonly architecture: string;
  readonly blocks: number;
  readonly embedding: number;
  readonly heads: number;
  readonly kvHeads: number;
  /** Width of one head of Q and K. */
  readonly headDim: number;
  /** Width of one head of V. */
  readonly headDimV: number;
  readonly feedForward: number;
  readonly vocab: number;
  /** Trained context in tokens. */
  readonly context: number;
  readonly normEpsilon: number;
  readonly rope: RopeOptions;
  /** Factor on q·k. */
  readonly attentionScale: number;
  /** Tokens a sliding-window block looks back, or null. */
  readonly window: number | null;
  /** True when block `il` uses the sliding window. */
  isWindowed(il: number): boolean;
  /** RoPE of sliding-window blocks when it differs. */
  readonly ropeWindowed: RopeOptions | null;
  /** Final logit soft cap, 0 = none. */
  readonly logitSoftcap: number;
}

export interface TensorNeed {
  readonly name: string;
  readonly required: boolean;
  /** ggml dims, checked against the file before any native call. */
  readonly dims: readonly number[];
}

/** Graph under construction, as blocks see it. */
export interface BlockGraph {
  readonly ops: Ops;
  readonly hyper: Hyperparameters;
  /** Rows of the current activations. */
  readonly rows: number;
  readonly positions: Tensor;
  weight(name: string): Tensor;
  optional(name: string): Tensor | null;
  /** `name.weight` · x (+ `name.bias` when the file has it). `rows` only when they differ from the pass's. */
  linear(name: string, x: Tensor, rows?: number): Tensor;
  /** RMS norm with weight `name.weight`. */
  rmsNorm(name: string, x: Tensor): Tensor;
  /** Rotates q or k, shaped [headDim, heads, rows]. */
  rope(x: Tensor, il: number): Tensor;
  /** Stores k, v of this pass in the cache and attends. q [headDim, heads, rows], k, v [dim, kvHeads, rows].
   *  Returns [headDimV * heads, rows]. */
  attend(il: number, q: Tensor, k: Tensor, v: Tensor, scale: number): Tensor;
  /** In the last block of a head range, only rows with wanted logits go on: keeps those rows (identity elsewhere). */
  select(il: number, x: Tensor): Tensor;
  /** Rows after `select(il, ...)`. */
  rowsAfter(il: number): number;
}

export interface Architecture {
  /** GGUF `general.architecture`. */
  readonly name: string;
  readonly task: 'text' | 'embedding';
  /** @throws KithError `architecture_unsupported` when the file asks for something this graph does not do. */
  read(gguf: Gguf, context: number | null): Hyperparameters;
  blockTensors(hyper: Hyperparameters, il: number): readonly TensorNeed[];
  /** Tensors of the embedding stage and of the head. */
  embedTensors(hyper: Hyperparameters): readonly TensorNeed[];
  headTensors(hyper: Hyperparameters): readonly TensorNeed[];
  /** After the token lookup: scaling, positions, norms. */
  embed(graph: BlockGraph, x: Tensor): Tensor;
  /** One block. Null when no row is wanted after the last block's KV was stored. */
  block(graph: BlockGraph, il: number, x: Tensor): Tensor | null;
  /** Hidden state to logits input: the final norm. The runner multiplies with the output matrix. */
  headNorm(graph: BlockGraph, x: Tensor, rows: number): Tensor;
}
