/**
 * `p`: how near a peer is to those whom this node trusts to begin with, over the endorsements of Verified peers.
 *
 * With pi = personalised PageRank from the roots, `p = pi / (pi + h)`, where h is the median of the positive pi of Verified
 * peers: a half for a peer like most of those. Under the strict policy the roots are in three groups, each ranks alone, and
 * the least p counts: roots of one group, even of two, then lift nobody. It is not scaled up again after the minimum, which
 * would give it all back.
 *
 * @module trust/score/rank
 */
import { pageRank, sparseGraph } from '../eigentrust/page-rank.ts';

export interface RankInput {
  /** Groups of peers where walks start; one group, or three under the strict policy. */
  readonly groups: readonly (readonly string[])[];
  /** Endorsements by Verified peers: [endorser, endorsee]. */
  readonly edges: Iterable<readonly [string, string]>;
  readonly isVerified: (peerId: string) => boolean;
}

export interface Ranks {
  /** `p`, 0 to 1. */
  strength(peerId: string): number;
}

export const NO_RANKS: Ranks = { strength: () => 0 };

export function rankPeers({ groups, edges, isVerified }: RankInput): Ranks {
  if (groups.length === 0 || groups.some((group) => group.length === 0)) return NO_RANKS;
  const pairs = [...edges];
  const names = [...new Set([...groups.flat(), ...pairs.flat()])].sort();
  const indexOf = new Map(names.map((name, i) => [name, i]));
  const graph = sparseGraph(
    names.length,
    pairs.map(([from, to]) => [indexOf.get(from)!, indexOf.get(to)!] as const),
  );
  const verified = names.map(isVerified);
  let least: Float64Array | null = null;
  for (const group of groups) {
    const ranked = pageRank(
      graph,
      group.map((name) => indexOf.get(name)!),
    );
    const strengths = strengthsOf(ranked.ranks, verified);
    least = least === null ? strengths : least.map((value, i) => Math.min(value, strengths[i]!));
  }
  const found = least!;
  return {
    strength: (peerId) => {
      const index = indexOf.get(peerId);
      return index === undefined ? 0 : found[index]!;
    },
  };
}

/** `p` of every node; all 0 when no Verified peer was reached, since there is nothing to compare with. */
function strengthsOf(ranks: Float64Array, verified: readonly boolean[]): Float64Array {
  const held = ranks.filter((rank, i) => rank > 0 && verified[i]!).sort();
  if (held.length === 0) return new Float64Array(ranks.length);
  const half = held.length >> 1;
  const median = held.length % 2 === 1 ? held[half]! : (held[half - 1]! + held[half]!) / 2;
  return ranks.map((rank) => rank / (rank + median));
}
