/**
 * Tensor types of ggml: number, name, elements per block and bytes per block. The figures are compared with
 * `ggml_blck_size` and `ggml_type_size` of the native library in `types-table.test.ts`.
 *
 * @module models/gguf/types-table
 */

export interface TensorType {
  /** `ggml_type` number as it stands in a file. */
  readonly number: number;
  /** Upper-case name as people write it: `F16`, `Q4_0`, `Q4_K`, `IQ2_XXS`. */
  readonly name: string;
  /** Elements in one block; a row (`dims[0]`) is a whole number of blocks. */
  readonly block: number;
  /** Bytes of one block. */
  readonly bytes: number;
  /** True for block formats, false for plain numbers. */
  readonly quantised: boolean;
}

const ROWS: readonly (readonly [number: number, name: string, block: number, bytes: number])[] = [
  [0, 'F32', 1, 4],
  [1, 'F16', 1, 2],
  [2, 'Q4_0', 32, 18],
  [3, 'Q4_1', 32, 20],
  [6, 'Q5_0', 32, 22],
  [7, 'Q5_1', 32, 24],
  [8, 'Q8_0', 32, 34],
  [9, 'Q8_1', 32, 36],
  [10, 'Q2_K', 256, 84],
  [11, 'Q3_K', 256, 110],
  [12, 'Q4_K', 256, 144],
  [13, 'Q5_K', 256, 176],
  [14, 'Q6_K', 256, 210],
  [15, 'Q8_K', 256, 292],
  [16, 'IQ2_XXS', 256, 66],
  [17, 'IQ2_XS', 256, 74],
  [18, 'IQ3_XXS', 256, 98],
  [19, 'IQ1_S', 256, 50],
  [20, 'IQ4_NL', 32, 18],
  [21, 'IQ3_S', 256, 110],
  [22, 'IQ2_S', 256, 82],
  [23, 'IQ4_XS', 256, 136],
  [24, 'I8', 1, 1],
  [25, 'I16', 1, 2],
  [26, 'I32', 1, 4],
  [27, 'I64', 1, 8],
  [28, 'F64', 1, 8],
  [29, 'IQ1_M', 256, 56],
  [30, 'BF16', 1, 2],
  [34, 'TQ1_0', 256, 54],
  [35, 'TQ2_0', 256, 66],
  [39, 'MXFP4', 32, 17],
  [40, 'NVFP4', 64, 36],
  [41, 'Q1_0', 128, 18],
  [42, 'Q2_0', 64, 18],
];

const types: readonly TensorType[] = ROWS.map(([number, name, block, bytes]) =>
  Object.freeze({ number, name, block, bytes, quantised: block > 1 }),
);
const byNumber: ReadonlyMap<number, TensorType> = new Map(types.map((type) => [type.number, type]));
const byName: ReadonlyMap<string, TensorType> = new Map(types.map((type) => [type.name, type]));

/** Numbers ggml once used and has withdrawn; a file that uses one is too old, not from the future. */
const REMOVED: ReadonlyMap<number, string> = new Map([
  [4, 'Q4_2'],
  [5, 'Q4_3'],
  [31, 'Q4_0_4_4'],
  [32, 'Q4_0_4_8'],
  [33, 'Q4_0_8_8'],
  [36, 'IQ4_NL_4_4'],
  [37, 'IQ4_NL_4_8'],
  [38, 'IQ4_NL_8_8'],
]);

/** Every known tensor type, by number. */
export const tensorTypes: readonly TensorType[] = types;

/** The type with this `ggml_type` number, or undefined. */
export function tensorType(number: number): TensorType | undefined {
  return byNumber.get(number);
}

/** The type with this upper-case name (`Q8_0`), or undefined. */
export function tensorTypeNamed(name: string): TensorType | undefined {
  return byName.get(name);
}

/** Name of a withdrawn type number, or undefined. */
export function removedTensorType(number: number): string | undefined {
  return REMOVED.get(number);
}

/**
 * Bytes of a tensor of this shape, or null when it has none: a dimension that is not a positive safe integer, a
 * row that is not whole blocks, or a total beyond 2^53 - 1.
 */
export function tensorBytes(type: TensorType, dims: readonly number[]): number | null {
  let elements = 1;
  for (const dim of dims) {
    if (!Number.isSafeInteger(dim) || dim < 1) return null;
    elements *= dim;
    if (!Number.isSafeInteger(elements)) return null;
  }
  if (dims.length === 0 || dims[0]! % type.block !== 0) return null;
  const bytes = (elements / type.block) * type.bytes;
  return Number.isSafeInteger(bytes) ? bytes : null;
}
