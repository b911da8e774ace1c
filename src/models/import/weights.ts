/**
 * Hugging Face weights by name: every tensor that is asked for is checked for its shape, and at the end the ones
 * nobody asked for are an error, so that a model with parts we do not know is never converted without them.
 *
 * @module models/import/weights
 */

import { InputError } from '../../base/index.ts';
import { describe } from './json.ts';
import {
  expectShape,
  GGML,
  type PlannedTensor,
  type Quantisation,
  type RowReader,
  weightType,
} from './plan.ts';
import { columnsOf, readRows, type SafeTensor } from './safetensors.ts';

export interface Weights {
  has(name: string): boolean;
  /** A matrix [rows, columns] in the asked quantisation. */
  matrix(
    target: string,
    name: string,
    rows: number,
    columns: number,
    order?: (read: RowReader) => RowReader,
  ): PlannedTensor;
  /** A vector or small table that stays F32. */
  plain(
    target: string,
    name: string,
    shape: readonly number[],
    order?: (read: RowReader) => RowReader,
  ): PlannedTensor;
  /** @throws InputError `import_unsupported` when a tensor was not used and matches none of `ignored` */
  refuseUnused(ignored: readonly RegExp[]): void;
}

/** @param tensors by the names the converter uses (prefixes already taken off) */
export function weights(tensors: ReadonlyMap<string, SafeTensor>, quantisation: Quantisation): Weights {
  const used = new Set<string>();
  const take = (name: string, shape: readonly number[]): SafeTensor => {
    const tensor = tensors.get(name);
    if (tensor === undefined) {
      throw new InputError(
        'import_missing_tensor',
        `The weights hold no tensor ${describe(name)}, which config.json asks for.`,
      );
    }
    expectShape(name, tensor.shape, shape);
    used.add(name);
    return tensor;
  };
  const reader =
    (tensor: SafeTensor): RowReader =>
    (from, count, signal) =>
      readRows(tensor, from, count, signal);
  return {
    has: (name) => tensors.has(name),
    matrix(target, name, rows, columns, order = (read) => read) {
      const tensor = take(name, [rows, columns]);
      return {
        name: target,
        dims: [columns, rows],
        type: weightType(quantisation, columns),
        rows: order(reader(tensor)),
      };
    },
    plain(target, name, shape, order = (read) => read) {
      const tensor = take(name, shape);
      if (shape.length > 1) {
        return { name: target, dims: [...shape].reverse(), type: GGML.F32, rows: order(reader(tensor)) };
      }
      // A vector is one row in the GGUF but `length` rows for a permutation.
      const length = columnsOf(tensor);
      const asRows = order(reader({ ...tensor, shape: [length, 1] }));
      return {
        name: target,
        dims: [length],
        type: GGML.F32,
        rows: (_from, _count, signal) => asRows(0, length, signal),
      };
    },
    refuseUnused(ignored) {
      const left = [...tensors.keys()].filter(
        (name) => !used.has(name) && !ignored.some((rule) => rule.test(name)),
      );
      if (left.length === 0) return;
      throw new InputError(
        'import_unsupported',
        `The weights hold ${left.length} tensors that this family does not have, the first is ${describe(left[0])}: the model is not what config.json says.`,
      );
    },
  };
}
