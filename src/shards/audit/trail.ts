/**
 * What an owner remembers of its path for audits: which rows it sent and got, and which step wrote which cell, so that a
 * sequence can be computed again later in passes of the same shapes.
 *
 * @module shards/audit/trail
 */
import type { Random } from '../../base/index.ts';
import type { CarriedPart } from '../../engine/index.ts';
import { RowLog } from '../row-log.ts';
import type { Written } from '../wire/audit.ts';
import type { Step } from '../wire/messages.ts';

/** Bytes of rows in memory, for those sent and those that came each. More go to a file. */
const MEMORY_BYTES = 16 << 20;

/** Steps whose rows may come. */
const MOST_WAITING = 1024;

/** Consecutive positions of one sequence that were computed in one step. */
export interface Piece {
  readonly start: number;
  readonly count: number;
  /** Row by row, as if each had come alone. */
  readonly each: boolean;
}

/** The first positions of a sequence. */
export interface Strand extends Written {
  /** From position 0 on, without gaps. */
  readonly pieces: readonly Piece[];
}

export interface TrailOptions {
  readonly cells: number;
  readonly width: number;
  readonly random: Pick<Random, 'float'>;
}

export class Trail implements Disposable {
  readonly #width: number;
  readonly #random: Pick<Random, 'float'>;
  readonly #sent: RowLog;
  readonly #came: RowLog;
  readonly #writtenBy: Float64Array;
  readonly #position: Int32Array;
  /** Cell that the row continues; -1 for none. */
  readonly #after: Int32Array;
  /** Whether the cell was written by a step that was computed row by row. */
  readonly #each: Uint8Array;
  readonly #waiting = new Map<number, readonly CarriedPart[]>();
  #drawn: { readonly cell: number; readonly n: number } | null = null;
  /** Rows among which `drawn` was drawn. */
  #among = 0;

  constructor({ cells, width, random }: TrailOptions) {
    this.#width = width;
    this.#random = random;
    this.#sent = new RowLog({ cells, width, memoryBytes: MEMORY_BYTES });
    this.#came = new RowLog({ cells, width, memoryBytes: MEMORY_BYTES });
    this.#writtenBy = new Float64Array(cells);
    this.#position = new Int32Array(cells);
    this.#after = new Int32Array(cells);
    this.#each = new Uint8Array(cells);
  }

  sent({ n, parts, hidden }: Pick<Step, 'n' | 'parts' | 'hidden'>): void {
    this.#sent.record({ n, parts, hidden, replay: false });
    this.#waiting.set(n, parts);
    // The rows of a step that the engine took back never come.
    if (this.#waiting.size > MOST_WAITING) this.#waiting.delete(this.#waiting.keys().next().value!);
    for (const { start, after, cells, outputs } of parts)
      for (const [i, cell] of cells.entries()) {
        this.#writtenBy[cell] = n;
        this.#each[cell] = outputs === 'each' ? 1 : 0;
        this.#position[cell] = start + i;
        this.#after[cell] = i === 0 ? after : cells[i - 1]!;
      }
  }

  /** Notes the rows that came of a step. Returns how many rows it had. */
  came(n: number, rows: Float32Array): number {
    const parts = this.#waiting.get(n);
    if (parts === undefined) return 0;
    this.#waiting.delete(n);
    const wanted = parts.flatMap((part): CarriedPart[] => {
      const { outputs, count, cells } = part;
      if (outputs === 'none') return [];
      const first = outputs === 'last' ? count - 1 : 0;
      return [{ ...part, count: count - first, cells: cells.subarray(first) }];
    });
    this.#came.record({ n, parts: wanted, hidden: rows, replay: false });
    let computed = 0;
    for (const { count, cells } of parts) {
      computed += count;
      this.#among += count;
      // Each row that came since the last audit is as likely to be chosen as any other.
      if (this.#random.float() * this.#among < count) this.#drawn = { cell: cells.at(-1)!, n };
    }
    return computed;
  }

  /** The sequence to which a row belongs that was chosen by chance, up to that row; null when it is not there any more. */
  draw(mostRows: number): Strand | null {
    if (this.#drawn === null) return null;
    const { cell, n } = this.#drawn;
    const strand = this.#writtenBy[cell] === n ? this.strand(cell, mostRows) : null;
    if (strand === null) this.forget();
    return strand;
  }

  /** Begins a new choice. */
  forget(): void {
    this.#drawn = null;
    this.#among = 0;
  }

  /** The first rows, `mostRows` at most, of the sequence that ends in `cell`; null when some of it was written over. */
  strand(cell: number, mostRows: number): Strand | null {
    const length = this.#position[cell]! + 1;
    const count = Math.min(length, mostRows);
    const cells = new Int32Array(count);
    const steps = new Float64Array(count);
    let at = cell;
    let n = this.#writtenBy[cell]!;
    for (let position = length - 1; position >= 0; position--) {
      // What was written after its successor belongs to another sequence.
      if (at < 0 || this.#position[at] !== position || this.#writtenBy[at]! > n || n === 0) return null;
      n = this.#writtenBy[at]!;
      if (position < count) {
        cells[position] = at;
        steps[position] = n;
      }
      at = this.#after[at]!;
    }
    const pieces: Piece[] = [];
    for (let start = 0; start < count; ) {
      let end = start + 1;
      while (end < count && steps[end] === steps[start]) end++;
      pieces.push({ start, count: end - start, each: this.#each[cells[start]!] === 1 });
      start = end;
    }
    return { cells, steps, pieces };
  }

  /** False once a cell was written again: nobody need know what it held. */
  isLive({ cells, steps }: Written): boolean {
    return cells.every((cell, i) => this.#writtenBy[cell] === steps[i]);
  }

  /** Rows that went to the first shard. */
  inputs({ cells, steps }: Written): Float32Array | null {
    return this.#sent.read(cells, steps);
  }

  /** Rows that came of the last shard after the step `since`, and at which places of the strand: those that were wanted. */
  outputs(
    { cells, steps }: Written,
    since: number,
  ): { readonly rows: Float32Array; readonly at: readonly number[] } {
    const at = [...cells.keys()].filter((i) => steps[i]! > since && this.#came.wrote(cells[i]!) === steps[i]);
    const rows = this.#came.read(
      Int32Array.from(at, (i) => cells[i]!),
      Float64Array.from(at, (i) => steps[i]!),
    );
    return rows === null ? { rows: new Float32Array(0), at: [] } : { rows, at };
  }

  get width(): number {
    return this.#width;
  }

  [Symbol.dispose](): void {
    this.#sent[Symbol.dispose]();
    this.#came[Symbol.dispose]();
  }
}
