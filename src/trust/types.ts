/**
 * What the trust room gives to the rooms above it: how far this node trusts a peer, and why.
 *
 * @module trust/types
 */
import type { Tier } from '../base/index.ts';

export type { Meeting, PeerFacts, PeerRequirements } from '../base/index.ts';
export type { Tier };

/**
 * How a score becomes a tier. `default`: thresholds .05, .35, .60 with gates (which credentials, from how many issuers, no
 * quarantine). `reference`: thresholds .10, .40, .70 without gates, for comparison with systems that score so.
 */
export const PROFILES = ['default', 'reference'] as const;
export type Profile = (typeof PROFILES)[number];

/** The terms of a score, in the order in which an explanation has them. */
export const TERM_NAMES = [
  'credentials',
  'endorsements',
  'observations',
  'confidence',
  'rank',
  'moderation',
  'strikes',
  'accountability',
] as const;
export type TermName = (typeof TERM_NAMES)[number];

/** One term of a score, for `kith reputation show`. */
export interface TrustTerm {
  readonly name: TermName;
  /** 0 to 1. */
  readonly value: number;
  /** What it is made of, for people. */
  readonly detail: string;
}

/** A node's own view of a peer; nobody else's, and of no meaning to others. */
export interface TrustScore {
  readonly peerId: string;
  /** 0 to 1. */
  readonly score: number;
  /** By the profile of the policy. */
  readonly tier: Tier;
  readonly terms: readonly TrustTerm[];
  /** Why the tier is not the one the score alone would give; empty when it is. */
  readonly gates: readonly string[];
  /** The tier under each profile. */
  readonly tiers: Readonly<Record<Profile, Tier>>;
  /** End of the quarantine, ms since 1970; null when there is none. */
  readonly quarantineUntil: number | null;
}

/** What a node measures of a peer, each from 0 (bad) to 1 (good). */
export const DIMENSIONS = ['audit', 'availability', 'throughput', 'latency'] as const;
/** `audit`: its result was recomputed and right. `throughput`: measured over claimed. `latency`: target over measured. */
export type Dimension = (typeof DIMENSIONS)[number];

/**
 * What a node counts of a peer. `conduct` has no good side: what a peer may never do on the wire, however well it answers.
 * It takes part in moderation alone, and earns nothing.
 */
export const COUNTED = [...DIMENSIONS, 'conduct'] as const;
export type Counted = (typeof COUNTED)[number];

/**
 * What counts as confirmed misconduct: its result was recomputed here and is wrong; two of three operators that have
 * nothing to do with each other say so; its own signed receipts contradict each other; a credential was revoked for cause;
 * its key named two successors; it broke the rules of the wire again and again over a connection that proved its key, so that
 * this node cut it.
 */
export const INCIDENT_KINDS = [
  'recomputed',
  'disjoint_operators',
  'contradicting_receipts',
  'revoked_for_cause',
  'conflicting_successors',
  'hostile_conduct',
] as const;
export type IncidentKind = (typeof INCIDENT_KINDS)[number];
