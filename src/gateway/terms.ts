/**
 * Who asks, and how the answer may be come by: what the gateway decides by besides the request itself.
 *
 * @module gateway/terms
 */
import type { Tier } from '../trust/index.ts';
import type { PrivacyLevel } from './privacy/index.ts';

/** Steps of the ladder, from the best answer down. A receipt names the one that answered. */
export const LADDER_STEPS = [
  'cache',
  'local',
  'swarm',
  'peer',
  'remote',
  'search',
  'stale',
  'explanation',
  'crisis',
] as const;
export type LadderStep = (typeof LADDER_STEPS)[number];

/**
 * What may stand in for an answer when no backend gives one, each including those before it. `none`: an error;
 * `search`: a search adapter's; `stale`: the last good answer to the same question, marked; `explain`: a text that says
 * what happened, or where to find help.
 */
export const DEGRADATIONS = ['none', 'search', 'stale', 'explain'] as const;
export type Degradation = (typeof DEGRADATIONS)[number];

/** `local`: this machine's models only; `frontier`: the strongest allowed; `auto`: as the node decides. */
export const ROUTE_WISHES = ['auto', 'local', 'frontier'] as const;
export type RouteWish = (typeof ROUTE_WISHES)[number];

/**
 * `off`: neither looked up nor kept; `auto`: answers that could not come out otherwise (temperature 0); `keep`: of any
 * temperature; `similar`: also answers to questions that mean the same.
 */
export const CACHE_WISHES = ['off', 'auto', 'keep', 'similar'] as const;
export type CacheWish = (typeof CACHE_WISHES)[number];

/** Null: as the owner's configuration says. */
export interface Terms {
  /** Id of the caller's key; `local` for the owner on this machine. One tenant never gets an answer of another. */
  readonly tenant: string;
  /** Agent that the request is made for. */
  readonly agent: string | null;
  /** Names the conversation, so that it keeps its model and backend. */
  readonly conversation: string | null;
  /** The strictest of this, the agent's and the owner's level holds. */
  readonly privacy: PrivacyLevel | null;
  readonly route: RouteWish | null;
  readonly cache: CacheWish | null;
  /** Asks side by side, 1 to 3. */
  readonly redundancy: number | null;
  /** Which of several answers counts: the first good one, or the one that most agree on. */
  readonly decide: 'first' | 'agreement' | null;
  /** Regions in which it may be answered. */
  readonly regions: readonly string[] | null;
  /** Lowest trust tier of a peer that may see it. */
  readonly minTier: Tier | null;
  /** Round trip and queue of a peer that may answer it, ms. */
  readonly maxLatencyMs: number | null;
  /** True: only peers whose operator gave the FiduciaryPledge may see it. */
  readonly pledge: boolean | null;
  /** Money that the request may cost, in the unit of the owner's prices. */
  readonly maxCost: number | null;
  readonly degrade: Degradation | null;
  /** BCP 47 tag of the language that explanations are given in. */
  readonly locale: string | null;
  /** Nodes that the request has passed before it came here. */
  readonly hops: number;
}

/** Nodes that a request may pass; with more it goes round in a ring. */
export const MAX_HOPS = 4;

/** The owner on this machine, who leaves everything as configured. */
export const OWN_TERMS: Terms = {
  tenant: 'local',
  agent: null,
  conversation: null,
  privacy: null,
  route: null,
  cache: null,
  redundancy: null,
  decide: null,
  regions: null,
  minTier: null,
  maxLatencyMs: null,
  pledge: null,
  maxCost: null,
  degrade: null,
  locale: null,
  hops: 0,
};
