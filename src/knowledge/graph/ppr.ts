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
  /** Chance of being at each chunk after the steps, by its index in the network. */
  readonly chunks: Float64Array;
  /** Chunks with a chance, in the order in which they were reached. */
  readonly reached: readonly number[];
  /** Chance of being at each entity. */
  readonly entities: Float64Array;
}

interface Shares {
  readonly of: Float64Array;
  readonly reached: number[];
}

/** @param seeds shares of the walks that begin at chunks, by their index; they need not sum to 1 */
export function walk(
  network: Network,
  seeds: ReadonlyMap<number, number>,
  { damping = 0.85, steps = 4 }: WalkOptions = {},
): Walked {
  let total = 0;
  for (const share of seeds.values()) total += share;
  const begin = (part: number): Shares => {
    const shares = none(network.rows.length);
    if (!(total > 0)) return shares;
    for (const [chunk, share] of seeds) {
      shares.of[chunk] = (part * share) / total;
      shares.reached.push(chunk);
    }
    return shares;
  };
  let chunks = begin(1);
  let entities = none(network.frequency.length);
  for (let step = 0; step < steps; step++) {
    const next = none(network.frequency.length);
    spread(network.fromChunks, chunks, damping, next);
    chunks = begin(1 - damping);
    spread(network.fromEntities, entities, damping, chunks);
    entities = next;
  }
  return { chunks: chunks.of, reached: chunks.reached, entities: entities.of };
}

function none(nodes: number): Shares {
  return { of: new Float64Array(nodes), reached: [] };
}

/** Nodes are gone through in the order in which they were reached: every sum is taken in the same order every time. */
function spread({ start, to, weight }: Sparse, from: Shares, damping: number, into: Shares): void {
  for (const node of from.reached) {
    const moved = damping * from.of[node]!;
    const end = start[node + 1]!;
    for (let i = start[node]!; i < end; i++) {
      const part = moved * weight[i]!;
      if (part === 0) continue;
      const next = to[i]!;
      if (into.of[next] === 0) into.reached.push(next);
      into.of[next]! += part;
    }
  }
}
