/**
 * What an owner asks a shard after the fact, and what it shows. On the session of the owner; all integers are little-endian.
 *
 * | k       | from  | further fields | payload |
 * |---------|-------|----------------|---------|
 * | `show`  | owner | `id`, `rows` (whether it wants the rows that went on), `count` | cells (i32), then the step that wrote each (f64) |
 * | `shown` | shard | `id`, `build` (what computes), `has` (false: not all of it is known any more) | digests of the rows that came (16 B each), then the rows that went on (f32), if asked for |
 *
 * A digest is the first 16 bytes of SHA-256 over the values of a row as its receiver has them, f32, little-endian.
 *
 * @module shards/wire/audit
 */
import { hash } from 'node:crypto';
import { type CborMap, Fields } from '../../base/index.ts';
import type { SessionMessage } from '../../swarm/index.ts';
import { MAX_STEP, malformed, type Outgoing, SHARD_BOUNDS } from './messages.ts';

export const AUDIT_BOUNDS = { cells: 1024, buildChars: 200, digestBytes: 16 } as const;
const CELL_BYTES = 12;

/** Rows that one message can show. */
export function shownAtOnce(width: number): number {
  return Math.min(
    AUDIT_BOUNDS.cells,
    Math.floor(SHARD_BOUNDS.payloadBytes / (AUDIT_BOUNDS.digestBytes + 4 * width)),
  );
}

/** A row of a path: the cell, and the step that wrote it. Others may have written there since. */
export interface Written {
  readonly cells: Int32Array;
  readonly steps: Float64Array;
}

export interface Show extends Written {
  readonly id: number;
  readonly rows: boolean;
}

export interface Shown {
  /** What computes, as the shard says: equal builds give equal rows. */
  readonly build: string;
  readonly has: boolean;
  /** 16 bytes for each row that came; empty when it has not all. */
  readonly came: Uint8Array;
  /** Rows that went on; empty when not asked for, or it has not all. */
  readonly went: Float32Array;
}

/** 16 bytes for each row. */
export function rowDigests(rows: Float32Array, width: number): Uint8Array {
  const count = rows.length / width;
  const digests = new Uint8Array(count * AUDIT_BOUNDS.digestBytes);
  for (let row = 0; row < count; row++)
    digests.set(
      hash('sha256', rows.subarray(row * width, (row + 1) * width), 'buffer').subarray(
        0,
        AUDIT_BOUNDS.digestBytes,
      ),
      row * AUDIT_BOUNDS.digestBytes,
    );
  return digests;
}

/** @param cells at most `AUDIT_BOUNDS.cells` */
export function encodeShow({ id, cells, steps, rows }: Show): Outgoing {
  const payload = new Uint8Array(cells.length * CELL_BYTES);
  const view = new DataView(payload.buffer);
  for (const [i, cell] of cells.entries()) {
    view.setInt32(i * 4, cell, true);
    view.setFloat64(cells.length * 4 + i * 8, steps[i]!, true);
  }
  return { metadata: { k: 'show', id, rows, count: cells.length }, payload };
}

/** @throws InputError `shard_malformed` */
export function decodeShow({ metadata, payload }: SessionMessage, width: number): Show {
  const fields = new Fields(metadata, 'the message "show"', malformed);
  fields.oneOf('k', ['show']);
  const id = fields.count('id', MAX_STEP);
  const rows = fields.flag('rows');
  const count = fields.count('count', shownAtOnce(width));
  fields.end();
  if (count === 0 || payload.length !== count * CELL_BYTES)
    throw malformed(`${payload.length} bytes came for ${count} cells to be shown`);
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const cells = Int32Array.from({ length: count }, (_, i) => view.getInt32(i * 4, true));
  const steps = Float64Array.from({ length: count }, (_, i) => view.getFloat64(count * 4 + i * 8, true));
  if (!steps.every((n) => Number.isInteger(n) && n > 0 && n <= MAX_STEP))
    throw malformed('a step to be shown has no number');
  return { id, rows, cells, steps };
}

export function encodeShown(id: number, { build, has, came, went }: Shown): Outgoing {
  const payload = new Uint8Array(came.length + went.length * 4);
  payload.set(came);
  // Digests are of 16 bytes, so rows begin where numbers may.
  new Float32Array(payload.buffer, came.length).set(went);
  return { metadata: { k: 'shown', id, build, has } satisfies CborMap, payload };
}

/** Which of the questions a `shown` answers. @throws InputError `shard_malformed` */
export function idOfShown(metadata: CborMap): number {
  const fields = new Fields(metadata, 'the message "shown"', malformed);
  fields.oneOf('k', ['shown']);
  return fields.count('id', MAX_STEP);
}

/**
 * @param asked what it answers
 * @throws InputError `shard_malformed` for another number of bytes, and for rows that are not finite
 */
export function decodeShown({ metadata, payload }: SessionMessage, width: number, asked: Show): Shown {
  const fields = new Fields(metadata, 'the message "shown"', malformed);
  fields.oneOf('k', ['shown']);
  fields.count('id', MAX_STEP);
  const build = fields.text('build', AUDIT_BOUNDS.buildChars);
  const has = fields.flag('has');
  fields.end();
  const count = has ? asked.cells.length : 0;
  const digestBytes = count * AUDIT_BOUNDS.digestBytes;
  const values = asked.rows ? count * width : 0;
  if (payload.length !== digestBytes + values * 4)
    throw malformed(`${payload.length} bytes came where ${count} rows were to be shown`);
  const went = new Float32Array(values);
  new Uint8Array(went.buffer).set(payload.subarray(digestBytes));
  if (!went.every(Number.isFinite)) throw malformed('a row that was shown is not finite');
  return { build, has, came: payload.slice(0, digestBytes), went };
}
