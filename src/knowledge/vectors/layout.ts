/**
 * Where things stand in a slab's memory. Blocks of 64 rows follow a head of control bytes:
 *
 * | offset | bytes | what |
 * |---|---|---|
 * | 0 | 8 | which rows live, bit i is row i |
 * | 8 | 8 | which rows the filter at work lets through |
 * | 16 | 4 | the largest bound of the block, f32 |
 * | 64 | 256 | scales, f32 |
 * | 320 | 256 | 64 × the sum of each row's coarse bytes, i32 |
 * | 576 | 256 | how long what the coarse bytes leave out is, f32, rounded up |
 * | 832 | 256 | bounds: what the score of each row can be at most for the question at work, f32 |
 * | 1088 | 32 × stride | coarse bytes: the upper halves of all components |
 * | 1088 + 32 × stride | 32 × stride | fine bytes: the lower halves |
 *
 * A row is i8 components, filled up with zeros to the stride. Every 64 of them, a piece, are 32 coarse and 32 fine bytes: byte j has
 * a half of component j and one of component j + 32 (halves.ts). Coarse pieces of four rows lie woven into each other, in turns: the
 * kernel takes four rows at a time and so reads memory in its order. Fine pieces of a row follow each other: few rows need them.
 *
 * @module knowledge/vectors/layout
 */
export const BLOCK_ROWS = 64;
export const ALIVE = 0;
export const ALLOWED = 8;
export const MOST = 16;
export const SCALES = 64;
export const SUMS = 320;
export const RESTS = 576;
export const BOUNDS = 832;
export const ROWS = 1088;

/** Rows are filled up to whole pieces, which is also what a turn of the kernel's loop takes. */
export const PIECE = 64;
export const HALF_PIECE = PIECE / 2;
/** Rows that are woven together, and bytes from one coarse piece of a row to its next. */
export const WOVEN = 4;
export const WEAVE_BYTES = WOVEN * HALF_PIECE;
export const MAX_DIMENSION = 8192;

/** Bytes of a found row: its number (u32) and its score (f32). */
export const HIT_BYTES = 8;
/** Found rows that the kernel gives at once. */
export const HITS = 256;

/** Lanes of control bytes: the node's own thread and workers. Each: where the kernel stopped, its hits, the query. */
export const LANES = 8;
const LANE_HEAD = 16;
/** A query: the sum of the components of second halves (i32), its length (f32, rounded up), then its components. */
export const QUERY_HEAD = 16;
export const LANE_BYTES = 20_480;
export const HEAD_BYTES = LANES * LANE_BYTES;

export const PAGE_BYTES = 65_536;
/** 3 GiB: below what 32-bit addresses reach, with room for rounding. */
export const MAX_PAGES = 49_152;

export function strideOf(dimension: number): number {
  return Math.ceil(dimension / PIECE) * PIECE;
}

export function blockBytes(stride: number): number {
  return ROWS + BLOCK_ROWS * stride;
}

/** From the start of a block to the first coarse piece of its row r. */
export function coarseOffset(r: number, stride: number): number {
  return ROWS + ((r - (r % WOVEN)) * stride) / 2 + (r % WOVEN) * HALF_PIECE;
}

/** From the start of a block to the fine bytes of its row r. */
export function fineOffset(r: number, stride: number): number {
  return ROWS + ((BLOCK_ROWS + r) * stride) / 2;
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
