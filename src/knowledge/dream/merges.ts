/**
 * How sure a proposed merge is, by what the graph knows of both names.
 *
 * @module knowledge/dream/merges
 */
import { type Graph, type MergeProposal, proposeMerges } from '../graph/index.ts';
import { isEntityType } from '../store/index.ts';
import { isKindOf } from './kinds.ts';
import type { AllFacts } from './score.ts';

export interface SureMerge extends MergeProposal {
  /** 0 to 1. */
  readonly confidence: number;
}

/** A proposal has one name beside which both stand; each further one makes it surer, up to three. */
const BASE = 0.7;
const EACH = 0.1;
const MOST_FURTHER = 3;
const MOST_CHUNKS = 200;

/** The surest first; of equals by alias. */
export function sureMerges(graph: Pick<Graph, 'network'>, facts: AllFacts): SureMerge[] {
  const { network } = graph;
  return proposeMerges(network)
    .map((proposal): SureMerge => {
      const { alias, entity } = proposal;
      const beside = besides(graph, network.entityOf(alias));
      const other = besides(graph, network.entityOf(entity));
      let shared = -1;
      for (const name of beside) if (other.has(name)) shared++;
      const [a, b] = [facts.of(alias).type?.value, facts.of(entity).type?.value];
      let confidence = BASE + EACH * Math.max(0, Math.min(MOST_FURTHER, shared));
      if (a != null && b != null && !agree(a, b)) confidence = 0;
      // Who stands in one passage under both names is mostly two people.
      if (standTogether(graph, network.entityOf(alias), network.entityOf(entity))) confidence -= 0.3;
      return { ...proposal, confidence: Math.max(0, Math.min(1, confidence)) };
    })
    .sort((x, y) => y.confidence - x.confidence || (x.alias < y.alias ? -1 : 1));
}

function agree(a: string, b: string): boolean {
  return a === b || (isEntityType(b) && isKindOf(a, b)) || (isEntityType(a) && isKindOf(b, a));
}

function chunksOf({ network }: Pick<Graph, 'network'>, entity: number): Uint32Array {
  const { start, to } = network.fromEntities;
  const from = start[entity]!;
  return to.subarray(from, Math.min(start[entity + 1]!, from + MOST_CHUNKS));
}

function besides(graph: Pick<Graph, 'network'>, entity: number): Set<number> {
  const found = new Set<number>();
  if (entity < 0) return found;
  const { start, to } = graph.network.fromChunks;
  for (const chunk of chunksOf(graph, entity))
    for (const other of to.subarray(start[chunk]!, start[chunk + 1]!)) if (other !== entity) found.add(other);
  return found;
}

function standTogether(graph: Pick<Graph, 'network'>, a: number, b: number): boolean {
  if (a < 0 || b < 0) return false;
  const chunks = new Set(chunksOf(graph, a));
  return chunksOf(graph, b).some((chunk) => chunks.has(chunk));
}
