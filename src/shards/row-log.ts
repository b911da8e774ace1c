/**
 * What was sent on to the next shard, so that it can be sent again to a substitute: for each KV cell the row that was written
 * to it last, and the steps they came in, so that the substitute computes passes of the same shape.
 *
 * Rows stay in memory up to a bound and lie in a file above it.
 *
 * @module shards/row-log
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KithError, messageOf } from '../base/index.ts';
import type { CarriedPart } from '../engine/index.ts';
import type { Step } from './wire/messages.ts';

/** Cells whose rows are kept together. */
const CHUNK = 64;

export interface RowLogOptions {
  readonly cells: number;
  /** Values of a row. */
  readonly width: number;
  /** Bytes of rows in memory. @default 64 MiB */
  readonly memoryBytes?: number;
  /** Where the file goes. @default the system's folder for temporary files */
  readonly folder?: string;
}

interface Kept {
  readonly parts: readonly CarriedPart[];
  /** Cells that no later step has written again. */
  live: number;
}

export class RowLog implements Disposable {
  readonly #width: number;
  readonly #memoryBytes: number;
  readonly #folder: string;
  /** The last step that wrote the cell; 0 for none. */
  readonly #writtenBy: Float64Array;
  readonly #steps = new Map<number, Kept>();
  /** In the order of their last use. */
  readonly #chunks = new Map<number, Float32Array>();
  readonly #inFile = new Set<number>();
  #file: number | null = null;
  #lost: unknown = null;

  constructor({ cells, width, memoryBytes = 64 << 20, folder = tmpdir() }: RowLogOptions) {
    this.#width = width;
    this.#memoryBytes = memoryBytes;
    this.#folder = folder;
    this.#writtenBy = new Float64Array(cells);
  }

  /** Bytes of rows in memory. */
  get bytes(): number {
    return this.#chunks.size * CHUNK * this.#width * 4;
  }

  /** What can still be read by somebody. */
  get kept(): { readonly steps: number; readonly rows: number } {
    let rows = 0;
    for (const { live } of this.#steps.values()) rows += live;
    return { steps: this.#steps.size, rows };
  }

  /** Notes a step. `hidden` is copied. Steps come in the order of their numbers; one that came before is noted again. */
  record({ n, parts, hidden }: Step): void {
    let row = 0;
    const old = this.#steps.get(n);
    const kept: Kept = { parts, live: 0 };
    for (const { cells } of parts)
      for (const cell of cells) {
        const before = this.#writtenBy[cell]!;
        if (before !== n) this.#lose(before);
        this.#writtenBy[cell] = n;
        kept.live++;
        this.#chunk(Math.floor(cell / CHUNK)).set(
          hidden.subarray(row, row + this.#width),
          (cell % CHUNK) * this.#width,
        );
        row += this.#width;
      }
    if (old !== undefined) this.#steps.delete(n);
    this.#steps.set(n, kept);
  }

  /**
   * The steps whose rows can still be read by somebody, in the order of their numbers, each without what was written again.
   *
   * @throws KithError `shard_log_lost` when the disk did not take what memory could not hold
   */
  *steps(): Generator<Omit<Step, 'replay'>> {
    if (this.#lost !== null)
      throw new KithError(
        'shard_log_lost',
        `Rows that a substitute needs could not be kept: ${messageOf(this.#lost)}.`,
        { status: 503, cause: this.#lost },
      );
    /** The position that each cell holds for who gets the steps: -1 for none. */
    const held = new Int32Array(this.#writtenBy.length).fill(-1);
    for (const n of [...this.#steps.keys()].sort((a, b) => a - b)) {
      const kept = this.#steps.get(n);
      if (kept === undefined) continue;
      // What continues a cell that was written again can never be read: of each part the first rows are left, and none of
      // one that continues a row which is not among them.
      const parts = kept.parts.flatMap((part): CarriedPart[] => {
        if (part.start > 0 && held[part.after] !== part.start - 1) return [];
        let count = 0;
        for (; count < part.count && this.#writtenBy[part.cells[count]!] === n; count++)
          held[part.cells[count]!] = part.start + count;
        if (count === part.count) return [part];
        if (count === 0) return [];
        const outputs = part.outputs === 'each' ? part.outputs : 'none';
        return [{ ...part, count, cells: part.cells.subarray(0, count), outputs }];
      });
      const rows = parts.reduce((sum, { count }) => sum + count, 0);
      if (rows === 0) continue;
      const hidden = new Float32Array(rows * this.#width);
      let at = 0;
      for (const { cells } of parts)
        for (const cell of cells) {
          const offset = (cell % CHUNK) * this.#width;
          hidden.set(this.#chunk(Math.floor(cell / CHUNK)).subarray(offset, offset + this.#width), at);
          at += this.#width;
        }
      yield { n, parts, hidden };
    }
  }

  /** The last step that wrote the cell; 0 for none. */
  wrote(cell: number): number {
    return this.#writtenBy[cell] ?? 0;
  }

  /** The rows of `cells` that the steps wrote there; null when one was written again since, or never. */
  read(cells: Int32Array, steps: Float64Array): Float32Array | null {
    if (this.#lost !== null || cells.some((cell, i) => this.#writtenBy[cell] !== steps[i])) return null;
    const rows = new Float32Array(cells.length * this.#width);
    for (const [i, cell] of cells.entries()) {
      const offset = (cell % CHUNK) * this.#width;
      rows.set(this.#chunk(Math.floor(cell / CHUNK)).subarray(offset, offset + this.#width), i * this.#width);
    }
    return rows;
  }

  [Symbol.dispose](): void {
    this.#chunks.clear();
    this.#steps.clear();
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }

  #lose(n: number): void {
    const kept = this.#steps.get(n);
    if (kept !== undefined && --kept.live === 0) this.#steps.delete(n);
  }

  #chunk(index: number): Float32Array {
    const known = this.#chunks.get(index);
    if (known !== undefined) {
      this.#chunks.delete(index);
      this.#chunks.set(index, known);
      return known;
    }
    const chunk = new Float32Array(CHUNK * this.#width);
    if (this.#inFile.has(index)) readSync(this.#file!, chunk, 0, chunk.byteLength, index * chunk.byteLength);
    while (this.#chunks.size > 0 && this.bytes + chunk.byteLength > this.#memoryBytes) this.#spill();
    this.#chunks.set(index, chunk);
    return chunk;
  }

  #spill(): void {
    const [index, chunk] = this.#chunks.entries().next().value!;
    this.#chunks.delete(index);
    try {
      this.#file ??= this.#open();
      const written = writeSync(this.#file, chunk, 0, chunk.byteLength, index * chunk.byteLength);
      if (written < chunk.byteLength) throw new Error('the disk is full');
      this.#inFile.add(index);
    } catch (cause) {
      // Answers go on without it; only a substitute could not be given what is lost.
      this.#lost = cause;
    }
  }

  #open(): number {
    const folder = mkdtempSync(join(this.#folder, 'kith-rows-'));
    const file = openSync(join(folder, 'rows'), 'wx+', 0o600);
    // Nobody else sees it, and it goes with the process. Where an open file cannot be removed it stays until then.
    rmSync(folder, { recursive: true, force: true });
    return file;
  }
}
