/**
 * Figures of the node, in the document.
 *
 * @module server/openapi/metrics
 */
import { type Api, answer } from './operation.ts';
import {
  array,
  choice,
  count,
  described,
  milliseconds,
  nullable,
  number,
  object,
  pattern,
  ref,
  type Schema,
  string,
} from './schema.ts';

const moment = pattern('^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z$', '2026-11-21T12:00:00.000Z');
const quantiles = nullable(ref('Quantiles'));

const row = {
  name: described(
    '`all`, or the label; `none` without one, `other` for what came after their limit.',
    string,
  ),
  answers: described('Answers that came to their end.', count),
  durationMs: quantiles,
  timeToFirstTokenMs: quantiles,
  interTokenMs: quantiles,
  tokensPerSecond: quantiles,
  queueWaitMs: quantiles,
};

const grouped = (name: string): Schema =>
  object({
    all: ref(name),
    models: array(ref(name)),
    agents: array(ref(name)),
    backends: array(ref(name)),
    routes: array(ref(name)),
  });

const schemas: Readonly<Record<string, Schema>> = {
  Quantiles: object({ p50: number, p95: number, p99: number }),
  AnswerRow: object(row),
  AnswerTotals: object({
    ...row,
    outcomes: object({ ok: count, cancelled: count, refused: count, invalid: count, failed: count }),
    promptTokens: count,
    cachedTokens: count,
    completionTokens: count,
    uncounted: described('Answers whose backend did not say how many tokens it used.', count),
  }),
  Alert: object({
    id: string,
    rule: string,
    severity: choice('info', 'warning', 'critical'),
    state: choice('firing', 'resolved'),
    message: string,
    value: nullable(number),
    threshold: nullable(number),
    unit: { enum: ['ms', 'bytes', 'ratio', 'count', null] },
    since: moment,
    until: nullable(moment),
  }),
  Metrics: object({
    windowMs: milliseconds,
    startedAt: moment,
    requests: object({
      active: count,
      recent: object({ all: count, failed: count, refused: count }),
    }),
    recent: described('Answers within the last `windowMs`.', grouped('AnswerRow')),
    total: described('Answers since the start.', grouped('AnswerTotals')),
    alerts: object({ firing: array(ref('Alert')), recent: array(ref('Alert')) }),
  }),
};

export const metricsApi: Api = {
  tag: 'Metrics',
  description: 'Figures of requests, answers and the engine.',
  schemas,
  operations: [
    {
      method: 'get',
      path: '/metrics',
      id: 'metrics',
      summary: 'Metrics for Prometheus',
      description: 'OpenMetrics 1.0 when `accept` names `application/openmetrics-text`.',
      scope: 'monitor',
      answers: {
        '200': {
          description: 'Metrics in text.',
          content: {
            'text/plain': { schema: string },
            'application/openmetrics-text': { schema: string },
          },
        },
      },
      error: 'OpenAiError',
    },
    {
      method: 'get',
      path: '/kith/v1/metrics',
      id: 'kithMetrics',
      summary: 'Quantiles of answers by model, agent, backend and route; alerts',
      scope: 'monitor',
      answers: { '200': answer('The figures.', ref('Metrics')) },
      error: 'OpenAiError',
    },
  ],
};
