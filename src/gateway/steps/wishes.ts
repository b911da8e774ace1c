/**
 * What holds for a request: its own terms, its agent's, and the owner's, brought together once.
 *
 * @module gateway/steps/wishes
 */
import type { AgentPolicy, OwnerPolicy } from '../options.ts';
import { type PrivacyLevel, strictest } from '../privacy/index.ts';
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
  readonly maxCost: number | null;
  readonly degrade: Degradation;
  readonly locale: string | null;
  /** Nodes that the request has passed before it came here. */
  readonly hops: number;
  /** Model id or alias for requests that name none; null = as each backend is set. */
  readonly model: string | null;
}

export type Settle = (terms: Terms | undefined) => Wishes;

/** @returns what makes wishes of terms; those of callers who ask for nothing special are made once */
export function createSettle(owner: OwnerPolicy, agents: Readonly<Record<string, AgentPolicy>> = {}): Settle {
  const settle = (terms: Terms): Wishes => {
    const agent = terms.agent !== null && Object.hasOwn(agents, terms.agent) ? agents[terms.agent]! : {};
    return {
      tenant: terms.tenant,
      agent: terms.agent,
      conversation: terms.conversation === null ? null : `${terms.tenant} ${terms.conversation}`,
      privacy: strictest(owner.privacy ?? 'minimum', agent.privacy ?? 'minimum', terms.privacy ?? 'minimum'),
      route: terms.route ?? agent.route ?? owner.route ?? 'auto',
      cache: terms.cache ?? owner.cache ?? 'off',
      redundancy: terms.redundancy ?? owner.redundancy ?? 1,
      decide: terms.decide ?? owner.decide ?? 'first',
      hedgeMs: owner.hedgeMs ?? null,
      regions: narrowed(owner.regions ?? null, terms.regions),
      maxCost: terms.maxCost,
      degrade: terms.degrade ?? owner.degrade ?? 'none',
      locale: terms.locale,
      hops: terms.hops,
      model: agent.model ?? null,
    };
  };
  const own = settle(OWN_TERMS);
  return (terms) => (terms === undefined || terms === OWN_TERMS ? own : settle(terms));
}

/** A request may only narrow the owner's regions. */
function narrowed(
  owner: readonly string[] | null,
  asked: readonly string[] | null,
): readonly string[] | null {
  if (owner === null || asked === null) return asked ?? owner;
  return asked.filter((region) => owner.includes(region));
}
