/**
 * One hop's claim, input to output, held against somebody who computes it again.
 *
 * @module shards/audit/claim
 */
import type { Random } from '../../base/index.ts';
import { COPIES, type Comparison, compare, compareSame, disturbed, relativeErrors, SAME } from './compare.ts';
import type { Executor } from './executor.ts';
import type { Piece } from './trail.ts';

/** Rows of a step from which on no other session's rows share its pass, so that its shape is known. */
const OWN_PASS_ROWS = 9;
/** Rows of a step that are judged for themselves, too: who alters one step in ten does not move the median of all. */
const GROUP_ROWS = 16;

export interface Claim {
  readonly pieces: readonly Piece[];
  /** Rows × width, as the shard received them. */
  readonly input: Float32Array;
  /** Rows that it sent on, and which of the rows they are. */
  readonly output: Float32Array;
  readonly at: readonly number[];
  /** As the shard says. */
  readonly build: string;
}

export interface Judgement {
  readonly comparison: Comparison;
  /** Rows that were computed again. */
  readonly computed: number;
  /** What came of the same input: rows that a claim of the executor's would be. */
  readonly own: Float32Array;
}

/**
 * Computes the claim's rows again, once where that shows that it is right, and with disturbed copies where not.
 * @throws KithError what keeps the executor from it
 */
export async function judge(
  claim: Claim,
  executor: Executor,
  width: number,
  random: Pick<Random, 'float'>,
): Promise<Judgement> {
  const { pieces, input, output, at, build } = claim;
  const rows = input.length / width;
  const own = await executor.compute(pieces, input);
  const exact = pick(own, at, width);
  const done = (comparison: Comparison, runs: number): Judgement => ({
    comparison,
    computed: rows * runs,
    own,
  });
  if (relativeErrors(output, exact, width).every((error) => error <= SAME))
    return done(compareSame(output, exact, width), 1);
  if (build !== '' && build === (await executor.build())) {
    const known = at.filter((row) => row < sameShapes(pieces)).length;
    const same = compareSame(output.subarray(0, known * width), exact.subarray(0, known * width), width);
    if (!same.agrees) return done(same, 1);
  }
  const copies: Float32Array[] = [];
  for (let i = 0; i < COPIES; i++)
    copies.push(pick(await executor.compute(pieces, disturbed(input, random)), at, width));
  const within = (from: number, to: number) => {
    const part = (values: Float32Array) => values.subarray(from * width, to * width);
    return compare(part(output), part(exact), copies.map(part), width);
  };
  const whole = within(0, at.length);
  if (!whole.agrees) return done(whole, 1 + COPIES);
  for (const { start, count } of pieces) {
    const from = at.findIndex((row) => row >= start);
    const to = at.findLastIndex((row) => row < start + count) + 1;
    if (from < 0 || to - from < GROUP_ROWS || to - from === at.length) continue;
    const part = within(from, to);
    if (!part.agrees) return done(part, 1 + COPIES);
  }
  return done(whole, 1 + COPIES);
}

/** Rows up to which all passes had the shapes in which they are computed again. */
function sameShapes(pieces: readonly Piece[]): number {
  const first = pieces.findIndex(({ count }) => count < OWN_PASS_ROWS);
  const { start, count } = first < 0 ? pieces.at(-1)! : pieces[first]!;
  return first < 0 ? start + count : start;
}

/** Some of the rows. */
export function pick(rows: Float32Array, at: readonly number[], width: number): Float32Array {
  if (at.length * width === rows.length) return rows;
  const picked = new Float32Array(at.length * width);
  for (const [i, row] of at.entries()) picked.set(rows.subarray(row * width, (row + 1) * width), i * width);
  return picked;
}
