/**
 * KV rows of a lease across the process boundary: cells, positions and what each continues (i32), then the rows.
 *
 * @module engine/process/kv-cells
 */
import { InputError } from '../../base/index.ts';
import { asInt32, type Frame, type FrameMeta } from './frames.ts';
import type { KvCells } from './leases.ts';
import { shapeOf } from './shape.ts';

/** Cells of one message. */
export const MOST_CELLS = 4096;
const HEAD_BYTES = 12;

export function encodeKvCells({ cells, positions, after, rows }: KvCells): {
  meta: FrameMeta;
  payload: Uint8Array;
} {
  const head = cells.length * HEAD_BYTES;
  const payload = new Uint8Array(head + rows.length);
  for (const [i, numbers] of [cells, positions, after].entries())
    payload.set(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength), i * cells.length * 4);
  payload.set(rows, head);
  return { meta: { count: cells.length }, payload };
}

/** @throws InputError `request_invalid` */
export function decodeKvCells({ meta, payload }: Pick<Frame, 'meta' | 'payload'>): KvCells {
  const count = shapeOf(meta).integer('count', 0, MOST_CELLS);
  const head = count * HEAD_BYTES;
  if (payload.length < head)
    throw new InputError('request_invalid', `${count} cells came with ${payload.length} bytes.`);
  const numbers = asInt32(payload.subarray(0, head));
  return {
    cells: numbers.subarray(0, count),
    positions: numbers.subarray(count, 2 * count),
    after: numbers.subarray(2 * count),
    rows: payload.subarray(head),
  };
}
