/**
 * Names that stand together more than with others.
 *
 * @module knowledge/graph/communities
 */
import { louvain } from './louvain.ts';
import type { Network } from './network.ts';
import { byName, tiesAmong } from './ties.ts';

export interface Communities {
  /** Members of each, the most tied within it first; the largest community first. None has a single member. */
  readonly members: readonly (readonly number[])[];
  /** Community of an entity; null for those that are in none, or were not divided. */
  of(entity: number): number | null;
  readonly modularity: number;
  /** Entities that were divided. */
  readonly divided: number;
}

export interface CommunityOptions {
  /** Entities that are divided, those in the most chunks first. @default 20000 */
  readonly most?: number;
  /** The strongest ties of each that count. @default 24 */
  readonly ties?: number;
  /** Entities that are no names of anything, such as dates. */
  readonly leaves?: (form: string) => boolean;
  /** @default 1 */
  readonly seed?: number;
}

/** The same network gives the same communities, whichever way it came about. */
export async function communitiesOf(
  network: Network,
  { most = 20_000, ties: kept = 24, leaves = () => false, seed = 1 }: CommunityOptions = {},
): Promise<Communities> {
  const entities = weightiest(network, (form) => !leaves(form)).slice(0, most);
  const ties = await tiesAmong(network, entities, kept);
  const division = louvain(ties, seed);
  const groups = new Map<number, number[]>();
  const within = new Float64Array(entities.length);
  for (let node = 0; node < entities.length; node++) {
    const own = division.of[node]!;
    const group = groups.get(own);
    if (group === undefined) groups.set(own, [node]);
    else group.push(node);
    for (let i = ties.start[node]!; i < ties.start[node + 1]!; i++)
      if (division.of[ties.to[i]!] === own) within[node]! += ties.weight[i]!;
  }
  const members = [...groups.values()]
    .filter((group) => group.length > 1)
    // Of equals the one with the weightiest entity: nodes are in that order.
    .sort((a, b) => b.length - a.length || a[0]! - b[0]!)
    .map((group) => group.sort((a, b) => within[b]! - within[a]! || a - b).map((node) => entities[node]!));
  const communities = new Map<number, number>();
  for (const [id, group] of members.entries()) for (const entity of group) communities.set(entity, id);
  return {
    members,
    of: (entity) => communities.get(entity) ?? null,
    modularity: division.modularity,
    divided: entities.length,
  };
}

/** Entities that some chunk names, those in the most chunks first; of equals by name. */
export function weightiest(network: Network, keeps: (form: string) => boolean): number[] {
  const { frequency } = network;
  const entities: number[] = [];
  for (let entity = 0; entity < frequency.length; entity++)
    if (frequency[entity]! > 0 && keeps(network.nameOf(entity))) entities.push(entity);
  return entities.sort((a, b) => frequency[b]! - frequency[a]! || byName(network, a, b));
}

/** Members of a community among which those that name it are looked for. */
const MOST_NAMING = 24;

/**
 * Members that tell a community from the others: those most tied within it, and of these such as stand in few passages elsewhere.
 * None says what another one says ("Valgrind" beside "Valgrind User Manual").
 *
 * @param members as `Communities` gives them
 */
export function tellingOf(network: Network, members: readonly number[], count: number): number[] {
  const chunks = network.rows.length;
  const scored = members.slice(0, MOST_NAMING).map((entity, rank) => ({
    entity,
    words: new Set(network.nameOf(entity).split(' ')),
    score: Math.log(1 + chunks / network.frequency[entity]!) / (2 + rank),
  }));
  scored.sort((a, b) => b.score - a.score || byName(network, a.entity, b.entity));
  const chosen: typeof scored = [];
  for (const each of scored) {
    if (chosen.length >= count) break;
    if (chosen.some(({ words }) => words.isSubsetOf(each.words) || each.words.isSubsetOf(words))) continue;
    chosen.push(each);
  }
  return chosen.map(({ entity }) => entity);
}
