/**
 * Takes the kernel over some blocks of a slab and keeps the best. What the node's thread and a worker do alike.
 *
 * @module knowledge/vectors/walk
 */
import { Best } from './best.ts';
import { type ALIVE, type ALLOWED, BLOCK_ROWS, blockBytes, HEAD_BYTES, HIT_BYTES, lane } from './layout.ts';
import type { Scanner } from './scan.ts';

export interface Walk {
  /** Control bytes to use; no two walks at a time share them. */
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
  const { stride, mask } = options;
  const bytes = blockBytes(stride);
  const own = lane(options.lane);
  scanner.place(options.query, own.query, stride);
  const view = new DataView(memory.buffer);
  const best = new Best(options.limit);
  const end = HEAD_BYTES + options.to * bytes;
  let block = HEAD_BYTES + options.from * bytes;
  while (block < end) {
    const row = ((block - HEAD_BYTES) / bytes) * BLOCK_ROWS;
    const { query, hits, hitsEnd, state } = own;
    // Addresses above 2 GiB come back as negative numbers.
    block =
      scanner.scan(block, end, bytes, stride, mask, query, best.threshold, hits, hitsEnd, row, state) >>> 0;
    const stop = view.getUint32(state, true);
    for (let hit = hits; hit < stop; hit += HIT_BYTES) {
      best.take(view.getUint32(hit, true), view.getFloat32(hit + 4, true));
    }
  }
  return best;
}
