/**
 * What the figures of a node are made of, and what `GET /kith/v1/metrics` answers.
 *
 * @module server/metrics/types
 */

import type { Outcome } from './answer-facts.ts';

/** 50th, 95th and 99th percentile. */
export interface Quantiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** Answers of one model, agent, backend or route. Quantiles are null when nothing was measured. */
export interface AnswerRow {
  /** `all`, or the label's value; `none` without one, `other` for what came after the limit of values. */
  readonly name: string;
  /** Answers that came to their end. */
  readonly answers: number;
  readonly durationMs: Quantiles | null;
  readonly timeToFirstTokenMs: Quantiles | null;
  readonly interTokenMs: Quantiles | null;
  /** The 95th percentile is a fast answer, not a slow one. */
  readonly tokensPerSecond: Quantiles | null;
  readonly queueWaitMs: Quantiles | null;
}

export interface AnswerTotals extends AnswerRow {
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  /** Answers whose backend did not say how many tokens it used: the sums above are without them. */
  readonly uncounted: number;
}

export interface Grouped<Row> {
  readonly all: Row;
  readonly models: readonly Row[];
  readonly agents: readonly Row[];
  readonly backends: readonly Row[];
  readonly routes: readonly Row[];
}

export const severities = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof severities)[number];

/** An alert that fires or fired. */
export interface Alert {
  /** Of this firing; the same when it is resolved. */
  readonly id: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly state: 'firing' | 'resolved';
  /** For people; names no content of requests. */
  readonly message: string;
  /** What was measured last, in `unit`; null when there is no number to it. */
  readonly value: number | null;
  readonly threshold: number | null;
  readonly unit: 'ms' | 'bytes' | 'ratio' | 'count' | null;
  /** When the condition began to hold, and when it ended: ISO 8601, UTC. */
  readonly since: string;
  readonly until: string | null;
}

/** `GET /kith/v1/metrics`. */
export interface MetricsView {
  /** Length of the sliding window of `recent`, ms. */
  readonly windowMs: number;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly requests: {
    readonly active: number;
    /** Of clients, within the window. */
    readonly recent: { readonly all: number; readonly failed: number; readonly refused: number };
  };
  readonly recent: Grouped<AnswerRow>;
  readonly total: Grouped<AnswerTotals>;
  readonly alerts: { readonly firing: readonly Alert[]; readonly recent: readonly Alert[] };
}
