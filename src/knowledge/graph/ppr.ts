/**
 * Personalised PageRank (Page et al. 1999; Haveliwala 2002) over chunks and entities by a few steps of power iteration: walks
 * begin at the seeds and return there with probability 1 - damping before each step, so that they stay near.
 *
 * @module knowledge/graph/ppr
 */
import type { Network, Sentences, Sparse } from './network.ts';

export interface WalkOptions {
  /** @default 0.85 */
  readonly damping?: number;
  /** From chunks to entities, or back. @default 4 */
  readonly steps?: number;
  /** Share of the walks that go on from a name to one in the same sentence before they go to a chunk. @default 0.4 */
  readonly beside?: number;
}

export interface Walked {
  /** Chance of being at each chunk after the steps, by its index in the network. */
  readonly chunks: Float64Array;
  /** Chunks with a chance, in the order in which they were reached. */
  readonly reached: readonly number[];
  /** Chance of being at each entity. */
  readonly entities: Float64Array;
}

/**
 * Shares of all walks under which they end at a node, and under which they do not look into its sentences: from there on they would be
 * spread over half of a large network, which takes most of the time and moves nothing among the best.
 */
const LEAST = 1e-4;
const LEAST_BESIDE = 1e-3;

interface Shares {
  readonly of: Float64Array;
  readonly reached: number[];
}

/** @param seeds shares of the walks that begin at chunks, by their index; they need not sum to 1 */
export function walk(
  network: Network,
  seeds: ReadonlyMap<number, number>,
  { damping = 0.85, steps = 4, beside = 0.4 }: WalkOptions = {},
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
    entities = along(network.sentences, next, beside);
  }
  return { chunks: chunks.of, reached: chunks.reached, entities: entities.of };
}

function none(nodes: number): Shares {
  return { of: new Float64Array(nodes), reached: [] };
}

/** Nodes are gone through in the order in which they were reached: every sum is taken in the same order every time. */
function spread({ start, to, weight }: Sparse, from: Shares, damping: number, into: Shares): void {
  for (const node of from.reached) {
    if (from.of[node]! < LEAST) continue;
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

/** Over sentences, each of a name's as likely, to the other names in them by their worth. Names that stand alone keep their walks. */
function along({ start, of, begin, names, worth }: Sentences, from: Shares, beside: number): Shares {
  if (beside === 0 || names.length === 0) return from;
  const into = none(from.of.length);
  const add = (entity: number, part: number): void => {
    if (part === 0) return;
    if (into.of[entity] === 0) into.reached.push(entity);
    into.of[entity]! += part;
  };
  for (const entity of from.reached) {
    const count = start[entity + 1]! - start[entity]!;
    const moved = count === 0 || from.of[entity]! < LEAST_BESIDE ? 0 : beside * from.of[entity]!;
    add(entity, from.of[entity]! - moved);
    if (moved === 0) continue;
    for (let i = start[entity]!; i < start[entity + 1]!; i++) {
      const [first, end] = [begin[of[i]!]!, begin[of[i]! + 1]!];
      let others = 0;
      for (let k = first; k < end; k++) if (names[k] !== entity) others += worth[names[k]!]!;
      // Names of which somebody said that they count nothing.
      if (others === 0) add(entity, moved / count);
      else
        for (let k = first; k < end; k++)
          if (names[k] !== entity) add(names[k]!, ((moved / count) * worth[names[k]!]!) / others);
    }
  }
  return into;
}
