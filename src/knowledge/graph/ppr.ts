/**
 * Personalised PageRank (Page et al. 1999; Haveliwala 2002) over chunks and entities by a few steps of power iteration: walks
 * begin at the seeds and return there with probability 1 - damping before each step, so that they stay near.
 *
 * @module knowledge/graph/ppr
 */
import type { Network, Sparse } from './network.ts';

export interface WalkOptions {
  /** @default 0.85 */
  readonly damping?: number;
  /** From chunks to entities, or back. @default 4 */
  readonly steps?: number;
}

export interface Walked {
  /** Chance of being at a chunk after the steps, by its index in the network. */
  readonly chunks: ReadonlyMap<number, number>;
  /** And at an entity. */
  readonly entities: ReadonlyMap<number, number>;
}

/** @param seeds shares of the walks that begin at chunks, by their index; they need not sum to 1 */
export function walk(
  network: Network,
  seeds: ReadonlyMap<number, number>,
  { damping = 0.85, steps = 4 }: WalkOptions = {},
): Walked {
  let total = 0;
  for (const share of seeds.values()) total += share;
  if (!(total > 0)) return { chunks: new Map(), entities: new Map() };
  const home = new Map<number, number>();
  for (const [chunk, share] of seeds) home.set(chunk, ((1 - damping) * share) / total);
  let chunks = new Map<number, number>();
  for (const [chunk, share] of seeds) chunks.set(chunk, share / total);
  let entities = new Map<number, number>();
  for (let step = 0; step < steps; step++) {
    const reached = spread(network.fromChunks, chunks, damping, new Map());
    chunks = spread(network.fromEntities, entities, damping, new Map(home));
    entities = reached;
  }
  return { chunks, entities };
}

/** Maps keep the order in which nodes were reached, and so the order of every sum. */
function spread(
  { start, to, weight }: Sparse,
  from: ReadonlyMap<number, number>,
  damping: number,
  into: Map<number, number>,
): Map<number, number> {
  for (const [node, share] of from) {
    const moved = damping * share;
    for (let i = start[node]!; i < start[node + 1]!; i++) {
      const next = to[i]!;
      into.set(next, (into.get(next) ?? 0) + moved * weight[i]!);
    }
  }
  return into;
}
