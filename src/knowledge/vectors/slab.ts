/**
 * Int8 rows of one knowledge base in memory that the kernel and workers see. Rows are appended and struck out; struck ones
 * go when they are many, and the rest keeps its order.
 *
 * @module knowledge/vectors/slab
 */
import { LimitError } from '../../base/index.ts';
import { writeHalves } from './halves.ts';
import {
  ALIVE,
  ALLOWED,
  BLOCK_ROWS,
  blockBytes,
  coarseOffset,
  fineOffset,
  HALF_PIECE,
  HEAD_BYTES,
  MAX_PAGES,
  PAGE_BYTES,
  PIECE,
  RESTS,
  SCALES,
  SUMS,
  strideOf,
  WEAVE_BYTES,
} from './layout.ts';
import type { Quantized } from './quantize.ts';

/** Memory grows by an eighth, at least by this. */
const GROW_BYTES = 4 << 20;

export class Slab {
  readonly memory: WebAssembly.Memory;
  readonly dimension: number;
  readonly stride: number;
  /** Rows that fit at most. */
  readonly capacity: number;
  readonly #blockBytes: number;
  #rows = 0;
  #alive = 0;
  #view: DataView;
  #bytes: Int8Array;

  /** @param maxBytes Memory it may take, at most 3 GiB. */
  constructor(options: { dimension: number; rows?: number; maxBytes?: number }) {
    this.dimension = options.dimension;
    this.stride = strideOf(options.dimension);
    this.#blockBytes = blockBytes(this.stride);
    const maxBytes = Math.min(options.maxBytes ?? Number.POSITIVE_INFINITY, MAX_PAGES * PAGE_BYTES);
    this.capacity = Math.max(0, Math.floor((maxBytes - HEAD_BYTES) / this.#blockBytes)) * BLOCK_ROWS;
    const rows = Math.min(options.rows ?? 0, this.capacity);
    const initial = Math.ceil(this.#bytesFor(rows) / PAGE_BYTES);
    try {
      this.memory = new WebAssembly.Memory({ initial, maximum: MAX_PAGES, shared: true });
    } catch (error) {
      throw full(0, error);
    }
    this.#view = new DataView(this.memory.buffer);
    this.#bytes = new Int8Array(this.memory.buffer);
  }

  /** Rows there are, struck ones too. */
  get rows(): number {
    return this.#rows;
  }

  get alive(): number {
    return this.#alive;
  }

  get blocks(): number {
    return Math.ceil(this.#rows / BLOCK_ROWS);
  }

  get bytes(): number {
    return this.#bytes.length;
  }

  get isFull(): boolean {
    return this.#rows >= this.capacity;
  }

  /** @returns the row's number. @throws LimitError `knowledge.vectors` when the slab is full or memory is. */
  append(vector: Quantized): number {
    if (this.isFull) throw full(this.capacity);
    const row = this.#rows;
    this.#reserve(row + 1);
    this.#write(row, vector);
    // The number goes up first: whoever sees the row as living can read it.
    this.#rows++;
    this.#mark(row, true);
    this.#alive++;
    return row;
  }

  /** Puts another vector in a living row's place. */
  replace(row: number, vector: Quantized): void {
    this.#write(row, vector);
  }

  strike(row: number): void {
    if (!this.isAlive(row)) return;
    this.#mark(row, false);
    this.#alive--;
  }

  isAlive(row: number): boolean {
    return (this.#word(row, ALIVE) & (1 << (row & 31))) !== 0;
  }

  /** Lets only the given living rows through walks with the mask `ALLOWED`. */
  allow(rows: Iterable<number>): void {
    for (let block = 0; block < this.blocks; block++) {
      const at = HEAD_BYTES + block * this.#blockBytes + ALLOWED;
      this.#view.setUint32(at, 0, true);
      this.#view.setUint32(at + 4, 0, true);
    }
    for (const row of rows) {
      if (!this.isAlive(row)) continue;
      const at = this.#wordAt(row, ALLOWED);
      this.#view.setUint32(at, this.#view.getUint32(at, true) | (1 << (row & 31)), true);
    }
  }

  /** Closes the gaps. No walk may be under way. @param moved is told each row that has another number now. */
  compact(moved: (from: number, to: number) => void): void {
    let to = 0;
    for (let from = 0; from < this.#rows; from++) {
      if (!this.isAlive(from)) continue;
      if (from !== to) {
        const [source, target] = [this.#at(from), this.#at(to)];
        for (let piece = 0; piece < this.stride / PIECE; piece++) {
          const start = source.coarse + piece * WEAVE_BYTES;
          this.#bytes.copyWithin(target.coarse + piece * WEAVE_BYTES, start, start + HALF_PIECE);
        }
        this.#bytes.copyWithin(target.fine, source.fine, source.fine + this.stride / 2);
        for (const each of ['scale', 'sum', 'rest'] as const)
          this.#view.setUint32(target[each], this.#view.getUint32(source[each], true), true);
        this.#mark(from, false);
        this.#mark(to, true);
        moved(from, to);
      }
      to++;
    }
    this.#rows = to;
  }

  #write(row: number, { i8, scale }: Quantized): void {
    const at = this.#at(row);
    const { sum, rest } = writeHalves(i8, this.#bytes, at.coarse, at.fine);
    this.#view.setFloat32(at.scale, scale, true);
    this.#view.setInt32(at.sum, 64 * sum, true);
    this.#view.setFloat32(at.rest, rest, true);
  }

  #mark(row: number, isAlive: boolean): void {
    const at = this.#wordAt(row, ALIVE);
    const bit = 1 << (row & 31);
    const word = this.#view.getUint32(at, true);
    this.#view.setUint32(at, isAlive ? word | bit : word & ~bit, true);
  }

  #word(row: number, mask: number): number {
    return this.#view.getUint32(this.#wordAt(row, mask), true);
  }

  #wordAt(row: number, mask: number): number {
    const block = Math.floor(row / BLOCK_ROWS);
    return HEAD_BYTES + block * this.#blockBytes + mask + (row & 32 ? 4 : 0);
  }

  #at(row: number): Readonly<Record<'coarse' | 'fine' | 'scale' | 'sum' | 'rest', number>> {
    const block = HEAD_BYTES + Math.floor(row / BLOCK_ROWS) * this.#blockBytes;
    const r = row % BLOCK_ROWS;
    return {
      coarse: block + coarseOffset(r, this.stride),
      fine: block + fineOffset(r, this.stride),
      scale: block + SCALES + 4 * r,
      sum: block + SUMS + 4 * r,
      rest: block + RESTS + 4 * r,
    };
  }

  #bytesFor(rows: number): number {
    return HEAD_BYTES + Math.ceil(rows / BLOCK_ROWS) * this.#blockBytes;
  }

  #reserve(rows: number): void {
    const need = this.#bytesFor(rows);
    const have = this.#bytes.length;
    if (need <= have) return;
    const most = MAX_PAGES * PAGE_BYTES;
    const wanted = Math.min(most, Math.max(need, have + Math.max(GROW_BYTES, have >> 3)));
    try {
      this.memory.grow(Math.ceil((wanted - have) / PAGE_BYTES));
    } catch (error) {
      throw full(this.#rows, error);
    }
    this.#view = new DataView(this.memory.buffer);
    this.#bytes = new Int8Array(this.memory.buffer);
  }
}

function full(rows: number, cause?: unknown): LimitError {
  return new LimitError(
    'knowledge.vectors',
    rows,
    `There is no memory for more than ${rows} vectors in one piece. Free some, or keep fewer documents in one knowledge base.`,
    { status: 507, cause },
  );
}
