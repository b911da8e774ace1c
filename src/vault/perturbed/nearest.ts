/**
 * Eve's end of `perturbed`: the rows of blocks that lie nearest to a vector, by plain arithmetic over what she sees anyway. Blocks that were asked
 * for lately stay in memory.
 *
 * A block is rows of one length, each a vector (32-bit floating-point numbers, little-endian) and bytes that come back with it as they are.
 *
 * @module vault/perturbed/nearest
 */
import { KithError } from '../../base/index.ts';

export const NEAREST_BOUNDS = {
  /** Numbers of a vector, bytes of a row (a multiple of 4), and rows that are named. */
  dimension: 4096,
  rowBytes: 32 << 10,
  leastRowBytes: 64,
  k: 256,
} as const;

export interface NearestForm {
  readonly dimension: number;
  readonly rowBytes: number;
  readonly k: number;
}

export interface Near {
  /** Which of the blocks that were named, and which row of it. */
  readonly block: number;
  readonly row: number;
  /** Squared distance, finite. */
  readonly distance: number;
  /** What stands behind the vector. */
  readonly rest: Uint8Array;
}

/** Bytes of a row in an answer before its rest: block and row (u32 each), distance (f32), little-endian. */
const HEAD_BYTES = 12;
export const nearBytes = ({ dimension, rowBytes }: Omit<NearestForm, 'k'>): number =>
  HEAD_BYTES + rowBytes - dimension * 4;

/** Blocks by name, those that were used the longest ago make room. */
export interface RowBlocks {
  get(name: string, load: () => Uint8Array): Uint8Array;
  forget(name: string): void;
}

/** @param capacityBytes of all blocks; the one that is searched is there in any case */
export function createRowBlocks(capacityBytes: number): RowBlocks {
  const blocks = new Map<string, Uint8Array>();
  let bytes = 0;
  const forget = (name: string): void => {
    bytes -= blocks.get(name)?.length ?? 0;
    blocks.delete(name);
  };
  return {
    forget,
    get(name, load) {
      // Numbers are read from it: a copy begins at a boundary of 8 bytes.
      const block = blocks.get(name) ?? new Uint8Array(load());
      forget(name);
      blocks.set(name, block);
      bytes += block.length;
      while (bytes > capacityBytes && blocks.size > 1) forget(blocks.keys().next().value!);
      return block;
    },
  };
}

/**
 * Those of all rows that are nearest, in the order of their distance; of equals the one that comes first. A row that is at no finite distance is
 * not among them.
 *
 * @param query 4 bytes a number, little-endian
 * @param load gives a block @throws KithError `storage_form`: a block is no rows of that length
 */
export function nearestRows(
  memory: RowBlocks,
  names: readonly string[],
  { dimension, rowBytes, k }: NearestForm,
  query: Uint8Array,
  load: (name: string) => Uint8Array,
): Uint8Array {
  const asked = new Float32Array(new Uint8Array(query).buffer);
  const rowsOf = (name: string): Uint8Array => {
    const bytes = memory.get(name, () => load(name));
    if (bytes.length % rowBytes === 0) return bytes;
    throw new KithError(
      'storage_form',
      `The block has ${bytes.length} bytes, which are no rows of ${rowBytes}.`,
      { status: 409 },
    );
  };
  const best = createBest(k);
  for (const [block, name] of names.entries()) {
    const bytes = rowsOf(name);
    const numbers = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    const step = rowBytes / 4;
    for (let row = 0, from = 0; from < numbers.length; row++, from += step)
      best.add(Math.fround(squared(numbers, from, asked, dimension)), block, row);
  }
  const each = nearBytes({ dimension, rowBytes });
  const found = best.inOrder();
  const out = Buffer.alloc(found.length * each);
  for (const [i, { block, row, distance }] of found.entries()) {
    out.writeUInt32LE(block, i * each);
    out.writeUInt32LE(row, i * each + 4);
    out.writeFloatLE(distance, i * each + 8);
    const end = (row + 1) * rowBytes;
    out.set(rowsOf(names[block]!).subarray(end - rowBytes + dimension * 4, end), i * each + HEAD_BYTES);
  }
  return out;
}

/** Rows in the order of their distance, then of their places. */
const before = (a: Omit<Near, 'rest'>, b: Omit<Near, 'rest'>): boolean =>
  a.distance < b.distance ||
  (a.distance === b.distance && (a.block < b.block || (a.block === b.block && a.row < b.row)));

/** The k first of those that are added in the order of their places: a heap, the last of them on top, so that no order of rows is slow. */
function createBest(k: number) {
  const heap: Omit<Near, 'rest'>[] = [];

  function sink(one: Omit<Near, 'rest'>): void {
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && before(heap[below]!, heap[below + 1]!)) below += 1;
      if (!before(one, heap[below]!)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = one;
  }

  return {
    add(distance: number, block: number, row: number): void {
      if (heap.length === k) {
        // Also false for what is no number.
        if (distance < heap[0]!.distance) sink({ block, row, distance });
        return;
      }
      if (!Number.isFinite(distance)) return;
      const one = { block, row, distance };
      let at = heap.length;
      for (let above = (at - 1) >> 1; at > 0 && before(heap[above]!, one); above = (at - 1) >> 1) {
        heap[at] = heap[above]!;
        at = above;
      }
      heap[at] = one;
    },
    inOrder: () => heap.toSorted((a, b) => (before(a, b) ? -1 : 1)),
  };
}

/** What an Eve answered, or null when it is nothing that she could answer rightly. */
export function readNearest(
  answer: Uint8Array,
  blocks: number,
  { dimension, rowBytes, k }: NearestForm,
  blockBytes: number,
): Near[] | null {
  const each = nearBytes({ dimension, rowBytes });
  const view = Buffer.from(answer.buffer, answer.byteOffset, answer.length);
  if (answer.length % each !== 0 || answer.length / each > k) return null;
  const seen = new Set<string>();
  let before = 0;
  const rows: Near[] = [];
  for (let at = 0; at < answer.length; at += each) {
    const [block, row] = [view.readUInt32LE(at), view.readUInt32LE(at + 4)];
    const distance = view.readFloatLE(at + 8);
    const place = `${block}/${row}`;
    if (block >= blocks || (row + 1) * rowBytes > blockBytes || seen.has(place)) return null;
    if (!Number.isFinite(distance) || distance < before) return null;
    seen.add(place);
    before = distance;
    rows.push({ block, row, distance, rest: answer.slice(at + HEAD_BYTES, at + each) });
  }
  return rows;
}

/** Four sums at a time: the processor need not wait for each. */
function squared(rows: Float32Array, from: number, query: Float32Array, dimension: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (; i + 3 < dimension; i += 4) {
    const p = rows[from + i]! - query[i]!;
    const q = rows[from + i + 1]! - query[i + 1]!;
    const r = rows[from + i + 2]! - query[i + 2]!;
    const s = rows[from + i + 3]! - query[i + 3]!;
    a += p * p;
    b += q * q;
    c += r * r;
    d += s * s;
  }
  for (; i < dimension; i++) a += (rows[from + i]! - query[i]!) ** 2;
  return a + b + (c + d);
}
