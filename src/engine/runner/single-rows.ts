/**
 * Several rows in one pass, each with the bits that a pass of that row alone gives. Sums depend on how they are added up,
 * and kernels add up differently for several rows: of TinyLlama IQ2_XXS four rows in one product differ from four single
 * ones, and with two or more threads attention over 512 cells and more does for every type. What checks drafted tokens
 * must not differ at all.
 *
 * A product is taken as it is usually where that gives the bits of single rows, which is tried once for each kind of matrix
 * and number of rows on this device; otherwise row by row. Attention is always row by row, over as many cells as that row
 * alone would attend to. Everything else in a graph works on rows one by one.
 *
 * @module engine/runner/single-rows
 */
import type { Tensor } from '../ggml/api.ts';
import type { Compute } from '../ggml/compute.ts';
import { GGML_TYPE, type Ops } from '../ggml/ops.ts';
import { openWorkspace } from '../ggml/workspace.ts';
import { multiplyRows } from './small-batches.ts';

/** Rows of such a pass at most. */
export const SINGLE_ROWS = 64;

export interface MatrixShape {
  readonly type: number;
  readonly width: number;
  readonly height: number;
  readonly rows: number;
  /** It lies in a repacked buffer. */
  readonly repacked: boolean;
}

export interface SingleRows {
  /** `matrix` · x, [height, rows], with the bits of single rows. */
  product(ops: Ops, matrix: Tensor, x: Tensor, shape: MatrixShape): Tensor;
}

/** The product as passes take it that need not give the bits of single rows. */
export function usualProduct(ops: Ops, matrix: Tensor, x: Tensor, shape: MatrixShape): Tensor {
  return shape.repacked ? ops.mulMat(matrix, x) : multiplyRows(ops, matrix, x, shape);
}

/** For the CPU. */
export function createSingleRows(compute: Compute): SingleRows {
  const tried = new Map<string, boolean>();

  /** Whether the usual product has the bits of single rows. */
  function usualIsExact(matrix: Tensor, shape: MatrixShape): boolean {
    const { type, width, height, rows, repacked } = shape;
    const key = `${type}:${repacked}:${width}:${rows}`;
    const known = tried.get(key);
    if (known !== undefined) return known;
    using workspace = openWorkspace(compute, 64 + rows * 8);
    const { ops, graph, scheduler } = workspace;
    const { call } = compute.ggml;
    const x = ops.input(GGML_TYPE.f32, [width, rows]);
    const outs = [ops.cont(usualProduct(ops, matrix, x, shape)), rowByRow(ops, matrix, x, shape)];
    for (const out of outs) {
      call.ggml_set_output(out);
      ops.expand(out);
    }
    workspace.finish(null, rows);
    // Many bits in every value, so that any other order of additions shows.
    const input = Float32Array.from({ length: width * rows }, (_, i) => Math.sin(i * 1.37 + 1) * 2.1);
    call.ggml_backend_tensor_set(x, input, 0, input.byteLength);
    let exact = call.ggml_backend_sched_graph_compute(scheduler, graph) === 0;
    const [usual, single] = outs.map((out) => {
      const values = new Int32Array(height * rows);
      call.ggml_backend_tensor_get(out, values, 0, values.byteLength);
      return values;
    }) as [Int32Array, Int32Array];
    for (let i = 0; i < usual.length && exact; i++) exact = usual[i] === single[i];
    tried.set(key, exact);
    return exact;
  }

  return {
    product(ops, matrix, x, shape) {
      if (shape.rows === 1 || usualIsExact(matrix, shape)) return usualProduct(ops, matrix, x, shape);
      return rowByRow(ops, matrix, x, shape);
    },
  };
}

function rowByRow(
  ops: Ops,
  matrix: Tensor,
  x: Tensor,
  { width, height, rows, repacked }: MatrixShape,
): Tensor {
  if (!repacked) return ops.reshape2d(ops.mulMat(matrix, ops.reshape3d(x, width, 1, rows)), height, rows);
  return joined(
    ops,
    Array.from({ length: rows }, (_, row) =>
      ops.mulMat(matrix, ops.view2d(x, width, 1, width * 4, row * width * 4)),
    ),
  );
}

/** Rows side by side: [n, 1] each, in order. */
export function joined(ops: Ops, rows: readonly Tensor[]): Tensor {
  if (rows.length === 1) return rows[0]!;
  const half = rows.length >> 1;
  return ops.concat(joined(ops, rows.slice(0, half)), joined(ops, rows.slice(half)), 1);
}
