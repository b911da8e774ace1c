/**
 * What a request asks of the peers that may see it, and whether a peer meets it. What is not known of a peer meets nothing.
 * The trust room knows the tiers; the gateway judges by what it is given, in nodes that never load that room.
 *
 * @module base/requirements
 */
import { reaches, type Tier } from './tiers.ts';

/** Absent fields ask nothing. */
export interface PeerRequirements {
  readonly minTier?: Tier;
  /** Round trip plus queue, ms. */
  readonly maxLatencyMs?: number;
  /** Region tags, any of which will do. */
  readonly regions?: readonly string[];
  /** The peer's operator holds a valid FiduciaryPledge. */
  readonly pledge?: boolean;
}

/** What is known of a peer beside trust; null: not known. */
export interface PeerFacts {
  /** Round trip plus queue, ms. */
  readonly latencyMs: number | null;
  readonly region: string | null;
}

/** Read only where a requirement asks for them: looking for a pledge costs. */
export interface TrustFacts {
  readonly tier: Tier;
  /** 0 to 1, where it is known. */
  readonly score?: number;
  /** Its operator holds a FiduciaryPledge that counts here. */
  readonly pledge: boolean;
}

/** Whether a peer may see a request, and if not, each reason as a phrase about the peer. */
export interface Meeting {
  readonly ok: boolean;
  readonly reasons: readonly string[];
}

export function meetingOf(
  { minTier, maxLatencyMs, regions, pledge }: PeerRequirements,
  { latencyMs, region }: PeerFacts,
  trust: TrustFacts,
): Meeting {
  const reasons: string[] = [];
  if (minTier !== undefined && !reaches(trust.tier, minTier)) {
    const score = trust.score === undefined ? '' : ` (score ${trust.score.toFixed(3)})`;
    reasons.push(`its tier is ${trust.tier}${score}, and ${minTier} is asked`);
  }
  if (maxLatencyMs !== undefined && (latencyMs === null || latencyMs > maxLatencyMs)) {
    const known = latencyMs === null ? 'not known' : `${Math.round(latencyMs)} ms`;
    reasons.push(`its latency is ${known}, and at most ${maxLatencyMs} ms is asked`);
  }
  if (regions !== undefined && (region === null || !regions.includes(region)))
    reasons.push(`its region is ${region ?? 'not known'}, and ${regions.join(' or ')} is asked`);
  if (pledge === true && !trust.pledge) reasons.push('it shows no FiduciaryPledge that counts here');
  return { ok: reasons.length === 0, reasons };
}
