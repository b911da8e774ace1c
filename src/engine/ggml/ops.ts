/**
 * The graph operations that architectures use, on one ggml context. Thin: a method per operation, tensors in,
 * tensor out. Shapes follow ggml: the first dimension is contiguous.
 *
 * @module engine/ggml/ops
 */
import type { Context, Ggml, Graph, Tensor } from './api.ts';

/** ggml_type numbers used for activations, masks and KV. */
export const GGML_TYPE = { f32: 0, f16: 1, q4_0: 2, q8_0: 8, i32: 26, i64: 27, bf16: 30 } as const;
/** GGML_PREC_F32: attention accumulates in 32 bits. */
const PREC_F32 = 10;

export interface RopeOptions {
  readonly dims: number;
  /** 0 = pairs (2i, 2i+1), GGUF llama; 2 = halves (i, i + d/2), "NEOX": qwen, gemma, phi. */
  readonly mode: 0 | 2;
  readonly originalContext: number;
  readonly base: number;
  readonly scale: number;
  readonly extFactor: number;
  readonly attnFactor: number;
  readonly betaFast: number;
  readonly betaSlow: number;
}

export interface Ops {
  readonly context: Context;
  input(type: number, dims: readonly number[]): Tensor;
  expand(tensor: Tensor): void;
  getRows(a: Tensor, ids: Tensor): Tensor;
  setRows(a: Tensor, b: Tensor, ids: Tensor): Tensor;
  add(a: Tensor, b: Tensor): Tensor;
  mul(a: Tensor, b: Tensor): Tensor;
  scale(a: Tensor, factor: number): Tensor;
  tanh(a: Tensor): Tensor;
  /** LayerNorm without affine part. */
  norm(a: Tensor, epsilon: number): Tensor;
  rmsNorm(a: Tensor, epsilon: number): Tensor;
  mulMat(a: Tensor, b: Tensor): Tensor;
  cont(a: Tensor): Tensor;
  reshape2d(a: Tensor, ne0: number, ne1: number): Tensor;
  reshape3d(a: Tensor, ne0: number, ne1: number, ne2: number): Tensor;
  view1d(a: Tensor, ne0: number, offset: number): Tensor;
  view2d(a: Tensor, ne0: number, ne1: number, nb1: number, offset: number): Tensor;
  /** `b` after `a` along a dimension. */
  concat(a: Tensor, b: Tensor, dim: number): Tensor;
  /** Adds zeros at the end of the first two dimensions. */
  pad(a: Tensor, p0: number, p1: number): Tensor;
  view3d(a: Tensor, ne: readonly [number, number, number], nb1: number, nb2: number, offset: number): Tensor;
  permute(a: Tensor, a0: number, a1: number, a2: number, a3: number): Tensor;
  rope(a: Tensor, positions: Tensor, factors: Tensor | null, options: RopeOptions): Tensor;
  flashAttention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor, scale: number, softcap?: number): Tensor;
  swiglu(a: Tensor): Tensor;
  swigluSplit(gate: Tensor, up: Tensor): Tensor;
  gegluSplit(gate: Tensor, up: Tensor): Tensor;
  gelu(a: Tensor): Tensor;
  reshape4d(a: Tensor, ne0: number, ne1: number, ne2: number, ne3: number): Tensor;
}

export function createOps(ggml: Ggml, context: Context, graph: Graph): Ops {
  const c = ggml.call;
  const x = context;
  return {
    context,
    input(type, dims) {
      const tensor = c.ggml_new_tensor(x, type, dims.length, BigInt64Array.from(dims, BigInt)) as Tensor;
      c.ggml_set_input(tensor);
      return tensor;
    },
    expand: (tensor) => c.ggml_build_forward_expand(graph, tensor),
    getRows: (a, ids) => c.ggml_get_rows(x, a, ids),
    setRows: (a, b, ids) => c.ggml_set_rows(x, a, b, ids),
    add: (a, b) => c.ggml_add(x, a, b),
    mul: (a, b) => c.ggml_mul(x, a, b),
    scale: (a, factor) => c.ggml_scale(x, a, factor),
    tanh: (a) => c.ggml_tanh(x, a),
    norm: (a, epsilon) => c.ggml_norm(x, a, epsilon),
    rmsNorm: (a, epsilon) => c.ggml_rms_norm(x, a, epsilon),
    mulMat: (a, b) => c.ggml_mul_mat(x, a, b),
    cont: (a) => c.ggml_cont(x, a),
    reshape2d: (a, ne0, ne1) => c.ggml_reshape_2d(x, a, ne0, ne1),
    reshape3d: (a, ne0, ne1, ne2) => c.ggml_reshape_3d(x, a, ne0, ne1, ne2),
    view1d: (a, ne0, offset) => c.ggml_view_1d(x, a, ne0, offset),
    view2d: (a, ne0, ne1, nb1, offset) => c.ggml_view_2d(x, a, ne0, ne1, nb1, offset),
    concat: (a, b, dim) => c.ggml_concat(x, a, b, dim),
    pad: (a, p0, p1) => c.ggml_pad(x, a, p0, p1, 0, 0),
    view3d: (a, ne, nb1, nb2, offset) => c.ggml_view_3d(x, a, ne[0], ne[1], ne[2], nb1, nb2, offset),
    permute: (a, a0, a1, a2, a3) => c.ggml_permute(x, a, a0, a1, a2, a3),
    rope: (a, positions, factors, o) =>
      c.ggml_rope_ext(
        x,
        a,
        positions,
        factors,
        o.dims,
        o.mode,
        o.originalContext,
        o.base,
        o.scale,
        o.extFactor,
        o.attnFactor,
        o.betaFast,
        o.betaSlow,
      ),
    flashAttention(q, k, v, mask, scale, softcap = 0) {
      const out = c.ggml_flash_attn_ext(x, q, k, v, mask, scale, 0, softcap) as Tensor;
      c.ggml_flash_attn_ext_set_prec(out, PREC_F32);
      return out;
    },
    swiglu: (a) => c.ggml_swiglu(x, a),
    swigluSplit: (gate, up) => c.ggml_swiglu_split(x, gate, up),
    gegluSplit: (gate, up) => c.ggml_geglu_split(x, gate, up),
    gelu: (a) => c.ggml_gelu(x, a),
    reshape4d: (a, ne0, ne1, ne2, ne3) => c.ggml_reshape_4d(x, a, ne0, ne1, ne2, ne3),
  };
}
