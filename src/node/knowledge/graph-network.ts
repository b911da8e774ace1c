/**
 * The part of a graph that is drawn: the weightiest names, or those around one, and how they hang together.
 *
 * @module node/knowledge/graph-network
 */
import { setImmediate } from 'node:timers/promises';
import { tiesAmong, tiesOf } from '../../knowledge/index.ts';
import type { NetworkQuery, NetworkView } from '../../server/index.ts';
import { rowsOf, type Scene } from './graph-scene.ts';

export const NETWORK_LIMIT = 500;
/** Ties that an entity keeps by itself: more cannot be told apart in a drawing. */
const TIES = 8;
/** Documents that an entity is tied to by itself, and names that a document is. */
const OF_ENTITY = 3;
const OF_DOCUMENT = 8;
/** Of the nodes, where documents are wanted. */
const DOCUMENT_SHARE = 1 / 3;
/** Entities whose neighbours are looked for, around one, and the chunks of one through which others are found. */
const MOST_EXPANDED = 200;
const MOST_CHUNKS = 2000;

export async function networkView(scene: Scene, query: NetworkQuery): Promise<NetworkView> {
  const { around, limit = NETWORK_LIMIT, documents = false } = query;
  const center = around === undefined ? null : scene.entityOf(around);
  const communities = await scene.communities();
  const room = Math.max(0, Math.min(limit, 5000));
  const most = documents ? Math.max(1, Math.ceil(room * (1 - DOCUMENT_SHARE))) : room;
  const entities = center === null ? scene.order.slice(0, most) : await near(scene, center, most);
  const ties = await tiesAmong(scene.network, entities, TIES);
  const edges: [number, number, number][] = [];
  for (let node = 0; node < entities.length; node++)
    for (let i = ties.start[node]!; i < ties.start[node + 1]!; i++)
      if (node < ties.to[i]!) edges.push([node, ties.to[i]!, rounded(ties.weight[i]!)]);
  const nodes: NetworkView['nodes'][number][] = entities.map((entity) => ({
    key: scene.network.nameOf(entity),
    name: scene.nameOf(entity),
    kind: 'entity',
    type: scene.typeOf(entity)?.type ?? null,
    weight: scene.network.frequency[entity]!,
    community: communities.of(entity),
  }));
  if (documents) addDocuments(scene, entities, room - entities.length, nodes, edges);
  const of = scene.order.length + (documents ? scene.store.counts().documents : 0);
  return { nodes, edges, of };
}

/** The entity, then what is tied to it, then what is tied to those, the strongest ties first. */
async function near({ network, isTelling }: Scene, center: number, most: number): Promise<number[]> {
  const found = new Set([center]);
  const queue = [center];
  for (let at = 0; at < queue.length && at < MOST_EXPANDED && found.size < most; at++) {
    const entity = queue[at]!;
    // Through a name that is everywhere one comes to everything.
    if (at > 0 && network.frequency[entity]! > MOST_CHUNKS) continue;
    for (const { entity: other } of tiesOf(network, entity)) {
      if (found.size >= most) break;
      if (found.has(other) || !isTelling(other)) continue;
      found.add(other);
      queue.push(other);
    }
    await setImmediate();
  }
  return [...found];
}

/** Those that are tied most to the entities that are there, each to the names that it is tied to most. */
function addDocuments(
  { network, facts, store }: Scene,
  entities: readonly number[],
  most: number,
  nodes: NetworkView['nodes'][number][],
  edges: [number, number, number][],
): void {
  const ties = new Map<number, Map<number, number>>();
  for (const [node, entity] of entities.entries())
    for (const row of rowsOf(network, entity)) {
      const document = facts.rows.get(row)?.document;
      if (document === undefined) continue;
      const chunk = network.indexOf(row);
      const names = network.fromChunks.start[chunk + 1]! - network.fromChunks.start[chunk]!;
      const of = ties.get(document) ?? new Map<number, number>();
      of.set(node, (of.get(node) ?? 0) + 1 / names);
      ties.set(document, of);
    }
  const sums = [...ties].map(([document, of]) => ({
    ...{ document, of },
    sum: [...of.values()].reduce((total, weight) => total + weight, 0),
  }));
  const chosen = sums.sort((a, b) => b.sum - a.sum || a.document - b.document).slice(0, most);
  const byEntity = new Map<number, { document: number; weight: number }[]>();
  for (const { document, of } of chosen)
    for (const [node, weight] of of) {
      const list = byEntity.get(node) ?? [];
      list.push({ document, weight });
      byEntity.set(node, list);
    }
  const kept = new Set<string>();
  for (const [node, list] of byEntity)
    for (const { document } of list
      .sort((a, b) => b.weight - a.weight || a.document - b.document)
      .slice(0, OF_ENTITY))
      kept.add(`${document} ${node}`);
  for (const { document, of } of chosen) {
    const stored = store.documentById(document);
    if (stored === null) continue;
    const strongest = [...of].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
    for (const [i, [node, weight]] of strongest.entries())
      if (i < OF_DOCUMENT || kept.has(`${document} ${node}`))
        edges.push([node, nodes.length, rounded(weight)]);
    nodes.push({
      ...{ key: stored.path, name: stored.title, kind: 'document', type: null },
      ...{ weight: stored.chunks, community: null },
    });
  }
}

/** Four digits are enough to draw. Never 0. */
function rounded(weight: number): number {
  return Math.max(0.0001, Math.round(weight * 10_000) / 10_000);
}
