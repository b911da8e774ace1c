/**
 * Exact vectors of a knowledge base in memory, as many as have room: what the file would be asked for in every search.
 *
 * @module knowledge/vectors/exact-rows
 */

/** Bytes of exact vectors that are kept: 65,536 of 384 components. */
export const EXACT_BYTES = 96 << 20;

export interface ExactRows {
  /** Bytes of the vectors that are kept. */
  readonly bytes: number;
  readonly isFull: boolean;
  get(row: number): Float32Array | undefined;
  /** Keeps it while there is room. */
  set(row: number, vector: Float32Array): void;
  delete(row: number): void;
}

/** @param maxBytes 0: none is kept */
export function createExactRows(dimension: number, maxBytes: number): ExactRows {
  const each = dimension * Float32Array.BYTES_PER_ELEMENT;
  const most = Math.floor(maxBytes / each);
  const rows = new Map<number, Float32Array>();
  return {
    get bytes() {
      return rows.size * each;
    },
    get isFull() {
      return rows.size >= most;
    },
    get: (row) => rows.get(row),
    set(row, vector) {
      if (rows.size < most || rows.has(row)) rows.set(row, vector);
    },
    delete: (row) => void rows.delete(row),
  };
}
