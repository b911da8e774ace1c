/**
 * What an ask is made of: the ways it can go, the limits it is held to, and the record of what was tried.
 *
 * @module gateway/resilience/types
 */
import type { Backend } from '../types.ts';
import type { FailureKind } from './failure.ts';
import type { TimeLimits } from './limits.ts';

/** One backend and the model it would be asked for. */
export interface Route {
  readonly backend: Backend;
  readonly model: string;
  /** Context window in tokens, null when unknown. */
  readonly context: number | null;
  /** True when it goes on from `prefill` without repeating it, so that an answer that broke off can be continued. */
  readonly continues: boolean;
  readonly limits: TimeLimits;
}

/** Why an attempt was made. */
export type AttemptReason =
  | 'first choice'
  | 'failover'
  | 'retry'
  | 'stale connection'
  | 'larger context'
  | 'hedge'
  | 'redundant'
  | 'continuation'
  | 'replay';

/** One line of the receipt: a backend that was asked, or passed over, and what came of it. */
export interface AttemptRecord {
  readonly backend: string;
  readonly model: string;
  readonly reason: AttemptReason;
  /**
   * `running`: not over; `answered`: its whole answer (or its part of a continued one) counts; `failed`: before its
   * first piece of an answer; `cut`, `stalled`: after it; `lost`: another was faster, or it was outvoted; `left`: the
   * caller went away; `skipped`: its breaker or a cool-down refused it and it was not asked.
   */
  readonly outcome: 'running' | 'answered' | 'failed' | 'cut' | 'stalled' | 'lost' | 'left' | 'skipped';
  /** Code of the error; null without one. */
  readonly code: string | null;
  readonly kind: FailureKind | null;
  /** ms waited before it. */
  readonly waitMs: number;
  /** ms from asking to the first piece of an answer; null when there was none. */
  readonly firstTokenMs: number | null;
  /** ms from asking to its end. */
  readonly ms: number;
}
