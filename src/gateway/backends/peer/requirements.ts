/**
 * Whether a peer meets what a request asks of peers. What is not known meets nothing.
 *
 * @module gateway/backends/peer/requirements
 */
import { reaches } from '../../../base/index.ts';
import type { Meeting, PeerFacts, PeerRequirements, Tier } from '../../../trust/index.ts';

/** Each reason is a phrase about the peer. */
export function meetingOf(
  { minTier, maxLatencyMs, regions, pledge }: PeerRequirements,
  facts: PeerFacts & { readonly tier: Tier; readonly pledge: boolean },
): Meeting {
  const { tier, latencyMs, region } = facts;
  const reasons: string[] = [];
  if (minTier !== undefined && !reaches(tier, minTier))
    reasons.push(`its tier is ${tier}, and ${minTier} is asked`);
  if (maxLatencyMs !== undefined && (latencyMs === null || latencyMs > maxLatencyMs)) {
    const known = latencyMs === null ? 'not known' : `${Math.round(latencyMs)} ms`;
    reasons.push(`its latency is ${known}, and at most ${maxLatencyMs} ms is asked`);
  }
  if (regions !== undefined && (region === null || !regions.includes(region)))
    reasons.push(`its region is ${region ?? 'not known'}, and ${regions.join(' or ')} is asked`);
  if (pledge === true && !facts.pledge) reasons.push('it shows no FiduciaryPledge that counts here');
  return { ok: reasons.length === 0, reasons };
}
