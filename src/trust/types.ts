/**
 * What the trust room gives to the rooms above it: how far this node trusts a peer, and why.
 *
 * @module trust/types
 */

/** From the lowest to the highest. */
export const TIERS = ['unknown', 'known', 'verified', 'trusted'] as const;
export type Tier = (typeof TIERS)[number];

/** One term of a score, for `kith reputation show`. */
export interface TrustTerm {
  /** Stable name: `credentials`, `observations`, `endorsements`, `moderation`, `strikes`, `accountability`, `rank`. */
  readonly name: string;
  readonly value: number;
  /** What it is made of, for people. */
  readonly detail: string;
}

/** A node's own view of a peer; nobody else's, and of no meaning to others. */
export interface TrustScore {
  readonly peerId: string;
  /** 0 to 1. */
  readonly score: number;
  readonly tier: Tier;
  readonly terms: readonly TrustTerm[];
  /** Why the tier is not the one the score alone would give; empty when it is. */
  readonly gates: readonly string[];
}

/** What a request asks of the peers that may see it. Absent fields ask nothing. */
export interface PeerRequirements {
  readonly minTier?: Tier;
  /** Round trip plus queue, ms. */
  readonly maxLatencyMs?: number;
  /** Region tags, any of which will do. */
  readonly regions?: readonly string[];
  /** The peer's operator holds a valid FiduciaryPledge. */
  readonly pledge?: boolean;
}
