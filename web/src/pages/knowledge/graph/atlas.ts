/**
 * The network as it is drawn: who has ties with whom, how large each mark is, and how its name is written.
 *
 * @module web/pages/knowledge/graph/atlas
 */
import type { NetworkView } from '../../../../../src/server/rag/graph-types.ts';
import { type Neighbours, neighboursOf, type Ties } from './communities.ts';

export type MapNode = NetworkView['nodes'][number];

/** How names are written: px, weight of the font, height of the line in px. The first two are for those that name a region. */
export const STYLES = [
  { size: 19, weight: 650, line: 23 },
  { size: 16, weight: 650, line: 20 },
  { size: 15, weight: 650, line: 19 },
  { size: 13.5, weight: 600, line: 17 },
  { size: 12.5, weight: 500, line: 16 },
] as const;
/** Marks, as `draw.ts` and the legend draw them. */
export const KINDS = [
  'Person',
  'Organization',
  'Place',
  'Event',
  'CreativeWork',
  'Thing',
  'document',
] as const;
export type Kind = (typeof KINDS)[number];

export interface Atlas {
  readonly nodes: readonly MapNode[];
  /** Of the whole graph. */
  readonly of: number;
  readonly ties: Ties;
  readonly neighbours: Neighbours;
  /** By `idOf`. */
  readonly indexOf: ReadonlyMap<string, number>;
  /** The heaviest first. */
  readonly order: readonly number[];
  /** Place of each in `order`. */
  readonly rank: Uint32Array;
  readonly kind: Uint8Array;
  /** Of marks, px at every scale. */
  readonly radius: Float32Array;
  /** As written on the map: long names are cut. */
  readonly text: readonly string[];
  /** Index in `STYLES`. */
  readonly style: Uint8Array;
  /** What each label covers around the middle of its mark, px. */
  readonly halfWidth: Float64Array;
  readonly up: Float64Array;
  readonly down: Float64Array;
}

const LONGEST = 26;

/** The first characters of a name, for where there is no room for all of it. */
export function cut(name: string, most = LONGEST): string {
  const letters = [...name];
  return letters.length <= most
    ? name
    : `${letters
        .slice(0, most - 1)
        .join('')
        .trimEnd()}…`;
}

export const kindOf = ({ kind, type }: MapNode): Kind =>
  kind === 'document' ? 'document' : (KINDS.find((each) => each === type) ?? 'Thing');

/** A document's key is its path, and may be that of a name. */
export const idOf = ({ kind, key }: Pick<MapNode, 'kind' | 'key'>): string =>
  kind === 'document' ? `file:${key}` : key;

/** @param widthOf px of a text in a style of `STYLES` */
export function atlasOf(network: NetworkView, widthOf: (text: string, style: number) => number): Atlas {
  const { nodes } = network;
  const count = nodes.length;
  const edges = network.edges.filter(([a, b, tie]) => a !== b && a < count && b < count && tie > 0);
  const ties = {
    ends: Uint32Array.from(edges.flatMap((edge) => edge.slice(0, 2))),
    strength: Float32Array.from(edges, ([, , tie]) => tie),
  };
  const order = nodes
    .map((_, i) => i)
    .sort((a, b) => nodes[b]!.weight - nodes[a]!.weight || (nodes[a]!.key < nodes[b]!.key ? -1 : 1));
  const rank = new Uint32Array(count);
  for (const [place, i] of order.entries()) rank[i] = place;
  const style = rank.map((place) =>
    place < Math.max(4, count * 0.015) ? 2 : place < Math.max(12, count * 0.1) ? 3 : 4,
  );
  const most = nodes[order[0] ?? 0]?.weight ?? 1;
  // Many marks have to be smaller, or they lie on each other.
  const least = count > 2000 ? 1.7 : count > 300 ? 2.4 : 3.4;
  const radius = Float32Array.from(
    nodes,
    ({ weight }) => least + 5.5 * Math.sqrt(Math.max(0, weight - 1) / Math.max(1, most - 1)),
  );
  const text = nodes.map(({ name }) => cut(name));
  return {
    ...{ nodes, ties, order, rank, radius, text },
    of: network.of,
    neighbours: neighboursOf(count, ties),
    indexOf: new Map(nodes.map((node, i) => [idOf(node), i])),
    kind: Uint8Array.from(nodes, (node) => KINDS.indexOf(kindOf(node))),
    style: Uint8Array.from(style),
    halfWidth: Float64Array.from(text, (each, i) => widthOf(each, style[i]!) / 2 + 4),
    up: Float64Array.from(radius, (each) => each + 2),
    down: Float64Array.from(radius, (each, i) => each + 3 + STYLES[style[i]!]!.line),
  };
}

/** The strongest ties of a name first: who they lead to. */
export function strongestOf({ neighbours, rank }: Atlas, node: number): number[] {
  const { start, to, strength } = neighbours;
  return Array.from({ length: start[node + 1]! - start[node]! }, (_, i) => start[node]! + i)
    .sort((a, b) => strength[b]! - strength[a]! || rank[to[a]!]! - rank[to[b]!]!)
    .map((edge) => to[edge]!);
}
