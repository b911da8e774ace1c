/**
 * Whom this node serves, with what, and how much: the owner's policy towards peers. Without one it serves nobody.
 *
 * @module gateway/peers/policy
 */
import { reaches, type Tier } from '../../base/index.ts';
import { DAY_MS, type Denial, type PeerTask } from './protocol.ts';

export interface ServingPolicy {
  /** PeerIds of friends, served whatever their tier. @default none */
  readonly peers?: readonly string[];
  /** Everybody of this tier or a higher one is served; null: nobody by tier. @default null */
  readonly minTier?: Tier | null;
  /** Ids of models that peers may ask for. @default none */
  readonly models?: readonly string[];
  /** Leases at once, for all peers. @default 2 */
  readonly maxConcurrent?: number;
  /** Leases at once of one peer. @default 1 */
  readonly maxPerPeer?: number;
  /** Tokens a minute of one peer, prompts and answers together; a burst may take a minute's at once. @default 6000 */
  readonly tokensPerMinute?: number;
  /** Tokens of one answer. @default 2048 */
  readonly maxTokens?: number;
  /** Longest lease, and longest time for one answer, ms. @default 600_000 */
  readonly leaseMs?: number;
  /** Time of day in which leases are granted, as minutes since midnight; `from` after `to` goes over midnight. @default always */
  readonly hours?: { readonly from: number; readonly to: number } | null;
}

export const SERVE_NOBODY: ServingPolicy = {};

export type SettledPolicy = { readonly [K in keyof ServingPolicy]-?: NonNullable<ServingPolicy[K]> } & {
  readonly minTier: Tier | null;
  readonly hours: { readonly from: number; readonly to: number } | null;
};

export function settlePolicy(policy: ServingPolicy): SettledPolicy {
  return {
    peers: policy.peers ?? [],
    minTier: policy.minTier ?? null,
    models: policy.models ?? [],
    maxConcurrent: policy.maxConcurrent ?? 2,
    maxPerPeer: policy.maxPerPeer ?? 1,
    tokensPerMinute: Math.max(1, policy.tokensPerMinute ?? 6000),
    maxTokens: Math.max(1, policy.maxTokens ?? 2048),
    leaseMs: Math.min(DAY_MS, Math.max(1, policy.leaseMs ?? 600_000)),
    hours: policy.hours ?? null,
  } as SettledPolicy;
}

/** Whether the peer is one that this node serves at all. */
export function serves(policy: SettledPolicy, peer: string, tier: Tier): boolean {
  if (policy.peers.includes(peer)) return true;
  return policy.minTier !== null && reaches(tier, policy.minTier);
}

/** Whether `minute` of the day (0 to 1439) lies in the hours. */
export function isOpen(
  { hours }: { readonly hours: { readonly from: number; readonly to: number } | null },
  minute: number,
): boolean {
  if (hours === null) return true;
  const { from, to } = hours;
  return from <= to ? minute >= from && minute < to : minute >= from || minute < to;
}

export interface Refusal {
  readonly reason: Denial;
  readonly message: string;
}

/** Why a peer gets no lease, in words for its owner; null when it may have one. */
export function refusalOf(
  policy: SettledPolicy,
  ask: {
    readonly peer: string;
    readonly tier: Tier;
    readonly model: string;
    readonly task: PeerTask;
    readonly minute: number;
  },
): Refusal | null {
  if (!serves(policy, ask.peer, ask.tier))
    return {
      reason: 'not_allowed',
      message: 'This node does not serve yours. Ask its owner to name your node.',
    };
  // The same for models that are not here: a peer learns of none that it may not ask for.
  if (!policy.models.includes(ask.model))
    return { reason: 'model_not_served', message: 'This node does not serve that model to peers.' };
  if (!isOpen(policy, ask.minute))
    return { reason: 'closed', message: 'This node serves peers at other hours of its day.' };
  return null;
}
