/**
 * What a converter hands to the writer: metadata in a fixed order and tensors that give their float32 rows on
 * demand. Every converter goes through this shape, so memory and determinism are settled in one place.
 *
 * @module models/import/plan
 */

import { InputError } from '../../base/index.ts';
import { type MetadataEntry, string, uint32 } from './values.ts';

export type Quantisation = 'F16' | 'Q8_0' | 'Q4_0';

/** `ggml_type` numbers the converters write. */
export const GGML = { F32: 0, F16: 1, Q4_0: 2, Q8_0: 8 } as const;

/** `general.file_type` (llama.cpp's `llama_ftype`). */
const FILE_TYPE: Readonly<Record<Quantisation, number>> = { F16: 1, Q4_0: 2, Q8_0: 7 };

/** What every converted model says about itself, in a fixed order. */
export function generalMetadata(
  architecture: string,
  quantisation: Quantisation,
  name: string,
): MetadataEntry[] {
  return [
    ['general.architecture', string(architecture)],
    ['general.type', string('model')],
    ['general.name', string(name)],
    ['general.file_type', uint32(FILE_TYPE[quantisation])],
    ['general.quantization_version', uint32(2)],
  ];
}

export interface PlannedTensor {
  /** Name llama.cpp gives it, for example `blk.0.attn_q.weight`. */
  readonly name: string;
  /** ggml order: dims[0] is the row length. */
  readonly dims: readonly number[];
  /** `ggml_type` number: one of `GGML`. */
  readonly type: number;
  /** Rows [from, from + count) as float32, row-major, count x dims[0]. The caller may modify the array. */
  rows(from: number, count: number, signal?: AbortSignal): Promise<Float32Array>;
}

export interface ConversionPlan {
  readonly architecture: string;
  readonly metadata: readonly MetadataEntry[];
  readonly tensors: readonly PlannedTensor[];
  close(): Promise<void>;
}

/**
 * Type of a weight matrix. A row that is not a multiple of 32 values cannot be cut into blocks and stays F16.
 * @param rowLength values in one row
 */
export function weightType(quantisation: Quantisation, rowLength: number): number {
  if (quantisation === 'F16' || rowLength % 32 !== 0) return GGML.F16;
  return GGML[quantisation];
}

/** Where rows come from: a matrix that can be read a span of rows at a time. */
export type RowReader = (from: number, count: number, signal?: AbortSignal) => Promise<Float32Array>;

/**
 * Rows of a q or k projection in the order llama.cpp rotates them. Hugging Face rotates pairs (i, i + d/2) of a
 * head, llama.cpp's `llama` graph pairs (2i, 2i + 1): row 2i + p of a head is its row p * d/2 + i.
 *
 * @param headSize d, values in one head (even)
 * @param columns values in a row
 */
export function interleavedRows(read: RowReader, headSize: number, columns: number): RowReader {
  const half = headSize / 2;
  return async (from, count, signal) => {
    // Only whole heads are contiguous in both orders, so the heads that the span touches are read.
    const first = Math.floor(from / headSize) * headSize;
    const last = Math.ceil((from + count) / headSize) * headSize;
    const source = await read(first, last - first, signal);
    const out = new Float32Array(count * columns);
    for (let i = 0; i < count; i++) {
      const row = from + i;
      const inHead = row % headSize;
      const sourceRow = row - inHead + (inHead & 1) * half + (inHead >> 1) - first;
      out.set(source.subarray(sourceRow * columns, (sourceRow + 1) * columns), i * columns);
    }
    return out;
  };
}

/** A tensor that is in memory already. */
export function constantRows(values: Float32Array, columns: number): RowReader {
  return async (from, count) => values.slice(from * columns, (from + count) * columns);
}

/** @throws InputError `import_shape` when a tensor is not of the shape the configuration asks for */
export function expectShape(name: string, actual: readonly number[], expected: readonly number[]): void {
  if (actual.length === expected.length && actual.every((dim, i) => dim === expected[i])) return;
  throw new InputError(
    'import_shape',
    `Tensor ${name} has the shape [${actual.join(', ')}], but the configuration asks for [${expected.join(', ')}].`,
  );
}
