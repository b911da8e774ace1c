/**
 * How a matrix that is not repacked multiplies 2 to 7 rows on a CPU. A table, not a measurement at load: what matters
 * shows only with weights that stream from memory, and a choice that depends on a noisy moment would change rounding.
 *
 * - `rowwise`: a product per row (x as [K, 1, n]). Q8_0 and F16 are slower for 2 to 7 rows in one product than row by
 *   row: a 2-row pass of MiniMind2 Q8_0 takes 2.7 ms in one product, 1.6 ms row by row (Zen 5); on another x86 two
 *   sequences had half the throughput of one. A benchmark on one cached matrix shows the opposite.
 * - `padded`: eight rows, of which some are zero. The IQ types have a kernel from eight rows on: a pass of TinyLlama
 *   IQ2_XXS takes 310 ms for 7 rows and 205 ms for 8.
 * - `plain`: everything else.
 *
 * @module engine/runner/small-batches
 */
import type { Tensor } from '../ggml/api.ts';
import { GGML_TYPE, type Ops } from '../ggml/ops.ts';

export type SmallBatch = 'plain' | 'rowwise' | 'padded';

const FIRST_FULL = 8;
/** Rows from which eight rows take less time, for types with a kernel of eight. */
const PADDED_FROM = 5;
const ROWWISE: ReadonlySet<number> = new Set([GGML_TYPE.q8_0, GGML_TYPE.f16]);
/** IQ2_XXS, IQ3_XXS, IQ4_XS: the types this was measured on. */
const KERNEL_OF_EIGHT: ReadonlySet<number> = new Set([16, 18, 23]);

export function smallBatchWay(type: number, rows: number): SmallBatch {
  if (rows < 2 || rows >= FIRST_FULL) return 'plain';
  if (ROWWISE.has(type)) return 'rowwise';
  return KERNEL_OF_EIGHT.has(type) && rows >= PADDED_FROM ? 'padded' : 'plain';
}

/** `matrix` · x, [height, rows]. `width` and `height` are the matrix's dims. */
export function multiplyRows(
  ops: Ops,
  matrix: Tensor,
  x: Tensor,
  shape: { readonly type: number; readonly width: number; readonly height: number; readonly rows: number },
): Tensor {
  const { type, width, height, rows } = shape;
  switch (smallBatchWay(type, rows)) {
    case 'rowwise':
      return ops.reshape2d(ops.mulMat(matrix, ops.reshape3d(x, width, 1, rows)), height, rows);
    case 'padded':
      return ops.view2d(ops.mulMat(matrix, ops.pad(x, 0, FIRST_FULL - rows)), height, rows, height * 4, 0);
    case 'plain':
      return ops.mulMat(matrix, x);
  }
}
