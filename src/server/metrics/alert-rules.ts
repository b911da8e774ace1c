/**
 * What the node warns of, and when. Messages are fixed texts with numbers in them: nothing that a request or an error
 * said can get into one.
 *
 * @module server/metrics/alert-rules
 */
import { formatBytes, formatDuration, formatPercent, formatPlural } from '../../base/index.ts';
import type { NodeStatus } from '../types.ts';
import type { Alert, Severity } from './types.ts';

export interface AlertSettings {
  /** Shares, 0 to 1. For this and all thresholds 0 switches the rule off. */
  readonly errorRate: number;
  readonly refusedRate: number;
  readonly ttftP95Ms: number;
  readonly queueWaitP95Ms: number;
  readonly engineRestarts: number;
  readonly diskFreeBytes: number;
  /** Null: 90 % of the machine's memory. */
  readonly memoryBytes: number | null;
  readonly loopDelayMs: number;
}

/** What the rules look at. */
export interface Readings {
  /** Null when the node could not tell within the bound. */
  readonly status: NodeStatus | null;
  /** Requests of clients in the window. */
  readonly requests: { readonly all: number; readonly failed: number; readonly refused: number };
  /** Null without answers in the window. */
  readonly ttftP95Ms: number | null;
  readonly queueWaitP95Ms: number | null;
  /** Restarts of the engine process in the last 10 minutes. */
  readonly restarts: number;
  readonly loopDelayMs: number;
}

export interface Rule {
  readonly name: string;
  readonly severity: Severity;
  readonly unit: Alert['unit'];
  /** The condition holds over (or, with `under`, below) this. */
  readonly threshold: number;
  readonly under?: boolean;
  /** Null: there is nothing to measure, which is well. Undefined: unknown, which changes nothing. */
  read(readings: Readings): number | null | undefined;
  message(value: number, threshold: number): string;
}

/** Fewer requests than these have no rate. */
const fewRequests = 20;

type Numeric = Omit<Rule, 'threshold'> & { readonly threshold: number | null };

/** The rules that are switched on. `memoryTotal`: bytes of the machine. */
export function alertRules(settings: AlertSettings, memoryTotal: number): Rule[] {
  const share = (part: number, all: number) => (all < fewRequests ? null : part / all);
  const ms = (value: number) => formatDuration(value);
  const numeric: Numeric[] = [
    {
      name: 'error_rate',
      severity: 'critical',
      unit: 'ratio',
      threshold: settings.errorRate,
      read: ({ requests }) => share(requests.failed, requests.all),
      message: (value, limit) =>
        `The node failed ${formatPercent(value)} of the requests of the last 5 minutes (alerts.errorRate ${formatPercent(limit)}).`,
    },
    {
      name: 'refused_rate',
      severity: 'warning',
      unit: 'ratio',
      threshold: settings.refusedRate,
      read: ({ requests }) => share(requests.refused, requests.all),
      message: (value, limit) =>
        `${formatPercent(value)} of the requests of the last 5 minutes were refused with 429, 503 or 529 (alerts.refusedRate ${formatPercent(limit)}).`,
    },
    {
      name: 'ttft_p95',
      severity: 'warning',
      unit: 'ms',
      threshold: settings.ttftP95Ms,
      read: ({ ttftP95Ms }) => ttftP95Ms,
      message: (value, limit) =>
        `One answer in twenty takes ${ms(value)} or more to its first token (alerts.ttftP95Ms ${ms(limit)}).`,
    },
    {
      name: 'queue_wait_p95',
      severity: 'warning',
      unit: 'ms',
      threshold: settings.queueWaitP95Ms,
      read: ({ queueWaitP95Ms }) => queueWaitP95Ms,
      message: (value, limit) =>
        `One answer in twenty waits ${ms(value)} or more for its place (alerts.queueWaitP95Ms ${ms(limit)}).`,
    },
    {
      name: 'engine_restarts',
      severity: 'warning',
      unit: 'count',
      // At the number itself, not only over it.
      threshold: settings.engineRestarts === 0 ? 0 : settings.engineRestarts - 0.5,
      read: ({ restarts, status }) => (status === null ? undefined : restarts),
      message: (value) =>
        `The engine process was started again ${formatPlural(value, 'time')} in the last 10 minutes.`,
    },
    {
      name: 'disk_free',
      severity: 'critical',
      unit: 'bytes',
      threshold: settings.diskFreeBytes,
      under: true,
      read: ({ status }) => status?.diskFree ?? undefined,
      message: (value, limit) =>
        `Only ${formatBytes(value)} are free on the disk of the node's home (alerts.diskFreeBytes ${formatBytes(limit)}).`,
    },
    {
      name: 'memory',
      severity: 'warning',
      unit: 'bytes',
      threshold: settings.memoryBytes ?? Math.round(memoryTotal * 0.9),
      read: ({ status }) => (status === null ? undefined : status.memory.node + (status.memory.engine ?? 0)),
      message: (value, limit) =>
        `The node and its engine hold ${formatBytes(value)} of memory (alerts.memoryBytes ${formatBytes(limit)}).`,
    },
    {
      name: 'event_loop',
      severity: 'warning',
      unit: 'ms',
      threshold: settings.loopDelayMs,
      read: ({ loopDelayMs }) => loopDelayMs,
      message: (value, limit) =>
        `The node's event loop is ${ms(value)} late (alerts.loopDelayMs ${ms(limit)}).`,
    },
  ];
  const on = numeric.filter((rule): rule is Rule => rule.threshold !== null && rule.threshold > 0);
  return [...on, ...stateRules];
}

/** 1 while it is so, null while it is not. */
const when = (is: boolean | undefined): number | null | undefined =>
  is === undefined ? undefined : is ? 1 : null;

const stateRules: readonly Rule[] = [
  {
    name: 'engine_restarted',
    severity: 'info',
    unit: null,
    threshold: 0,
    read: ({ restarts, status }) => (status === null ? undefined : when(restarts > 0)),
    message: () => 'The engine process died in the last 10 minutes and was started again.',
  },
  {
    name: 'engine_breaker',
    severity: 'critical',
    unit: null,
    threshold: 0,
    read: ({ status }) =>
      status === null
        ? undefined
        : when(
            status.backends.length > 0 && status.backends.every(({ breaker }) => breaker.state === 'open'),
          ),
    message: () =>
      'The breakers of all backends are open: they failed too often and refuse requests for a while.',
  },
  {
    name: 'backend_down',
    severity: 'warning',
    unit: null,
    threshold: 0,
    read: ({ status }) =>
      status === null
        ? undefined
        : when(
            status.backends.length > 1 &&
              status.backends.some(({ answers, breaker }) => answers === false || breaker.state === 'open'),
          ),
    message: () =>
      'A backend does not answer, or its breaker is open; others do. `kith backends list` says which.',
  },
  {
    name: 'engine_silent',
    severity: 'critical',
    unit: null,
    threshold: 0,
    read: ({ status }) => {
      if (status === null) return 1;
      // While a model is loaded, native code may hold the engine's thread.
      if (status.state === 'starting') return undefined;
      return when(status.loaded.length > 0 && status.loaded.every(({ work }) => work === null));
    },
    message: () => 'The engine process does not answer.',
  },
  {
    name: 'node_degraded',
    severity: 'critical',
    unit: null,
    threshold: 0,
    read: ({ status }) => (status === null ? undefined : when(status.state === 'degraded')),
    message: () =>
      'The node is degraded, for example because a default model did not load; `kith status` says why.',
  },
];

/** Names and severities of every rule, whatever is switched on. */
export const ruleNames: readonly { readonly name: string; readonly severity: Severity }[] = alertRules(
  {
    errorRate: 1,
    refusedRate: 1,
    ttftP95Ms: 1,
    queueWaitP95Ms: 1,
    engineRestarts: 1,
    diskFreeBytes: 1,
    memoryBytes: 1,
    loopDelayMs: 1,
  },
  1,
).map(({ name, severity }) => ({ name, severity }));
