/**
 * Which peers compute which blocks: the path with the least predicted time per token.
 *
 * A path is a walk over block boundaries: from boundary b a peer whose blocks cover b computes up to some boundary b' and hands on to the
 * next one. Its price is the time that its blocks take under its load, and the way to it. Where ranges overlap, the cut
 * with the least time is at an end of one of them, since a peer's blocks all take the same; so those are the only
 * boundaries looked at, and the shortest path over (boundary, peer) is found boundary by boundary.
 *
 * @module shards/plan/plan
 */
import type { ShardOffer } from '../path/hop.ts';
import type { BlockSpan } from '../types.ts';

/** A peer that serves blocks, as it is known now. */
export interface ShardCandidate extends ShardOffer {
  /** ms that one block takes for one token, when nobody else is served: measured, or what the peer says. */
  readonly msPerBlock: number;
  /** Sessions that it serves beside this one. */
  readonly load: number;
  /** Round trip from this node, ms; null when it is not known. */
  readonly rttMs: number | null;
  /** KV cells that it can lend. */
  readonly freeCells: number;
}

export interface PlanRequest {
  /** Blocks that are wanted. */
  readonly span: BlockSpan;
  /** KV cells that a session needs. */
  readonly cells: number;
  /** Round trip between two peers, ms, where it is known. @default by way of this node: half of each one's */
  readonly rttBetween?: (one: string, other: string) => number | null;
  /** @default 50 */
  readonly unknownRttMs?: number;
}

export interface PlannedShard extends ShardOffer {
  /** Predicted ms of its blocks for one token. */
  readonly computeMs: number;
  /** Predicted ms from the one before it. */
  readonly linkMs: number;
}

export interface PathPlan {
  readonly shards: readonly PlannedShard[];
  /** Predicted ms between two tokens: all computing, all ways, and the way back. */
  readonly msPerToken: number;
}

export interface NoPath {
  /** Blocks that nobody who may be asked serves with the cells that are wanted; empty when there is no path for another reason. */
  readonly gaps: readonly BlockSpan[];
}

/** Candidates looked at; with more, those that hold the most blocks per ms. */
const MOST_CANDIDATES = 96;
/** ms of a hop beside computing and the network: taking a message in, and out. */
const HOP_MS = 0.5;
/** What one more session costs, as a part of the time for one: they share passes. */
const LOAD_SHARE = 0.5;

/** The best way to compute up to a boundary with this peer last. */
interface Reached {
  readonly ms: number;
  /** Where the peer began. */
  readonly from: number;
  /** Who computed up to there; null when that is the start. */
  readonly before: ShardCandidate | null;
}

/** Time of one block under load. */
export function blockMs({ msPerBlock, load }: ShardCandidate): number {
  return msPerBlock * (1 + LOAD_SHARE * Math.max(0, load));
}

/** The best path, or what there is none for. Pure. */
export function planPath(request: PlanRequest, given: readonly ShardCandidate[]): PathPlan | NoPath {
  const { span, cells, unknownRttMs = 50 } = request;
  const fit = given
    .filter((one) => one.from < span.to && one.to > span.from && one.freeCells >= cells)
    .sort((a, b) => (b.to - b.from) / blockMs(b) - (a.to - a.from) / blockMs(a))
    .slice(0, MOST_CANDIDATES);
  const gaps = gapsIn(span, fit);
  if (gaps.length > 0) return { gaps };
  const rtt = ({ rttMs }: ShardCandidate) => rttMs ?? unknownRttMs;
  const link = (one: ShardCandidate | null, other: ShardCandidate | null): number => {
    if (one === null || other === null) return rtt((one ?? other)!) / 2;
    return (request.rttBetween?.(one.peer, other.peer) ?? rtt(one) + rtt(other)) / 2;
  };
  const boundaries = [...new Set([span.from, span.to, ...fit.flatMap(({ from, to }) => [from, to])])]
    .filter((boundary) => boundary >= span.from && boundary <= span.to)
    .sort((a, b) => a - b);
  const reached = new Map(boundaries.map((boundary) => [boundary, new Map<ShardCandidate, Reached>()]));
  // Boundaries only rise, so that each is final when its turn comes.
  for (const from of boundaries) {
    if (from === span.to) break;
    for (const next of fit) {
      if (next.from > from || next.to <= from) continue;
      let entry: { ms: number; before: ShardCandidate | null } | null =
        from === span.from ? { ms: link(null, next), before: null } : null;
      for (const [before, { ms }] of reached.get(from)!) {
        if (before.peer === next.peer) continue;
        const arrived = ms + link(before, next);
        if (entry === null || arrived < entry.ms) entry = { ms: arrived, before };
      }
      if (entry === null) continue;
      for (const end of boundaries) {
        if (end <= from || end > next.to) continue;
        const ms = entry.ms + HOP_MS + (end - from) * blockMs(next);
        const known = reached.get(end)!.get(next);
        if (known === undefined || ms < known.ms)
          reached.get(end)!.set(next, { ms, from, before: entry.before });
      }
    }
  }
  let best: { last: ShardCandidate; ms: number } | null = null;
  for (const [last, { ms }] of reached.get(span.to)!) {
    const whole = ms + link(last, null);
    if (best === null || whole < best.ms) best = { last, ms: whole };
  }
  // Blocks of one peer that nobody stands between: it would be asked twice in a row.
  if (best === null) return { gaps: [] };
  const shards: PlannedShard[] = [];
  let to = span.to;
  for (let at: ShardCandidate | null = best.last; at !== null; ) {
    const { from, before }: Reached = reached.get(to)!.get(at)!;
    const { peer, addresses } = at;
    const computeMs = (to - from) * blockMs(at);
    shards.unshift({ peer, addresses, from, to, computeMs, linkMs: link(before, at) + HOP_MS });
    to = from;
    at = before;
  }
  return { shards, msPerToken: best.ms };
}

/** Blocks of the span that no candidate has. */
export function gapsIn(span: BlockSpan, candidates: readonly BlockSpan[]): BlockSpan[] {
  const gaps: BlockSpan[] = [];
  let reached = span.from;
  for (const { from, to } of candidates.toSorted((a, b) => a.from - b.from)) {
    if (reached >= span.to) break;
    if (from > reached) gaps.push({ from: reached, to: Math.min(from, span.to) });
    reached = Math.max(reached, to);
  }
  if (reached < span.to) gaps.push({ from: reached, to: span.to });
  return gaps;
}

/** Who computes the blocks of a shard that was lost, one peer or several in order; null when nobody can. */
export function planSubstitute(
  request: PlanRequest,
  candidates: readonly ShardCandidate[],
  lost: ReadonlySet<string>,
): readonly ShardOffer[] | null {
  const left = candidates.filter(({ peer }) => !lost.has(peer));
  const plan = planPath(request, left);
  if ('shards' in plan)
    return plan.shards.map(({ peer, addresses, from, to }) => ({ peer, addresses, from, to }));
  return null;
}

/** The fastest of those that have all of the blocks. */
export function planSecond(
  request: PlanRequest,
  candidates: readonly ShardCandidate[],
  without: ReadonlySet<string>,
): ShardOffer | null {
  const { from, to } = request.span;
  const whole = candidates.filter((one) => one.from <= from && one.to >= to);
  return planSubstitute(request, whole, without)?.[0] ?? null;
}
