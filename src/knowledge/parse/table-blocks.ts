/**
 * Rows of a table as blocks that mean something alone: each has the head and some rows below it.
 *
 * @module knowledge/parse/table-blocks
 */
import type { Place } from '../types.ts';
import { type DocumentWriter, tableLine } from './document-writer.ts';

/** Rows of a block, and its characters: about what a chunk takes. */
const BLOCK_ROWS = 25;
const BLOCK_CHARACTERS = 2_000;
/** Cells of a row that are kept, and characters of a head that is repeated. */
const CELLS = 1_000;
const HEAD_CHARACTERS = 500;

export class TableBlocks {
  readonly #writer: DocumentWriter;
  #head: string | null = null;
  /** Nothing was written since the head. */
  #bare = true;
  #lines: string[] = [];
  #characters = 0;
  #place: Place = {};

  constructor(writer: DocumentWriter) {
    this.#writer = writer;
  }

  row(cells: readonly string[], place: Place): void {
    const line = tableLine(cells.slice(0, CELLS));
    if (line.replace(/[|\s]/g, '') === '') return;
    if (this.#head === null) {
      this.#head = line;
      this.#bare = true;
      this.#place = place;
      return;
    }
    if (this.#lines.length === 0 && !this.#bare) this.#place = place;
    this.#lines.push(line);
    this.#characters += line.length;
    if (this.#lines.length >= BLOCK_ROWS || this.#characters >= BLOCK_CHARACTERS) this.#flush();
  }

  #flush(): void {
    // A long head is given once: repeated, it would be most of the text.
    const head = this.#bare || (this.#head?.length ?? 0) <= HEAD_CHARACTERS ? [this.#head] : [];
    this.#writer.block('table', [...head, ...this.#lines].join('\n'), this.#place);
    this.#bare = false;
    this.#lines = [];
    this.#characters = 0;
  }

  /** Ends the table; the next row is a head again. */
  end(): void {
    if (this.#head !== null && (this.#bare || this.#lines.length > 0)) this.#flush();
    this.#head = null;
  }
}
