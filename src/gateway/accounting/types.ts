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
  /** In the unit of the owner's prices; null = unknown. */
  readonly cost: number | null;
  /** `answered`; `failed` after it had begun; `left` by the caller; `kept`: from the cache, nothing was used. */
  readonly outcome: 'answered' | 'failed' | 'left' | 'kept';
}

export interface Ledger extends AsyncDisposable {
  /** Counts at once; on disk within a moment. Never throws. */
  record(usage: Usage): void;
  /**
   * Money that a request of these may still cost; null = no budget applies.
   *
   * @throws KithError `budget_exceeded` (429, with retry-after) when a budget is spent
   */
  allowance(who: { readonly tenant: string; readonly agent: string | null }): number | null;
}
