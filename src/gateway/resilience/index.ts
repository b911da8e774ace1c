/**
 * The door of the gateway's resilience: requests in with the routes that the policy chose, answers out from the first
 * that gives one, with an account of every attempt.
 *
 * `createConditions` holds what is known of the backends, `createFailover` asks them, `createProbes` looks after them in
 * between. Nothing here chooses which backends a request may go to.
 *
 * @module gateway/resilience
 */
export { type Breaker, type BreakerOptions, type BreakerState, createBreaker } from './breaker.ts';
export { type Condition, type ConditionOptions, type Conditions, createConditions } from './condition.ts';
export { type Answering, type AskOptions, createFailover, type Failover } from './failover.ts';
export { FAILURES, type Failure, type FailureKind, failureOf } from './failure.ts';
export { maxRedundancy } from './hedge.ts';
export { type LimitsOptions, limitsFor, type TimeLimits } from './limits.ts';
export { createProbes, type ProbeResult, type Probes, type ProbesOptions } from './probes.ts';
export {
  type BackoffOptions,
  backoffMs,
  createRetryBudget,
  type RetryBudget,
  type RetryBudgetOptions,
} from './retry.ts';
export type { RunOptions } from './run.ts';
export { systemTimers, type Timers, timersOf } from './timers.ts';
export type { AttemptReason, AttemptRecord, Route } from './types.ts';
