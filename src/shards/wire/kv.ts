/**
 * KV rows of a session on their way from the shard that computed them to the one that takes its place (method
 * `/kith/shard-kv/1`). The owner names each to the other; nobody else is heard. All integers are little-endian.
 *
 * | k        | from   | further fields                                          | payload |
 * |----------|--------|---------------------------------------------------------|---------|
 * | (opening)| old    | `session` (16 B, of the new one), `type` (KV type), `bytes` (of one cell) | |
 * | `kv`     | old    | `c` (cells)                                             | cells, positions, the cell that each continues (i32, -1 for none), rows |
 * | `step`   | old    | a step that was sent on, for those that come after a further loss | cells, hidden states |
 * | `taken`  | new    | `cells`, once the old one has ended                      | |
 *
 * Rows of some cells are, block by block, their keys and then their values.
 *
 * @module shards/wire/kv
 */
import { type CborMap, Fields } from '../../base/index.ts';
import type { KvCells } from '../../engine/index.ts';
import type { SessionMessage } from '../../swarm/index.ts';
import { malformed, type Outgoing, SHARD_BOUNDS } from './messages.ts';

/** Cells of one message. */
const MOST_CELLS = 1024;
/** Bytes of one message, as far as one cell allows. */
const CHUNK_BYTES = 1 << 20;
const HEAD_BYTES = 12;

export interface KvOpening {
  readonly session: Uint8Array;
  readonly type: string;
  /** Bytes of the KV rows of one cell. */
  readonly bytes: number;
}

export function encodeKvOpening(opening: KvOpening): CborMap {
  return { ...opening };
}

export function decodeKvOpening(metadata: CborMap): KvOpening {
  const fields = new Fields(metadata, 'the opening', malformed);
  const opening = {
    session: fields.bytes('session', SHARD_BOUNDS.sessionBytes),
    type: fields.text('type', 16, 1),
    bytes: fields.count('bytes', SHARD_BOUNDS.payloadBytes),
  };
  fields.end();
  return opening;
}

/** Cells that one message holds. */
export function cellsAtOnce(cellBytes: number): number {
  return Math.max(1, Math.min(MOST_CELLS, Math.floor(CHUNK_BYTES / (cellBytes + HEAD_BYTES))));
}

export function encodeKv({ cells, positions, after, rows }: KvCells): Outgoing {
  const count = cells.length;
  const payload = new Uint8Array(count * HEAD_BYTES + rows.length);
  const numbers = new Int32Array(payload.buffer, 0, count * 3);
  numbers.set(cells);
  numbers.set(positions, count);
  numbers.set(after, 2 * count);
  payload.set(rows, count * HEAD_BYTES);
  return { metadata: { k: 'kv', c: count }, payload };
}

/** @throws InputError `shard_malformed` */
export function decodeKv({ metadata, payload }: SessionMessage, cellBytes: number): KvCells {
  const fields = new Fields(metadata, 'KV rows', malformed);
  fields.oneOf('k', ['kv']);
  const count = fields.count('c', MOST_CELLS);
  fields.end();
  const head = count * HEAD_BYTES;
  if (count === 0 || payload.length !== head + count * cellBytes)
    throw malformed(`${count} cells of ${cellBytes} bytes came with ${payload.length} bytes`);
  const numbers = new Int32Array(count * 3);
  new Uint8Array(numbers.buffer).set(payload.subarray(0, head));
  return {
    cells: numbers.subarray(0, count),
    positions: numbers.subarray(count, 2 * count),
    after: numbers.subarray(2 * count),
    rows: payload.subarray(head),
  };
}

export function decodeTaken(metadata: CborMap): number {
  const fields = new Fields(metadata, 'the answer', malformed);
  fields.oneOf('k', ['taken']);
  const cells = fields.count('cells', SHARD_BOUNDS.cells);
  fields.end();
  return cells;
}
