/**
 * Which position each cell of a lease holds, and after which other cell it was written.
 *
 * A cell is written after one other and is read by whoever continues it: sequences are branches of a tree, and a part of a
 * sequence is told by the cell it continues, however long the sequence is. Writing a cell again takes it out of the
 * branch it stood in: what continued it there can no longer be read.
 *
 * @module engine/kv/cell-tree
 */
import { InputError } from '../../base/index.ts';

/** Rows to write: what they continue, and their cells. Positions are those of the lease's own cells, from 0. */
export interface Growth {
  /** Position of the first row. */
  readonly start: number;
  /** Rows, at least 1. */
  readonly count: number;
  /** Cell of position `start - 1`; -1 when `start` is 0. It says which sequence the rows continue. */
  readonly after: number;
  /** Cells of the rows, `count` of them, in the order of positions. */
  readonly cells: Int32Array;
}

const UNWRITTEN = -1;

export class CellTree {
  readonly size: number;
  readonly #positions: Int32Array;
  readonly #parents: Int32Array;

  /** @param size cells, numbered from 0 */
  constructor(size: number) {
    this.size = size;
    this.#positions = new Int32Array(size).fill(UNWRITTEN);
    this.#parents = new Int32Array(size).fill(UNWRITTEN);
  }

  /**
   * Cells of positions 0 .. start + count - 1 of the sequence that the growth makes, in order. Changes nothing.
   *
   * @throws InputError `cells_invalid` naming the cell
   */
  line(growth: Growth): Int32Array {
    const { start, count, after, cells } = growth;
    if (cells.length !== count) throw invalid(`${count} rows came with ${cells.length} cells`);
    if ((after === -1) !== (start === 0)) throw invalid(`rows at position ${start} continue cell ${after}`);
    if (start + count > this.size)
      throw invalid(`position ${start + count - 1} does not fit into ${this.size} cells`);
    const line = new Int32Array(start + count);
    let cell = after;
    for (let position = start - 1; position >= 0; position--) {
      if (cell < 0 || cell >= this.size || this.#positions[cell] !== position)
        throw invalid(`cell ${cell} does not hold position ${position}`);
      line[position] = cell;
      cell = this.#parents[cell]!;
    }
    for (let i = 0; i < count; i++) {
      const next = cells[i]!;
      if (next < 0 || next >= this.size) throw invalid(`cell ${next} is none of ${this.size}`);
      line[start + i] = next;
    }
    // Those continued differ, since their positions do.
    const seen = new Set<number>();
    for (const cell of cells) {
      const position = this.#positions[cell]!;
      if (seen.has(cell) || (position >= 0 && position < start && line[position] === cell))
        throw invalid(`cell ${cell} would stand twice in a sequence`);
      seen.add(cell);
    }
    return line;
  }

  /** Up to `most` cells from `from` on that hold a position, ascending. */
  written(from: number, most: number): Int32Array {
    const cells = new Int32Array(Math.min(most, this.size));
    let count = 0;
    for (let cell = Math.max(0, from); cell < this.size && count < cells.length; cell++)
      if (this.#positions[cell]! >= 0) cells[count++] = cell;
    return cells.subarray(0, count);
  }

  /** Position of a cell, and the cell before it; -1 for none. */
  at(cell: number): { readonly position: number; readonly after: number } {
    return { position: this.#positions[cell]!, after: this.#parents[cell]! };
  }

  /**
   * Notes a cell whose row came from elsewhere. The one it continues may come later: `line` checks what is read.
   *
   * @throws InputError `cells_invalid`
   */
  place(cell: number, position: number, after: number): void {
    const whole = [cell, position, after].every(Number.isInteger);
    if (!whole || cell < 0 || cell >= this.size || position < 0 || position >= this.size)
      throw invalid(`cell ${cell} cannot hold position ${position} of ${this.size}`);
    if ((after === -1) !== (position === 0) || after < -1 || after >= this.size || after === cell)
      throw invalid(`cell ${cell} at position ${position} continues cell ${after}`);
    this.#positions[cell] = position;
    this.#parents[cell] = after;
  }

  /** Notes what is about to be written. To be called before the next `line` that may continue it. */
  grow({ start, count, after, cells }: Growth): void {
    for (let i = 0; i < count; i++) {
      const cell = cells[i]!;
      this.#positions[cell] = start + i;
      this.#parents[cell] = i === 0 ? after : cells[i - 1]!;
    }
  }
}

function invalid(why: string): InputError {
  return new InputError('cells_invalid', `The KV cells of a step do not fit together: ${why}.`, {
    param: 'cells',
  });
}
