/**
 * From the rows chosen for one turn to forward passes.
 *
 * @module engine/scheduler/passes
 */
import type { ForwardPart } from '../runner/types.ts';
import type { Job } from './job.ts';

/** Rows of one job: positions start .. start + count - 1, whose cells it holds. */
export interface Rows {
  readonly job: Job;
  readonly start: number;
  readonly count: number;
  /** The rows end with the job's last token: logits are wanted. */
  readonly output: boolean;
  /** Guesses at the tokens of the last rows, all but the first: logits of every row are wanted. */
  readonly draft?: Int32Array;
}

/** Splits into passes of at most `maxRows`, and as `preferred` says where it does. One job's rows stay together. */
export function splitPasses(
  rows: readonly Rows[],
  maxRows: number,
  preferred: ((rows: number) => readonly number[]) | undefined,
): Rows[][] {
  let total = 0;
  for (const { count } of rows) total += count;
  const quotas = preferred?.(total);
  const passes: Rows[][] = [];
  let current: Rows[] = [];
  let filled = 0;
  for (const item of rows) {
    const quota = Math.min(quotas?.[passes.length] ?? maxRows, maxRows);
    if (current.length > 0 && filled + item.count > quota) {
      passes.push(current);
      current = [];
      filled = 0;
    }
    current.push(item);
    filled += item.count;
  }
  if (current.length > 0) passes.push(current);
  return passes;
}

export function toPart({ job, start, count, output, draft }: Rows): ForwardPart {
  const { cells, tokens } = job.sequence!;
  return {
    cells,
    start,
    count,
    tokens: tokens.subarray(start, start + count),
    hidden: null,
    outputs: draft !== undefined ? 'each' : output ? 'last' : 'none',
  };
}
