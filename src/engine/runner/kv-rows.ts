/**
 * KV rows of single cells as bytes, to take sequences from one process to another. Keys are kept after their rotation, so a
 * row is good at the position it was computed for and at no other.
 *
 * The bytes of some cells are, block by block, their K rows and then their V rows, each in the order in which the cells are
 * named.
 *
 * @module engine/runner/kv-rows
 */
import { KithError } from '../../base/index.ts';
import type { Compute } from '../ggml/compute.ts';
import type { BlockSpan } from '../types.ts';
import type { KvStore, KvType } from './kv-store.ts';

export interface KvRows {
  readonly type: KvType;
  /** Bytes of one cell over the blocks of the span. */
  cellBytes(span: BlockSpan): number;
  /** @param allowed asked right before the cells are read; its error is the result's */
  read(cells: Int32Array, span: BlockSpan, allowed: () => void): Promise<Uint8Array>;
  /** @throws KithError `kv_invalid` for another number of bytes, and for values that are not finite */
  write(cells: Int32Array, span: BlockSpan, bytes: Uint8Array, allowed: () => void): Promise<void>;
}

/** Bytes of a block of values and, of those, where the scale in binary16 stands; for types that have one. */
const QUANTIZED: Partial<Record<KvType, number>> = { q8_0: 34, q4_0: 18 };

export function createKvRows(
  compute: Compute,
  kv: KvStore,
  widths: { readonly k: number; readonly v: number },
): KvRows {
  const { call } = compute.ggml;
  const [kBytes, vBytes] = [kv.rowBytes(widths.k), kv.rowBytes(widths.v)];
  const cellBytes = ({ from, to }: BlockSpan) => (to - from) * (kBytes + vBytes);

  /** Calls `run` for each run of cells that follow each other in the tensor, with where their bytes are. */
  function forRuns(
    cells: Int32Array,
    { from, to }: BlockSpan,
    run: (tensor: bigint, offset: number, at: number, length: number) => void,
  ): void {
    let at = 0;
    for (let il = from; il < to; il++)
      for (const [tensor, rowBytes] of [
        [kv.k(il), kBytes],
        [kv.v(il), vBytes],
      ] as const)
        for (let i = 0; i < cells.length; ) {
          let end = i + 1;
          while (end < cells.length && cells[end] === cells[end - 1]! + 1) end++;
          run(tensor, cells[i]! * rowBytes, at, (end - i) * rowBytes);
          at += (end - i) * rowBytes;
          i = end;
        }
  }

  return {
    type: kv.type,
    cellBytes,
    read: (cells, span, allowed) =>
      compute.exclusive(async () => {
        allowed();
        kv.ensure(highest(cells) + 1);
        const bytes = new Uint8Array(cells.length * cellBytes(span));
        forRuns(cells, span, (tensor, offset, at, length) =>
          call.ggml_backend_tensor_get(tensor, bytes.subarray(at, at + length), offset, length),
        );
        return bytes;
      }),
    async write(cells, span, bytes, allowed) {
      const expected = cells.length * cellBytes(span);
      if (bytes.length !== expected)
        throw invalid(`${cells.length} cells came with ${bytes.length} bytes, not ${expected}`);
      // Attention multiplies the rows of every cell in its reach, other holders' too, and masks afterwards.
      if (!allFinite(kv.type, bytes)) throw invalid('a value is not finite');
      await compute.exclusive(async () => {
        allowed();
        kv.ensure(highest(cells) + 1);
        forRuns(cells, span, (tensor, offset, at, length) =>
          call.ggml_backend_tensor_set(tensor, bytes.subarray(at, at + length), offset, length),
        );
      });
    },
  };
}

const highest = (cells: Int32Array): number => cells.reduce((most, cell) => Math.max(most, cell), -1);

/** Whether KV bytes of the type hold finite values only. */
export function allFinite(type: KvType, bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // All bits of the exponent set: infinite, or not a number.
  const wide = type === 'f32';
  const step = wide ? 4 : (QUANTIZED[type] ?? 2);
  for (let at = 0; at < bytes.length; at += step)
    if (
      wide
        ? (view.getUint16(at + 2, true) & 0x7f80) === 0x7f80
        : (view.getUint16(at, true) & 0x7c00) === 0x7c00
    )
      return false;
  return true;
}

const invalid = (why: string) =>
  new KithError('kv_invalid', `KV rows cannot be taken over: ${why}.`, { status: 400 });
