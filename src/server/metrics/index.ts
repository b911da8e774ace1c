/**
 * Figures, traces, access log and alerts: observers of requests and answers. They hold names, times and counts, never
 * what was asked or answered.
 *
 * @module server/metrics
 */
export { type AlertSettings, ruleNames } from './alert-rules.ts';
export { families } from './families.ts';
export { createObservability, type Observability, type ObservabilityOptions } from './observability.ts';
export { metricsRoutes } from './routes.ts';
export type { Alert, AnswerRow, AnswerTotals, Grouped, MetricsView, Quantiles, Severity } from './types.ts';
export type { VaultFigures } from './vault-figures.ts';
