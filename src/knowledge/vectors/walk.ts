/**
 * Takes the kernel over some blocks of a slab and keeps the best. What the node's thread and a worker do alike.
 *
 * First every row gets a bound on its score. Then rows are computed whose bound is among the largest: the worst of the best so far
 * is what others must reach. Last, the rows whose bound reaches it: nothing else can be among the best.
 *
 * @module knowledge/vectors/walk
 */
import { Best } from './best.ts';
import {
  type ALIVE,
  type ALLOWED,
  BLOCK_ROWS,
  blockBytes,
  HEAD_BYTES,
  HIT_BYTES,
  lane,
  MOST,
} from './layout.ts';
import type { Scanner } from './scan.ts';

export interface Walk {
  /** Control bytes to use; no two walks at a time share them, nor blocks. */
  readonly lane: number;
  readonly stride: number;
  /** Blocks [from, to). */
  readonly from: number;
  readonly to: number;
  readonly mask: typeof ALIVE | typeof ALLOWED;
  /** 7 bits a component. */
  readonly query: Int8Array;
  readonly limit: number;
}

/** Numbers of the best rows in the slab, and their scores up to the query's scale. */
export function walk(memory: WebAssembly.Memory, scanner: Scanner, options: Walk): Best {
  const { stride, mask, limit } = options;
  const bytes = blockBytes(stride);
  const { query, hits, hitsEnd, state } = lane(options.lane);
  scanner.place(options.query, query, stride);
  const start = HEAD_BYTES + options.from * bytes;
  const end = HEAD_BYTES + options.to * bytes;
  const best = new Best(limit);
  const view = new DataView(memory.buffer);

  /** Computes rows with bounds in [from, below) as far as they can be among the best. */
  function compute(from: number, below: number): void {
    for (let block = start, row = options.from * BLOCK_ROWS; block < end; ) {
      const { threshold } = best;
      const least = Math.max(from, threshold);
      // Addresses above 2 GiB come back as negative numbers.
      const stop =
        scanner.fine(
          ...([
            block,
            end,
            bytes,
            stride,
            query,
            least,
            below,
            threshold,
            hits,
            hitsEnd,
            row,
            state,
          ] as const),
        ) >>> 0;
      const last = view.getUint32(state, true);
      for (let hit = hits; hit < last; hit += HIT_BYTES) {
        best.take(view.getUint32(hit, true), view.getFloat32(hit + 4, true));
      }
      row += ((stop - block) / bytes) * BLOCK_ROWS;
      block = stop;
    }
  }

  scanner.coarse(start, end, bytes, stride, query, mask);
  // As many blocks have a row with a bound of at least this as there are to be rows: they are the first ones to be computed.
  const likely = limit > options.to - options.from ? Number.NEGATIVE_INFINITY : nthLargest(largest(), limit);
  compute(likely, Number.NaN);
  if (best.threshold < likely) compute(Number.NEGATIVE_INFINITY, likely);
  return best;

  function largest(): Float32Array {
    const floats = new Float32Array(memory.buffer);
    const all = new Float32Array(options.to - options.from);
    for (let i = 0, at = (start + MOST) / 4; i < all.length; i++, at += bytes / 4) all[i] = floats[at]!;
    return all;
  }
}

/** The n-th largest of numbers, n from 1; they are put in another order. Hoare's selection. */
export function nthLargest(numbers: Float32Array, n: number): number {
  const wanted = n - 1;
  let low = 0;
  let high = numbers.length - 1;
  while (low < high) {
    const pivot = numbers[(low + high) >>> 1]!;
    let i = low;
    let j = high;
    while (i <= j) {
      while (numbers[i]! > pivot) i++;
      while (numbers[j]! < pivot) j--;
      if (i > j) break;
      const moved = numbers[i]!;
      numbers[i++] = numbers[j]!;
      numbers[j--] = moved;
    }
    if (wanted <= j) high = j;
    else if (wanted >= i) low = i;
    else break;
  }
  return numbers[wanted]!;
}
