/**
 * The third way of looking: from the best hits by words and meaning over what they name to what that is about.
 *
 * @module knowledge/retrieve/by-graph
 */
import {
  type Candidates,
  type Graph,
  graphScore,
  reached,
  seedsOf,
  throughOf,
  walk,
} from '../graph/index.ts';
import type { GraphEvidence } from './types.ts';

/** Chunks that walks reach, of which the best are weighed. */
const REACHED = 400;
/** Seeds of a question for an overview: all good hits alike. */
const WIDE = { seeds: 50, titleBonus: 0, power: 1 } as const;

export interface Graphed {
  readonly scores: ReadonlyMap<number, number>;
  evidenceOf(row: number): GraphEvidence | null;
}

export interface ByGraphOptions {
  /** From many hits instead of the best few. */
  readonly isWide: boolean;
  readonly keeps: (row: number) => boolean;
  /** Has the cosines of further rows put among the candidates. */
  readonly also: (rows: readonly number[]) => void;
}

export function byGraph(
  graph: Graph,
  candidates: Candidates,
  { isWide, keeps, also }: ByGraphOptions,
): Graphed {
  const { base, seeds } = seedsOf(graph, candidates, isWide ? WIDE : {});
  const walked = walk(graph.network, seeds);
  const found = reached(graph, walked, REACHED).filter(({ row }) => keeps(row));
  also(found.map(({ row }) => row));
  const shares = new Map(found.map(({ row, share }, i) => [row, { share, rank: i + 1 }]));
  const scores = new Map<number, number>();
  for (const row of [...base.keys(), ...shares.keys()])
    scores.set(
      row,
      graphScore(shares.get(row)?.share ?? 0, candidates.vectors.get(row) ?? 0, base.get(row) ?? 0),
    );
  return {
    scores,
    evidenceOf(row) {
      const at = shares.get(row);
      return at === undefined
        ? null
        : { score: at.share, rank: at.rank, through: throughOf(graph, walked, row) };
    },
  };
}

/** How far the best is before the second, as a share of the range of scores; null where there are not two. */
export function marginOf(scores: ReadonlyMap<number, number>): number | null {
  const sorted = [...scores.values()].sort((a, b) => b - a);
  const range = sorted.length < 2 ? 0 : sorted[0]! - sorted.at(-1)!;
  return range > 0 ? (sorted[0]! - sorted[1]!) / range : null;
}
