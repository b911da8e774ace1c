/**
 * Names that probably stand for the same: proposals, each with its reason. Nothing is merged by itself.
 *
 * @module knowledge/graph/propose
 */
import type { Network } from './network.ts';

export interface MergeProposal {
  /** Normal forms, as the store's merges have them. */
  readonly alias: string;
  readonly entity: string;
  readonly reason: string;
}

/** Chunks of a name that are looked at for what else they name. */
const MOST_CHUNKS = 200;

/**
 * Initials of one full name (`j r smith`, `john ronald smith`), when no other full name has them and both stand beside a third name.
 * By alias, in alphabetical order.
 */
export function proposeMerges(network: Network, limit = 1000): MergeProposal[] {
  const byInitials = new Map<string, number[]>();
  const short: { entity: number; key: string }[] = [];
  for (let entity = 0; entity < network.frequency.length; entity++) {
    if (network.frequency[entity] === 0) continue;
    const pieces = network.nameOf(entity).split(' ');
    const last = pieces.pop()!;
    if (pieces.length === 0 || pieces.length > 4 || last.length < 2) continue;
    const key = `${pieces.map((piece) => piece[0]).join(' ')} ${last}`;
    if (pieces.every((piece) => piece.length === 1)) short.push({ entity, key });
    else if (pieces.every((piece) => piece.length > 1))
      byInitials.set(key, [...(byInitials.get(key) ?? []), entity]);
  }
  const proposals: MergeProposal[] = [];
  for (const { entity, key } of short) {
    const full = byInitials.get(key) ?? [];
    if (full.length !== 1) continue;
    const shared = sharedName(network, entity, full[0]!);
    if (shared === null) continue;
    const [alias, name] = [network.nameOf(entity), network.nameOf(full[0]!)];
    proposals.push({
      ...{ alias, entity: name },
      reason: `the initials of '${name}' and of no other name; both stand beside '${shared}'`,
    });
  }
  return proposals.sort((a, b) => (a.alias < b.alias ? -1 : 1)).slice(0, limit);
}

/** What both are named beside: of several the one that is named in the fewest chunks. */
function sharedName(network: Network, one: number, other: number): string | null {
  const beside = besides(network, one);
  let best: number | null = null;
  for (const entity of besides(network, other)) {
    if (entity === one || entity === other || !beside.has(entity)) continue;
    if (best === null || isRarer(network, entity, best)) best = entity;
  }
  return best === null ? null : network.nameOf(best);
}

function isRarer(network: Network, a: number, b: number): boolean {
  const difference = network.frequency[a]! - network.frequency[b]!;
  return difference < 0 || (difference === 0 && network.nameOf(a) < network.nameOf(b));
}

function besides({ fromChunks, fromEntities }: Network, entity: number): Set<number> {
  const found = new Set<number>();
  const from = fromEntities.start[entity]!;
  for (const chunk of fromEntities.to.subarray(
    from,
    Math.min(fromEntities.start[entity + 1]!, from + MOST_CHUNKS),
  ))
    for (const other of fromChunks.to.subarray(fromChunks.start[chunk]!, fromChunks.start[chunk + 1]!))
      found.add(other);
  return found;
}
