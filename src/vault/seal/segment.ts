/**
 * Records put together into blocks of about a MiB, so that Eve sees neither how many objects there are nor how large each is.
 *
 * A segment is records one behind the other, and zeros up to its padded size. Where each lies stands in the manifest alone.
 *
 * @module vault/seal/segment
 */
import { hash } from 'node:crypto';
import type { Random } from '../../base/index.ts';
import { BLOCK_MAX_BYTES, blockId } from '../block.ts';
import { paddedLength, sealRecord } from './record.ts';

/** A segment is closed when its records have so many bytes. */
export const SEGMENT_BYTES = 1 << 20;
/** Bytes of a digest in the manifest. */
export const DIGEST_BYTES = 16;

/** Where an object lies, and what opens it. */
export interface Entry {
  readonly name: string;
  /** Id of the block. */
  readonly segment: string;
  /** First byte of its record there, and how many. */
  readonly at: number;
  readonly bytes: number;
  /** Bytes of the object. */
  readonly size: number;
  /** Of the object: tells whether it changed. First 16 bytes of its SHA-256. */
  readonly digest: Uint8Array;
  readonly key: Uint8Array;
}

export interface Segment {
  readonly id: string;
  readonly block: Uint8Array;
  readonly entries: readonly Entry[];
}

export const digestOf = (object: Uint8Array): Uint8Array =>
  Uint8Array.from(hash('sha256', object, 'buffer').subarray(0, DIGEST_BYTES));

interface Waiting extends Omit<Entry, 'segment'> {
  readonly record: Uint8Array;
}

export interface SegmentWriter {
  /** The segment that is full now, if one is. */
  add(name: string, object: Uint8Array): Segment | null;
  /** What is left. */
  finish(): Segment | null;
}

export function createSegmentWriter(collection: string, random: Pick<Random, 'bytes'>): SegmentWriter {
  let waiting: Waiting[] = [];
  let filled = 0;

  function close(): Segment | null {
    if (waiting.length === 0) return null;
    const block = new Uint8Array(Math.min(BLOCK_MAX_BYTES, paddedLength(filled)));
    for (const { record, at } of waiting) block.set(record, at);
    const id = blockId(block);
    const entries = waiting.map(({ record: _record, ...entry }) => ({ ...entry, segment: id }));
    waiting = [];
    filled = 0;
    return { id, block, entries };
  }

  return {
    add(name, object) {
      const { bytes: record, key } = sealRecord(collection, name, object, random);
      const full = filled > 0 && filled + record.length > SEGMENT_BYTES ? close() : null;
      waiting.push({
        ...{ name, at: filled, bytes: record.length, size: object.length },
        ...{ digest: digestOf(object), key, record },
      });
      filled += record.length;
      return full;
    },
    finish: close,
  };
}
