/**
 * What answers used and cost, by key, agent, model and backend, and the budgets that hold them.
 *
 * @module gateway/accounting/types
 */

/** One call of one backend. */
export interface Usage {
  readonly tenant: string;
  readonly agent: string | null;
  readonly backend: string;
  readonly model: string;
  /** Null: the backend did not say. */
  readonly promptTokens: number | null;
  readonly cachedTokens: number | null;
  readonly completionTokens: number | null;
  /** In the unit of the owner's prices; null = unknown, or as the ledger's own prices say. */
  readonly cost: number | null;
  /** `answered`; `failed` after it had begun; `left` by the caller; `kept`: from the cache, nothing was used. */
  readonly outcome: Outcome;
}

export const OUTCOMES = ['answered', 'failed', 'left', 'kept'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Money for a million tokens, in the unit of the owner's budgets. */
export interface Price {
  readonly prompt: number;
  readonly completion: number;
  /** For tokens of the prompt that the server had in its cache. @default prompt */
  readonly cached?: number | undefined;
}

export const PERIODS = ['day', 'week', 'month', 'all'] as const;
/** In UTC; a week begins on Monday, `all` never ends. */
export type Period = (typeof PERIODS)[number];

/** Holds what fits everything named in it; nothing named: everything. */
export interface Budget {
  /** How messages and logs call it. @default what it holds */
  readonly name?: string | undefined;
  /** Id of a key; `local` is the owner on this machine. */
  readonly key?: string | undefined;
  readonly agent?: string | undefined;
  readonly backend?: string | undefined;
  readonly model?: string | undefined;
  /** At least one of the two. */
  readonly money?: number | undefined;
  /** Of prompts and answers together. */
  readonly tokens?: number | undefined;
  readonly per: Period;
}

/** What those may know of a spent budget whose requests it keeps out. */
export interface SpentBudget {
  readonly name: string;
  /** ms since the epoch at which it begins anew; null: never. */
  readonly until: number | null;
  /** s until then. */
  readonly retryAfter: number | null;
}

/** A budget and what is spent of it in the period that runs. */
export interface BudgetState {
  readonly name: string;
  readonly per: Period;
  /** ms since the epoch; null: it never ends. */
  readonly until: number | null;
  readonly money: { readonly limit: number; readonly spent: number } | null;
  readonly tokens: { readonly limit: number; readonly spent: number } | null;
  /** Requests of the period whose cost is unknown: a limit of money does not hold them. */
  readonly unpriced: number;
  /** Requests of the period whose tokens are unknown: a limit of tokens does not hold them. */
  readonly uncounted: number;
}

/** Sums over requests. */
export interface UsageSums {
  readonly requests: number;
  readonly answered: number;
  readonly failed: number;
  readonly left: number;
  readonly kept: number;
  /** As far as they are known. */
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  /** Requests whose tokens are unknown, in part or in full: the sums above are without what is unknown. */
  readonly uncounted: number;
  /** As far as it is known, in the unit of the owner's prices. */
  readonly cost: number;
  /** Requests whose cost is unknown: the sum above is without them. */
  readonly unpriced: number;
}

export const GROUPINGS = ['key', 'agent', 'model', 'backend', 'day'] as const;
export type Grouping = (typeof GROUPINGS)[number];

export interface UsageRow extends UsageSums {
  /** Key id, agent, ...; a day as `2026-11-21`. Null: no agent was named, or days that are no longer told apart. */
  readonly name: string | null;
}

export interface ReportQuery {
  readonly by: Grouping;
  /** First and last day, `2026-11-21`, UTC; null: no bound. */
  readonly since: string | null;
  readonly until: string | null;
}

export interface UsageReport extends ReportQuery {
  /** Days in their order, the rest by cost, then by requests. At most `REPORT_ROWS`. */
  readonly rows: readonly UsageRow[];
  /** Rows that were left out. */
  readonly more: number;
  /** Of all rows, those left out included. */
  readonly total: UsageSums;
}

export interface Ledger extends AsyncDisposable {
  /** Counts at once; on disk within a moment. Never throws. */
  record(usage: Usage): void;
  /**
   * Money that a request of these may still cost; null = no budget of money applies. Budgets that name a backend or a
   * model are not asked: see `left`.
   *
   * @throws KithError `budget_exceeded` (429, with retry-after) when a budget is spent
   */
  allowance(who: { readonly tenant: string; readonly agent: string | null }): number | null;
  /**
   * Money that such a request may still cost at the backend, by the budgets that name it or the model; 0 when one of
   * them is spent, be it of money or of tokens; null = none applies.
   */
  left(call: Pick<Usage, 'tenant' | 'agent' | 'backend' | 'model'>): number | null;
  /** Of the budgets for which `left` is 0 now, the one that begins anew last; null = none. */
  spent(call: Pick<Usage, 'tenant' | 'agent' | 'backend' | 'model'>): SpentBudget | null;
  budgets(): readonly BudgetState[];
  /** What was recorded until now. Throws `KithError` when the file cannot be read. */
  report(query: ReportQuery): UsageReport;
}
