/**
 * How strongly names are tied: by the chunks that name both, each of which counts less the more it names (Newman, "Scientific
 * collaboration networks II", 2001: 1 / (n - 1) for each pair in a group of n).
 *
 * @module knowledge/graph/ties
 */
import { setImmediate } from 'node:timers/promises';
import type { Network } from './network.ts';

export interface Tie {
  readonly entity: number;
  /** Above 0. */
  readonly weight: number;
  /** Chunks that name both. */
  readonly shared: number;
}

/** Sums between which others get their turn: some 10 ms. */
const SLICE = 500_000;
/** And nodes whose edges are put in order. */
const NODES = 500;

/** What stands beside an entity, the strongest first; of equals by name. */
export function tiesOf(network: Network, entity: number): Tie[] {
  const { fromChunks, fromEntities } = network;
  const weights = new Map<number, { weight: number; shared: number }>();
  for (let i = fromEntities.start[entity]!; i < fromEntities.start[entity + 1]!; i++) {
    const chunk = fromEntities.to[i]!;
    const [from, to] = [fromChunks.start[chunk]!, fromChunks.start[chunk + 1]!];
    for (let k = from; k < to; k++) {
      const other = fromChunks.to[k]!;
      if (other === entity) continue;
      const before = weights.get(other);
      if (before === undefined) weights.set(other, { weight: 1 / (to - from - 1), shared: 1 });
      else {
        before.weight += 1 / (to - from - 1);
        before.shared++;
      }
    }
  }
  return [...weights]
    .map(([other, tie]) => ({ entity: other, ...tie }))
    .sort((a, b) => b.weight - a.weight || byName(network, a.entity, b.entity));
}

/** Undirected, with each edge at both of its ends: neighbours of node i are `to[start[i]]` to `to[start[i + 1] - 1]`. */
export interface Ties {
  readonly start: Uint32Array;
  readonly to: Uint32Array;
  readonly weight: Float64Array;
}

/**
 * Ties among some entities, by their place in the list. An edge is kept when it is among the `most` strongest of one of its ends.
 * The order of the list decides between equals: one that does not depend on how the graph came about gives ties that do not.
 */
export async function tiesAmong(
  { fromChunks, fromEntities, frequency }: Network,
  entities: readonly number[],
  most: number,
): Promise<Ties> {
  const place = new Int32Array(frequency.length).fill(-1);
  entities.forEach((entity, i) => {
    place[entity] = i;
  });
  // Only what is in the list is gone through for each chunk, once for each name in it.
  const inside = new Map<number, Uint32Array>();
  const insideOf = (chunk: number): Uint32Array => {
    let list = inside.get(chunk);
    if (list === undefined) {
      const all: number[] = [];
      for (let k = fromChunks.start[chunk]!; k < fromChunks.start[chunk + 1]!; k++) {
        const at = place[fromChunks.to[k]!]!;
        if (at >= 0) all.push(at);
      }
      list = Uint32Array.from(all);
      inside.set(chunk, list);
    }
    return list;
  };
  const sums = new Float64Array(entities.length);
  const kept: Map<number, number>[] = entities.map(() => new Map());
  let work = 0;
  for (const [node, entity] of entities.entries()) {
    const touched: number[] = [];
    for (let i = fromEntities.start[entity]!; i < fromEntities.start[entity + 1]!; i++) {
      const chunk = fromEntities.to[i]!;
      const share = 1 / (fromChunks.start[chunk + 1]! - fromChunks.start[chunk]! - 1);
      const near = insideOf(chunk);
      work += near.length;
      if (work > SLICE) {
        work = 0;
        await setImmediate();
      }
      for (const other of near) {
        if (other === node) continue;
        if (sums[other] === 0) touched.push(other);
        sums[other]! += share;
      }
    }
    const strongest = touched
      .map((other) => [other, sums[other]!] as const)
      .sort((a, b) => b[1] - a[1] || a[0] - b[0])
      .slice(0, most);
    for (const [other, weight] of strongest) {
      kept[node]!.set(other, weight);
      kept[other]!.set(node, weight);
    }
    for (const other of touched) sums[other] = 0;
  }
  return packed(kept);
}

/** @param edges of each node: the other end and the weight; an edge must stand at both ends */
export async function packed(edges: readonly ReadonlyMap<number, number>[]): Promise<Ties> {
  const start = new Uint32Array(edges.length + 1);
  edges.forEach((map, i) => {
    start[i + 1] = start[i]! + map.size;
  });
  const to = new Uint32Array(start.at(-1)!);
  const weight = new Float64Array(to.length);
  let at = 0;
  for (const [node, map] of edges.entries()) {
    if (node % NODES === NODES - 1) await setImmediate();
    for (const [other, value] of [...map].sort((a, b) => a[0] - b[0])) {
      to[at] = other;
      weight[at++] = value;
    }
  }
  return { start, to, weight };
}

export function byName(network: Network, a: number, b: number): number {
  const [one, other] = [network.nameOf(a), network.nameOf(b)];
  return one < other ? -1 : one > other ? 1 : 0;
}
