/**
 * What holds for a request: its own terms, its agent's, and the owner's, brought together once.
 *
 * @module gateway/steps/wishes
 */
import { TIERS, type Tier } from '../../base/index.ts';
import type { PeerRequirements } from '../../trust/index.ts';
import type { AgentPolicy, OwnerPolicy } from '../options.ts';
import { demandsOf, type PrivacyLevel, strictest } from '../privacy/index.ts';
import { type CacheWish, type Degradation, OWN_TERMS, type RouteWish, type Terms } from '../terms.ts';

/** Terms with nothing left open. */
export interface Wishes {
  readonly tenant: string;
  readonly agent: string | null;
  readonly conversation: string | null;
  readonly privacy: PrivacyLevel;
  readonly route: RouteWish;
  readonly cache: CacheWish;
  readonly redundancy: number;
  readonly decide: 'first' | 'agreement';
  readonly hedgeMs: number | 'auto' | null;
  readonly regions: readonly string[] | null;
  /** What peers must meet to see it, the owner's for its privacy level included; null: nothing. */
  readonly peers: PeerRequirements | null;
  readonly maxCost: number | null;
  readonly degrade: Degradation;
  readonly locale: string | null;
  /** Nodes that the request has passed before it came here. */
  readonly hops: number;
  /** Model id or alias for requests that name none; null = as each backend is set. */
  readonly model: string | null;
}

/** `peers`: what the request asks of peers beside its terms. */
export type Settle = (terms: Terms | undefined, peers?: PeerRequirements) => Wishes;

/** @returns what makes wishes of terms; those of callers who ask for nothing special are made once */
export function createSettle(owner: OwnerPolicy, agents: Readonly<Record<string, AgentPolicy>> = {}): Settle {
  const settle = (terms: Terms, peers: PeerRequirements = {}): Wishes => {
    const agent = terms.agent !== null && Object.hasOwn(agents, terms.agent) ? agents[terms.agent]! : {};
    const privacy = strictest(
      owner.privacy ?? 'minimum',
      agent.privacy ?? 'minimum',
      terms.privacy ?? 'minimum',
    );
    const regions = narrowed(narrowed(owner.regions ?? null, terms.regions), peers.regions ?? null);
    return {
      tenant: terms.tenant,
      agent: terms.agent,
      conversation: terms.conversation === null ? null : `${terms.tenant} ${terms.conversation}`,
      privacy,
      route: terms.route ?? agent.route ?? owner.route ?? 'auto',
      cache: terms.cache ?? owner.cache ?? 'off',
      redundancy: terms.redundancy ?? owner.redundancy ?? 1,
      decide: terms.decide ?? owner.decide ?? 'first',
      hedgeMs: owner.hedgeMs ?? null,
      regions,
      peers: requirementsOf(terms, peers, regions, privacy, owner.requiredTier ?? 'trusted'),
      maxCost: terms.maxCost,
      degrade: terms.degrade ?? owner.degrade ?? 'none',
      locale: terms.locale,
      hops: terms.hops,
      model: agent.model ?? null,
    };
  };
  const own = settle(OWN_TERMS);
  return (terms = OWN_TERMS, peers) =>
    terms === OWN_TERMS && peers === undefined ? own : settle(terms, peers);
}

/** The strictest of what terms, request and privacy level ask of peers; null when that is nothing. */
function requirementsOf(
  terms: Terms,
  asked: PeerRequirements,
  regions: readonly string[] | null,
  privacy: PrivacyLevel,
  requiredTier: Tier,
): PeerRequirements | null {
  const { pledgedPeersOnly } = demandsOf(privacy);
  const tiers = [terms.minTier ?? null, asked.minTier ?? null, pledgedPeersOnly ? requiredTier : null];
  const tier = Math.max(...tiers.map((one) => (one === null ? 0 : TIERS.indexOf(one))));
  const latencies = [terms.maxLatencyMs ?? null, asked.maxLatencyMs ?? null].filter((one) => one !== null);
  const pledge = terms.pledge === true || asked.pledge === true || pledgedPeersOnly;
  const all: PeerRequirements = {
    ...(tier === 0 ? {} : { minTier: TIERS[tier]! }),
    ...(latencies.length === 0 ? {} : { maxLatencyMs: Math.min(...latencies) }),
    ...(regions === null ? {} : { regions }),
    ...(pledge ? { pledge } : {}),
  };
  return Object.keys(all).length === 0 ? null : all;
}

/** A request may only narrow the owner's regions. */
function narrowed(
  owner: readonly string[] | null,
  asked: readonly string[] | null,
): readonly string[] | null {
  if (owner === null || asked === null) return asked ?? owner;
  return asked.filter((region) => owner.includes(region));
}
