/**
 * Steps that are sent again, joined into one pass: a substitute would otherwise compute an answer's tokens one by one, as
 * slowly as they were made. Only steps that were passes of a row alone are joined, and the pass gives each row the bits that it
 * had alone; steps of more rows keep their shape.
 *
 * @module shards/serve/replay-group
 */
import type { CarriedPart } from '../../engine/index.ts';
import type { Step } from '../wire/messages.ts';

/** Rows of one pass. */
export const GROUP_ROWS = 32;

export interface JoinedSteps {
  readonly steps: readonly Step[];
  readonly parts: readonly CarriedPart[];
  /** Rows × width. */
  readonly hidden: Float32Array;
}

export class ReplayGroup {
  #steps: Step[] = [];
  #rows = 0;

  get rows(): number {
    return this.#rows;
  }

  /** False for a step that cannot be joined with those that are there. */
  add(step: Step): boolean {
    const [part] = step.parts;
    if (!step.replay || part === undefined || step.parts.length > 1) return false;
    if ((part.count > 1 && part.outputs !== 'each') || this.#rows + part.count > GROUP_ROWS) return false;
    const before = this.#steps.at(-1)?.parts[0];
    if (
      before !== undefined &&
      (part.start !== before.start + before.count || part.after !== before.cells.at(-1))
    )
      return false;
    this.#steps.push(step);
    this.#rows += part.count;
    return true;
  }

  /** What was added, as one part; null when there is nothing. */
  take(): JoinedSteps | null {
    const steps = this.#steps;
    const rows = this.#rows;
    const first = steps[0]?.parts[0];
    this.#steps = [];
    this.#rows = 0;
    if (first === undefined) return null;
    if (steps.length === 1)
      return { steps, parts: [{ ...first, outputs: 'each' }], hidden: steps[0]!.hidden };
    const cells = new Int32Array(rows);
    const hidden = new Float32Array(steps.reduce((sum, step) => sum + step.hidden.length, 0));
    let row = 0;
    let at = 0;
    for (const step of steps) {
      cells.set(step.parts[0]!.cells, row);
      hidden.set(step.hidden, at);
      row += step.parts[0]!.count;
      at += step.hidden.length;
    }
    return { steps, parts: [{ ...first, count: rows, cells, outputs: 'each' }], hidden };
  }
}
