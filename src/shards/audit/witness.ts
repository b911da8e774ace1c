/**
 * The shard's side of audits: remembers by digest what came to a session, for as long as its KV cells hold it, so that nobody
 * can say later that it received something else.
 *
 * @module shards/audit/witness
 */
import type { RowLog } from '../row-log.ts';
import { AUDIT_BOUNDS, rowDigests, type Show, type Shown } from '../wire/audit.ts';
import type { Step } from '../wire/messages.ts';

const { digestBytes } = AUDIT_BOUNDS;
const NOTHING = { came: new Uint8Array(0), went: new Float32Array(0) };

export class Witness {
  readonly #width: number;
  readonly #build: string;
  /** The last step that wrote the cell; 0 for none. */
  readonly #writtenBy: Float64Array;
  readonly #digests: Uint8Array;

  constructor({
    cells,
    width,
    build,
  }: { readonly cells: number; readonly width: number; readonly build: string }) {
    this.#width = width;
    this.#build = build.slice(0, AUDIT_BOUNDS.buildChars);
    this.#writtenBy = new Float64Array(cells);
    this.#digests = new Uint8Array(cells * digestBytes);
  }

  /** Notes the rows of a step. Cells that the session does not have are passed over: the step is refused elsewhere. */
  came({ n, parts, hidden }: Pick<Step, 'n' | 'parts' | 'hidden'>): void {
    const digests = rowDigests(hidden, this.#width);
    let row = 0;
    for (const { cells } of parts)
      for (const cell of cells) {
        if (cell >= 0 && cell < this.#writtenBy.length) {
          this.#writtenBy[cell] = n;
          this.#digests.set(digests.subarray(row * digestBytes, (row + 1) * digestBytes), cell * digestBytes);
        }
        row++;
      }
  }

  /** @param log what went on; null at the last shard, whose rows its owner has */
  show({ cells, steps, rows }: Show, log: RowLog | null): Shown {
    const nothing = { build: this.#build, has: false, ...NOTHING };
    if (cells.some((cell, i) => this.#writtenBy[cell] !== steps[i])) return nothing;
    const went = rows ? (log?.read(cells, steps) ?? null) : NOTHING.went;
    if (went === null) return nothing;
    const came = new Uint8Array(cells.length * digestBytes);
    for (const [i, cell] of cells.entries())
      came.set(this.#digests.subarray(cell * digestBytes, (cell + 1) * digestBytes), i * digestBytes);
    return { build: this.#build, has: true, came, went };
  }
}
