/**
 * Which blocks of a model are served how often.
 *
 * @module swarm/registry/coverage
 */
import type { BlockRange } from '../records/types.ts';

export interface Coverage {
  /** Blocks of the model. */
  readonly blocks: number;
  /** All blocks in order, in stretches that are served equally often. */
  readonly stretches: readonly { readonly start: number; readonly end: number; readonly times: number }[];
  /** Stretches that nobody serves. */
  readonly gaps: readonly BlockRange[];
  /** How often the block is served that is served least. */
  readonly least: number;
}

/**
 * Counts `ranges` (each of one server; what lies beyond the model does not count) over a model of `blocks` blocks.
 * Takes time by the number of ranges, whatever they span.
 */
export function coverageOf(ranges: Iterable<BlockRange>, blocks: number): Coverage {
  // Where the count changes, and by how much.
  const steps = new Map<number, number>();
  const step = (at: number, by: number) => steps.set(at, (steps.get(at) ?? 0) + by);
  for (const [start, end] of ranges) {
    if (start >= Math.min(end, blocks)) continue;
    step(start, 1);
    step(Math.min(end, blocks), -1);
  }
  const stretches: { start: number; end: number; times: number }[] = [];
  let times = 0;
  let start = 0;
  const close = (end: number) => {
    if (end <= start) return;
    const before = stretches.at(-1);
    if (before?.times === times) before.end = end;
    else stretches.push({ start, end, times });
    start = end;
  };
  for (const at of [...steps.keys()].sort((a, b) => a - b)) {
    close(at);
    times += steps.get(at)!;
  }
  close(blocks);
  return {
    blocks,
    stretches,
    gaps: stretches.filter((one) => one.times === 0).map((one): BlockRange => [one.start, one.end]),
    least: stretches.reduce(
      (least, one) => Math.min(least, one.times),
      blocks > 0 ? Number.MAX_SAFE_INTEGER : 0,
    ),
  };
}

/** True when the ranges of one server hold all of [start, end). */
export function covers(ranges: readonly BlockRange[], [start, end]: BlockRange): boolean {
  // Ranges of a record stand apart, so no two of them make one.
  return ranges.some((range) => range[0] <= start && end <= range[1]);
}

/** True when a range of one server holds some of [start, end). */
export function touches(ranges: readonly BlockRange[], [start, end]: BlockRange): boolean {
  return ranges.some((range) => range[0] < end && start < range[1]);
}
