/**
 * From what peers announce to candidates of a path: the registry says who serves which blocks to whom it may be asked of, and
 * why the others do not count.
 *
 * @module shards/plan/candidates
 */
import { findPeers, type LeftOut, type PeerQuery, type Registry, type Views } from '../../swarm/index.ts';
import { type NoPath, type PathPlan, type PlanRequest, planPath, type ShardCandidate } from './plan.ts';
import { UNKNOWN_BLOCK_MS } from './strength.ts';

/** What is asked of peers, and the path. */
export interface PlanQuery
  extends Pick<PlanRequest, 'span' | 'cells' | 'rttBetween'>,
    Pick<PeerQuery, 'minTier' | 'maxLatencyMs' | 'regions' | 'pledge' | 'exclude'> {
  /** SHA-256 of the GGUF, hex. */
  readonly model: string;
}

/** A round trip that is only claimed counts twice and never less, so that a liar gains one try at most. */
const LEAST_CLAIMED_MS = 50;

/** Peers that hold some of the blocks and may be asked, and the others with the first reason against each. */
export function shardCandidates(
  registry: Registry,
  query: PlanQuery,
  views: Views,
  now: number,
): { readonly candidates: readonly ShardCandidate[]; readonly leftOut: readonly LeftOut[] } {
  const { model, span, cells, minTier, maxLatencyMs, regions, pledge, exclude } = query;
  const { candidates, leftOut } = findPeers(
    registry,
    {
      model,
      serves: 'blocks',
      blocks: [span.from, span.to],
      cover: 'some',
      cacheTokens: cells,
      ...(minTier !== undefined && { minTier }),
      ...(maxLatencyMs !== undefined && { maxLatencyMs }),
      ...(regions !== undefined && { regions }),
      ...(pledge !== undefined && { pledge }),
      ...(exclude !== undefined && { exclude }),
    },
    views,
    now,
  );
  return {
    leftOut,
    candidates: candidates.flatMap(({ peer, announcement, latency }) => {
      const { blocks, tokensPerSecond, freeCacheTokens, addrs } = announcement;
      // The rate is that of one token through all blocks of the peer.
      const count = blocks.reduce((sum, [start, end]) => sum + end - start, 0);
      const msPerBlock =
        tokensPerSecond === null || tokensPerSecond === 0 ? UNKNOWN_BLOCK_MS : 1000 / tokensPerSecond / count;
      const { ms, source } = latency;
      const rttMs = ms === null || source === 'measured' ? ms : Math.max(LEAST_CLAIMED_MS, 2 * ms);
      return blocks.map(
        ([from, to]): ShardCandidate => ({
          peer,
          addresses: addrs,
          from,
          to,
          msPerBlock,
          // What it announces is what one more session would get.
          load: 0,
          rttMs,
          freeCells: freeCacheTokens,
        }),
      );
    }),
  };
}

/** The best path through peers that may be asked; or the blocks that none of them has, and why each was left out. */
export function planThrough(
  registry: Registry,
  query: PlanQuery,
  views: Views,
  now: number,
): { readonly plan: PathPlan | NoPath; readonly leftOut: readonly LeftOut[] } {
  const { candidates, leftOut } = shardCandidates(registry, query, views, now);
  return { plan: planPath(query, candidates), leftOut };
}

/** True when there is a path. */
export const isPath = (plan: PathPlan | NoPath): plan is PathPlan => 'shards' in plan;
