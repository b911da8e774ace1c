/**
 * Where things stand in a slab's memory. Blocks of 64 rows follow a head of control bytes:
 *
 * | offset | bytes | what |
 * |---|---|---|
 * | 0 | 8 | which rows live, bit i is row i |
 * | 8 | 8 | which rows the filter at work lets through |
 * | 64 | 256 | scales, f32 |
 * | 320 | 256 | 64 × the sum of each row's components, i32 |
 * | 576 | 64 × stride | rows, i8, filled up with zeros to the stride |
 *
 * Four rows lie woven into each other, 64 bytes of each in turns: the kernel takes four at a time and so reads memory in its order.
 *
 * @module knowledge/vectors/layout
 */
export const BLOCK_ROWS = 64;
export const ALIVE = 0;
export const ALLOWED = 8;
export const SCALES = 64;
export const SUMS = 320;
export const ROWS = 576;

/** Rows are filled up to whole cache lines, which is also what a turn of the kernel's loop takes. */
export const STRIDE_STEP = 64;
/** Rows that are woven together, and bytes from one piece of a row to its next. */
export const WOVEN = 4;
export const WEAVE_BYTES = WOVEN * STRIDE_STEP;
export const MAX_DIMENSION = 8192;

/** Bytes of a found row: its number (u32) and its score (f32). */
export const HIT_BYTES = 8;
/** Found rows that the kernel gives at once. */
export const HITS = 256;

/** Lanes of control bytes: the node's own thread and workers. Each: where the kernel stopped, its hits, the query. */
export const LANES = 8;
const LANE_HEAD = 16;
export const LANE_BYTES = 20_480;
export const HEAD_BYTES = LANES * LANE_BYTES;

export const PAGE_BYTES = 65_536;
/** 3 GiB: below what 32-bit addresses reach, with room for rounding. */
export const MAX_PAGES = 49_152;

export function strideOf(dimension: number): number {
  return Math.ceil(dimension / STRIDE_STEP) * STRIDE_STEP;
}

export function blockBytes(stride: number): number {
  return ROWS + BLOCK_ROWS * stride;
}

/** From the start of a block to the first piece of its row r. */
export function rowOffset(r: number, stride: number): number {
  return ROWS + (r - (r % WOVEN)) * stride + (r % WOVEN) * STRIDE_STEP;
}

export interface Lane {
  readonly state: number;
  readonly hits: number;
  readonly hitsEnd: number;
  readonly query: number;
}

export function lane(index: number): Lane {
  const state = index * LANE_BYTES;
  const hits = state + LANE_HEAD;
  const hitsEnd = hits + HITS * HIT_BYTES;
  return { state, hits, hitsEnd, query: hitsEnd };
}
