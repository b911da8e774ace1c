/**
 * Builds the graph of blocks [from, to) for one shape of batch, and keeps it ready to run again.
 *
 * @module engine/runner/graph
 */
import { KithError } from '../../base/index.ts';
import type { Architecture, BlockGraph, Hyperparameters } from '../arch/index.ts';
import type { Graph, SchedulerHandle, Tensor } from '../ggml/api.ts';
import type { Compute } from '../ggml/compute.ts';
import { GGML_TYPE } from '../ggml/ops.ts';
import { openWorkspace } from '../ggml/workspace.ts';
import type { KeptGraph } from './graph-cache.ts';
import type { KvStore } from './kv-store.ts';
import { joined, type SingleRows, usualProduct } from './single-rows.ts';
import type { Weights } from './weights.ts';

/** What a graph depends on. Everything else (ids, positions, cells, masks) is an input. */
export interface GraphShape {
  /** Blocks [from, to) of the model's. */
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  /** KV cells attended to: 0 .. kvLength - 1. */
  readonly kvLength: number;
  /** Rows whose output is wanted. */
  readonly outputs: number;
  /** Cells that each row attends to, when every row is to have the bits that it has alone; otherwise null. */
  readonly each: readonly number[] | null;
}

export interface RangeModel {
  readonly architecture: Architecture;
  readonly hyper: Hyperparameters;
  readonly from: number;
  readonly to: number;
  readonly embeds: boolean;
  readonly heads: boolean;
  readonly weights: Weights;
  /** null when the range holds no block. */
  readonly kv: KvStore | null;
  /** null on a GPU. */
  readonly singleRows: SingleRows | null;
  /** RoPE frequency factors in use, or null. */
  readonly ropeFactors: Tensor | null;
  /** ggml type and dims of a matrix by tensor name. */
  matrix(name: string): { readonly type: number; readonly width: number; readonly height: number };
}

export interface BuiltGraph extends KeptGraph {
  readonly shape: GraphShape;
  readonly graph: Graph;
  readonly scheduler: SchedulerHandle;
  readonly ids: Tensor | null;
  readonly hidden: Tensor | null;
  readonly positions: Tensor | null;
  readonly cells: Tensor | null;
  readonly mask: Tensor | null;
  readonly maskWindowed: Tensor | null;
  readonly outputRows: Tensor | null;
  /** [width, outputs], or null when nothing is wanted (KV only). */
  readonly output: Tensor | null;
}

/** ggml tensors one block may need in a graph, generously. */
const NODES_PER_BLOCK = 80;
/** And for each row that is computed as if alone. */
const NODES_PER_ROW = 32;
const NODES_EXTRA = 64;

export function buildGraph(compute: Compute, model: RangeModel, shape: GraphShape): BuiltGraph {
  const { hyper, weights, kv } = model;
  const { from, to, rows, outputs, kvLength, each } = shape;
  const blocks = to - from;
  const perBlock = NODES_PER_BLOCK + (each === null ? 0 : rows * NODES_PER_ROW);
  const workspace = openWorkspace(compute, (blocks + 1) * perBlock + NODES_EXTRA);
  const { ops } = workspace;
  const selects = outputs < rows;

  const ids = model.embeds ? ops.input(GGML_TYPE.i32, [rows]) : null;
  const hidden = model.embeds ? null : ops.input(GGML_TYPE.f32, [hyper.embedding, rows]);
  const positions = blocks > 0 ? ops.input(GGML_TYPE.i32, [rows]) : null;
  const cells = blocks > 0 ? ops.input(GGML_TYPE.i64, [rows]) : null;
  const range = Array.from({ length: blocks }, (_, i) => from + i);
  const windowed = hyper.window !== null && range.some((il) => hyper.isWindowed(il));
  const plain = range.some((il) => !(windowed && hyper.isWindowed(il)));
  const mask = plain ? ops.input(GGML_TYPE.f16, [kvLength, rows]) : null;
  const maskWindowed = windowed ? ops.input(GGML_TYPE.f16, [kvLength, rows]) : null;
  /** Masks whose attention is computed. Where no row goes on after the last block, it only stores keys and values. */
  const masksUsed = new Set<Tensor>();
  const outputRows = selects && outputs > 0 ? ops.input(GGML_TYPE.i32, [outputs]) : null;

  const optional = (name: string) => weights.get(name) ?? null;
  const weight = (name: string) => {
    const tensor = weights.get(name);
    if (tensor === undefined) throw new KithError('model_invalid', `The tensor ${name} was not loaded.`);
    return tensor;
  };
  const multiply = (name: string, x: Tensor, n: number) => {
    const matrix = weight(name);
    if (compute.gpu !== null) return ops.mulMat(matrix, x);
    const matrixShape = { ...model.matrix(name), rows: n, repacked: weights.isRepacked(name) };
    return each === null
      ? usualProduct(ops, matrix, x, matrixShape)
      : model.singleRows!.product(ops, matrix, x, matrixShape);
  };
  const isLast = (il: number) => il === to - 1;
  const blockGraph: BlockGraph = {
    ops,
    hyper,
    rows,
    get positions() {
      return positions!;
    },
    weight,
    optional,
    linear(name, x, n = rows) {
      const product = multiply(`${name}.weight`, x, n);
      const bias = optional(`${name}.bias`);
      return bias === null ? product : ops.add(product, bias);
    },
    rmsNorm: (name, x) => ops.mul(ops.rmsNorm(x, hyper.normEpsilon), weight(`${name}.weight`)),
    rope(x, il) {
      const options = hyper.ropeWindowed !== null && hyper.isWindowed(il) ? hyper.ropeWindowed : hyper.rope;
      return ops.rope(x, positions!, model.ropeFactors, options);
    },
    attend(il, q, k, v, scale) {
      const store = kv!;
      ops.expand(q);
      ops.expand(v);
      ops.expand(k);
      const widthK = hyper.kvHeads * hyper.headDim;
      const widthV = hyper.kvHeads * hyper.headDimV;
      ops.expand(ops.setRows(store.k(il), ops.reshape2d(k, widthK, rows), cells!));
      ops.expand(ops.setRows(store.v(il), ops.reshape2d(v, widthV, rows), cells!));
      const view = (tensor: Tensor, dim: number, width: number, length = kvLength) =>
        ops.permute(
          ops.view3d(tensor, [dim, hyper.kvHeads, length], store.rowBytes(dim), store.rowBytes(width), 0),
          0,
          2,
          1,
          3,
        );
      const ownMask = windowed && hyper.isWindowed(il) ? maskWindowed! : mask!;
      if (!isLast(il) || outputs > 0) masksUsed.add(ownMask);
      if (each !== null) {
        const { headDim, headDimV, heads } = hyper;
        const [head, row] = [headDim * 4, headDim * heads * 4];
        const attendedRows = each.map((length, i) => {
          const attendedRow = ops.flashAttention(
            ops.permute(ops.view3d(q, [headDim, heads, 1], head, row, i * row), 0, 2, 1, 3),
            view(store.k(il), headDim, widthK, length),
            view(store.v(il), headDimV, widthV, length),
            ops.view1d(ownMask, length, i * kvLength * 2),
            scale,
          );
          return ops.reshape2d(attendedRow, heads * headDimV, 1);
        });
        return joined(ops, attendedRows);
      }
      const attended = ops.flashAttention(
        ops.permute(q, 0, 2, 1, 3),
        view(store.k(il), hyper.headDim, widthK),
        view(store.v(il), hyper.headDimV, widthV),
        ownMask,
        scale,
      );
      return ops.reshape2d(attended, hyper.heads * hyper.headDimV, rows);
    },
    select: (il, x) => (isLast(il) && outputRows !== null ? ops.getRows(x, outputRows) : x),
    rowsAfter: (il) => (isLast(il) ? outputs : rows),
  };

  let x: Tensor | null =
    ids === null
      ? hidden!
      : model.architecture.embed(blockGraph, ops.getRows(weight('token_embd.weight'), ids));
  for (const il of range) {
    if (x === null) break;
    x = model.architecture.block(blockGraph, il, x);
  }
  if (blocks === 0 && x !== null)
    x = outputs === 0 ? null : outputRows === null ? x : ops.getRows(x, outputRows);
  if (x !== null && model.heads) {
    const normed = model.architecture.headNorm(blockGraph, x, outputs);
    x = multiply('output.weight', normed, outputs);
    const bias = optional('output.bias');
    if (bias !== null) x = ops.add(x, bias);
    if (hyper.logitSoftcap > 0) {
      x = ops.scale(ops.tanh(ops.scale(x, 1 / hyper.logitSoftcap)), hyper.logitSoftcap);
    }
  }
  // A range that only copies its input still needs a node to read from.
  if (x !== null && x === hidden) x = ops.scale(x, 1);
  workspace.finish(x, rows);
  return {
    shape,
    graph: workspace.graph,
    scheduler: workspace.scheduler,
    bytes: workspace.bytes(),
    ids,
    hidden,
    positions,
    cells,
    mask: mask !== null && masksUsed.has(mask) ? mask : null,
    maskWindowed: maskWindowed !== null && masksUsed.has(maskWindowed) ? maskWindowed : null,
    outputRows,
    output: x,
    [Symbol.dispose]: () => workspace[Symbol.dispose](),
  };
}
