/**
 * What the routes of the gateway answer. Times are ms, money in the unit of the owner's prices, null = unknown.
 *
 * @module server/gateway/types
 */
import type {
  BackendReport,
  BudgetState,
  CacheStats,
  Judgement,
  RouterStatus,
  ThresholdState,
  ThresholdStep,
  UsageReport,
} from '../../gateway/index.ts';

/**
 * - `ok`: it is asked.
 * - `never_asked`: the owner's privacy level, or a link in the clear, keeps all requests from it.
 * - `demoted`: it failed lately and is asked after the others.
 * - `cooling`: it asked for a pause.
 * - `half_open`: one request at a time tries whether it is well again.
 * - `open`: it failed too often and is not asked.
 */
export type BackendState = 'ok' | 'never_asked' | 'demoted' | 'cooling' | 'half_open' | 'open';

export interface BackendView extends BackendReport {
  readonly state: BackendState;
}

/** `GET /kith/v1/backends`. In the owner's order. */
export interface BackendsView {
  readonly backends: readonly BackendView[];
}

/** `GET /kith/v1/cache`. */
export interface CacheView {
  /** False where the node keeps no answers; requests cannot ask for it then. */
  readonly enabled: boolean;
  readonly stats: CacheStats | null;
}

/** `GET /kith/v1/usage`. */
export interface UsageView extends UsageReport {
  readonly budgets: readonly BudgetState[];
}

/** `GET /kith/v1/router`. */
export interface RouterView {
  readonly enabled: boolean;
  readonly status: RouterStatus | null;
  readonly agents: readonly (ThresholdState & { readonly agent: string })[];
  /** Oldest first. */
  readonly versions: readonly RouterVersionView[];
}

export interface RouterVersionView {
  readonly number: number;
  /** ms since the epoch. */
  readonly at: number;
  /** Newest label that counts for it. */
  readonly through: number;
  readonly inUse: boolean;
  readonly evaluation: EvaluationView;
}

export interface EvaluationView {
  readonly prompts: number;
  /** Null when the frontier model was not better on these prompts. */
  readonly apgr: number | null;
  readonly cpt50: number | null;
  readonly cpt80: number | null;
}

/** `GET` and `POST /kith/v1/router/agents/{agent}`. */
export interface ThresholdView extends ThresholdState {
  readonly agent: string;
  /** Oldest first. */
  readonly history: readonly ThresholdStep[];
}

/** `POST /kith/v1/router/refit`. */
export interface RefitView {
  readonly verdict: Judgement['verdict'];
  readonly trained: number;
  readonly held: number;
  readonly version: number | null;
}
