/**
 * Communities of a network with weights by the Louvain method (Blondel et al., "Fast unfolding of communities in large networks",
 * 2008): nodes move to the neighbouring community that gains most modularity, communities become nodes, and again.
 *
 * @module knowledge/graph/louvain
 */
import { createSeededRandom } from '../../base/index.ts';
import type { Ties } from './ties.ts';

export interface Division {
  /** Community of each node. */
  readonly of: Uint32Array;
  /** Newman's Q of the division, -0.5 to 1; 0 without edges. */
  readonly modularity: number;
}

/** Rounds of moving nodes on one level, and levels: each gains, so that these are never reached. */
const ROUNDS = 100;
const LEVELS = 50;
/** Less of a gain is rounding. */
const LEAST = 1e-12;

/** A level: ties of communities, with what lies within each. */
interface Level extends Ties {
  /** Of each node, twice the weight of the edges within it. */
  readonly inner: Float64Array;
}

/** The same ties and seed give the same division. */
export function louvain(ties: Ties, seed = 1): Division {
  const nodes = ties.start.length - 1;
  let level: Level = { ...ties, inner: new Float64Array(nodes) };
  let of = Uint32Array.from({ length: nodes }, (_, i) => i);
  for (let depth = 0; depth < LEVELS; depth++) {
    const { community, count, moved } = move(level, seed + depth);
    if (!moved) break;
    of = of.map((node) => community[node]!);
    level = folded(level, community, count);
  }
  return { of, modularity: modularityOf(ties, of) };
}

function move(level: Level, seed: number): { community: Uint32Array; count: number; moved: boolean } {
  const { start, to, weight, inner } = level;
  const nodes = start.length - 1;
  const degree = new Float64Array(nodes);
  let twice = 0;
  for (let node = 0; node < nodes; node++) {
    let sum = inner[node]!;
    for (let i = start[node]!; i < start[node + 1]!; i++) sum += weight[i]!;
    degree[node] = sum;
    twice += sum;
  }
  const community = Uint32Array.from({ length: nodes }, (_, i) => i);
  const total = degree.slice();
  const order = shuffled(nodes, seed);
  const links = new Float64Array(nodes);
  let moved = false;
  for (let round = 0; round < ROUNDS; round++) {
    let changed = 0;
    for (const node of order) {
      const home = community[node]!;
      const near: number[] = [home];
      for (let i = start[node]!; i < start[node + 1]!; i++) {
        const other = community[to[i]!]!;
        if (links[other] === 0 && other !== home) near.push(other);
        links[other]! += weight[i]!;
      }
      total[home]! -= degree[node]!;
      let best = home;
      let most = links[home]! - (degree[node]! * total[home]!) / twice;
      for (const other of near) {
        const gain = links[other]! - (degree[node]! * total[other]!) / twice;
        if (gain > most + LEAST) {
          most = gain;
          best = other;
        }
      }
      for (const other of near) links[other] = 0;
      total[best]! += degree[node]!;
      if (best !== home) {
        community[node] = best;
        changed++;
      }
    }
    if (changed === 0) break;
    moved = true;
  }
  return { ...numbered(community), moved };
}

/** Communities as nodes. */
function folded({ start, to, weight, inner }: Level, community: Uint32Array, count: number): Level {
  const edges = Array.from({ length: count }, () => new Map<number, number>());
  const within = new Float64Array(count);
  for (let node = 0; node < community.length; node++) {
    const own = community[node]!;
    within[own]! += inner[node]!;
    for (let i = start[node]!; i < start[node + 1]!; i++) {
      const other = community[to[i]!]!;
      if (other === own) within[own]! += weight[i]!;
      else edges[own]!.set(other, (edges[own]!.get(other) ?? 0) + weight[i]!);
    }
  }
  const begins = new Uint32Array(count + 1);
  edges.forEach((map, i) => {
    begins[i + 1] = begins[i]! + map.size;
  });
  const ends = edges.flatMap((map) => [...map.keys()]);
  return {
    start: begins,
    to: Uint32Array.from(ends),
    weight: Float64Array.from(edges.flatMap((map) => [...map.values()])),
    inner: within,
  };
}

/** Newman and Girvan 2004: the share of the weight within communities less what chance would put there. */
export function modularityOf({ start, to, weight }: Ties, of: ArrayLike<number>): number {
  const within = new Map<number, number>();
  const total = new Map<number, number>();
  let twice = 0;
  for (let node = 0; node + 1 < start.length; node++) {
    const own = of[node]!;
    for (let i = start[node]!; i < start[node + 1]!; i++) {
      twice += weight[i]!;
      total.set(own, (total.get(own) ?? 0) + weight[i]!);
      if (of[to[i]!] === own) within.set(own, (within.get(own) ?? 0) + weight[i]!);
    }
  }
  let sum = 0;
  if (twice > 0)
    for (const [community, degrees] of total)
      sum += (within.get(community) ?? 0) / twice - (degrees / twice) ** 2;
  return sum;
}

/** Numbers from 0 in the order in which nodes have them. */
function numbered(community: Uint32Array): { community: Uint32Array; count: number } {
  const numbers = new Map<number, number>();
  for (const each of community) if (!numbers.has(each)) numbers.set(each, numbers.size);
  return { community: community.map((each) => numbers.get(each)!), count: numbers.size };
}

/** Fisher and Yates. */
function shuffled(count: number, seed: number): Uint32Array {
  const random = createSeededRandom(seed);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const k = Math.floor(random.float() * (i + 1));
    [order[i], order[k]] = [order[k]!, order[i]!];
  }
  return order;
}
