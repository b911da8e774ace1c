/**
 * What the policy decides between, what it decides by, and what it says about it.
 *
 * @module gateway/policy/types
 */
import type { Price, SpentBudget } from '../accounting/types.ts';
import type { Route } from '../resilience/index.ts';

/** A way to answer for a model: one backend and what its model can do. */
export interface Candidate extends Route {
  /**
   * Backends of one group are nodes of one provider and are balanced; groups are ordered by their scores. The backend's
   * own name where it stands alone.
   */
  readonly group: string;
  /** Place in the owner's configuration, from 0. */
  readonly order: number;
  /** Rank of the model's quality; a conversation may move up in it, not down. */
  readonly quality: number;
  readonly tools: boolean;
  /** Holds an answer to a JSON schema. */
  readonly json: boolean;
  readonly vision: boolean;
  /** Where its machine stands, as the owner wrote it (`eu`, `home`); null = unknown. */
  readonly region: string | null;
  /** Money for a million tokens, in the unit of the owner's budgets; null = unknown. */
  readonly price: Price | null;
}

/** What a request needs, as far as the choice depends on it. */
export interface Needs {
  /** Tokens of the prompt and of the answer that is wanted; null = unknown, and then not filtered by. */
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly tools: boolean;
  readonly json: boolean;
  readonly vision: boolean;
  /** Regions that are allowed; null = any. */
  readonly regions: readonly string[] | null;
  /** Money that this request may cost; null = any. */
  readonly budget: number | null;
  /**
   * Money that it may cost at the candidate, by budgets that name its backend or model; 0 when one of them is spent,
   * null = none applies.
   *
   * @default none
   */
  readonly left?: (candidate: Candidate) => number | null;
  /** The budget for which `left` is 0. @default unknown */
  readonly spent?: (candidate: Candidate) => SpentBudget | null;
  /** Why the request's privacy level keeps it from the candidate; null when it may go there. */
  readonly privacy: (candidate: Candidate) => string | null;
  /**
   * Of a peer: why the request may not go to it, its region included; null when it may. Undefined: the candidate is none.
   *
   * @default none is a peer
   */
  readonly peer?: (candidate: Candidate) => string | null | undefined;
  /** Id of the conversation; null = none to keep to. */
  readonly conversation: string | null;
}

export type FilterName =
  | 'privacy'
  | 'peer'
  | 'context'
  | 'tools'
  | 'json'
  | 'vision'
  | 'region'
  | 'budget'
  | 'breaker'
  | 'cooling';

export interface Exclusion {
  readonly filter: FilterName;
  /** For people. */
  readonly reason: string;
  /** Of `budget`, where one that names the backend or the model is spent. */
  readonly spent?: SpentBudget;
}

/** Parts of a score, each 0 (best) to 1 before its weight. */
export interface ScoreParts {
  readonly order: number;
  readonly cost: number;
  readonly latency: number;
  readonly load: number;
  readonly errors: number;
}

export type Weights = ScoreParts;

export type Balancing = 'round-robin' | 'least-connections' | 'random' | 'latency';

/** One line of the explanation. */
export interface Verdict {
  readonly backend: string;
  readonly model: string;
  readonly group: string;
  /** Place in which it is asked, from 0; null when it is not. */
  readonly rank: number | null;
  /** Why it may not answer; null when it may. */
  readonly excluded: Exclusion | null;
  /** Weighted sum, lower is better; null when it is excluded. */
  readonly score: number | null;
  readonly parts: ScoreParts | null;
  /** What put it where it is, for people. */
  readonly why: string;
}

export interface Explanation {
  readonly chosen: { readonly backend: string; readonly model: string } | null;
  readonly balancing: Balancing;
  readonly weights: Weights;
  readonly candidates: readonly Verdict[];
}
