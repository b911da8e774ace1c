/**
 * Everything that looks on: figures, the access log, traces and alerts, fed by one observer.
 *
 * @module server/metrics/observability
 */
import { totalmem } from 'node:os';
import { type Clock, type Ids, type Logger, messageOf } from '../../base/index.ts';
import type { AttemptRecord } from '../../gateway/index.ts';
import type { HealthFigures } from '../health/types.ts';
import type { AnswerKind, NodeStatus, Observer } from '../types.ts';
import { logRequest } from './access-log.ts';
import { type AlertSettings, alertRules, type Readings } from './alert-rules.ts';
import { type Alerts, createAlerts } from './alerts.ts';
import { type AnswerFacts, type AnswerListener, watchAnswer } from './answer-facts.ts';
import { AnswerFigures, groupsOf, type Measure, merged } from './answers.ts';
import { AttemptFigures } from './attempts.ts';
import type { Format } from './exposition.ts';
import { watchProcess } from './process.ts';
import { renderFigures } from './render.ts';
import { RequestFigures } from './requests.ts';
import { createRestartCount } from './restarts.ts';
import { createStatusReader } from './status-reader.ts';
import type { Traces } from './traces.ts';
import type { Alert, MetricsView } from './types.ts';
import type { VaultFigures } from './vault-figures.ts';
import { healthFigures, recentAnswers, totalAnswers } from './view.ts';
import { createWebhook } from './webhook.ts';

/** Length of the sliding window, ms. */
export const windowMs = 300_000;
/** Between two looks at the rules of alerts, ms. */
const periodMs = 10_000;
/** How long a scrape waits for the node's status, ms, and how long a look at the rules does. */
const scrapeMs = 1_000;
const lookMs = 5_000;
/** Where the answers to a request stand: on the request itself, so that they go when it goes. */
const made = Symbol('answers');
interface Answered {
  [made]?: AnswerFacts[];
}

export interface ObservabilityOptions {
  readonly version: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  /** Write the access log. */
  readonly access: boolean;
  /** Asked within a bound; may be slow or throw. */
  readonly status: () => Promise<NodeStatus>;
  /** @default nothing of the vault is known */
  readonly vault?: () => VaultFigures;
  /** Ids of models that exist whatever the status says: the configured ones. */
  readonly models: readonly string[];
  readonly alerts: AlertSettings & {
    readonly holdMs: number;
    /** Empty: alerts go to the log only. */
    readonly webhook: string;
    readonly webhookSecret: string;
  };
  readonly telemetry: { readonly otlpUrl: string; readonly headers: string; readonly sampleRatio: number };
}

export interface Observability extends AsyncDisposable {
  readonly observer: Observer;
  /** Counts the attempts of one answer. */
  attempts(attempts: readonly AttemptRecord[]): void;
  /** Begins to look at the node's status and at the rules of alerts. */
  start(): void;
  /** The figures as Prometheus or OpenMetrics text. Takes at most about a second. */
  text(format: Format): Promise<string>;
  view(): Promise<MetricsView>;
  /** What health tells of the last minutes. */
  health(): HealthFigures;
  readonly alerts: Alerts;
  /** Stops looking and sends what waits, for at most `ms`. */
  close(ms: number): Promise<void>;
}

export async function createObservability(options: ObservabilityOptions): Promise<Observability> {
  const { clock, ids, log, version } = options;
  const startedAt = clock.now();
  const requests = new RequestFigures(windowMs);
  const answers = new AnswerFigures(windowMs);
  const attempts = new AttemptFigures(windowMs);
  const loop = watchProcess();
  const reader = createStatusReader(options.status, clock);
  const restarts = createRestartCount();
  const known = new Set(options.models);
  const stopping = new AbortController();
  const accessLog = log.child('access');
  const webhook =
    options.alerts.webhook === ''
      ? null
      : createWebhook({
          url: options.alerts.webhook,
          secret: options.alerts.webhookSecret,
          version,
          clock,
          log: log.child('alerts'),
        });
  const traces = options.telemetry.otlpUrl === '' ? null : await tracesOf(options);
  const alerts = createAlerts({
    rules: alertRules(options.alerts, totalmem()),
    clock,
    ids,
    holdMs: options.alerts.holdMs,
    notify(alert, again) {
      tell(log.child('alerts'), alert, again);
      webhook?.send(alert, again);
    },
  });
  const listeners: readonly AnswerListener[] = traces === null ? [answers] : [answers, traces];

  const observer: Observer = {
    ...(traces === null ? {} : { begin: (id, request) => traces.begin(id, request) }),
    answer(exchange, kind, model) {
      const asked = model === null || model === 'default' ? byDefault(kind, options.models) : model;
      const id = asked !== undefined && known.has(asked) ? asked : null;
      const { facts, watch } = watchAnswer(exchange, kind, id, clock, listeners);
      const of = exchange.request as Answered;
      if (of[made] === undefined) of[made] = [facts];
      else of[made].push(facts);
      return watch;
    },
    request(facts) {
      requests.observe(facts, clock.monotonic());
      traces?.request(facts);
      if (options.access) logRequest(accessLog, facts, (facts.of as Answered)[made] ?? []);
    },
  };

  function recentP95(measure: Measure): number | null {
    const [all] = groupsOf(answers.sets, 'all');
    return all === undefined ? null : merged(all, measure, clock.monotonic()).quantile(0.95);
  }

  async function look(): Promise<void> {
    loop.tick();
    const { status, fresh } = await reader.read(lookMs);
    if (stopping.signal.aborted || status?.state === 'stopping') return;
    for (const { id } of status?.models ?? []) known.add(id);
    const now = clock.monotonic();
    const readings: Readings = {
      status: fresh ? status : null,
      requests: requests.recent(now),
      ttftP95Ms: recentP95('firstToken'),
      queueWaitP95Ms: recentP95('queueWait'),
      restarts: restarts.note(status?.engine.restarts ?? 0, now),
      loopDelayMs: loop.loop.p99,
    };
    alerts.evaluate(readings);
  }

  let looking = false;
  async function lookOverAndOver(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await look();
      } catch (error) {
        log.warn('figures could not be taken', { err: messageOf(error) });
      }
      await clock.sleep(periodMs, stopping.signal).catch(() => {});
    }
  }

  let closed: Promise<void> | null = null;
  const close = (ms: number): Promise<void> => {
    closed ??= (async () => {
      stopping.abort();
      loop[Symbol.dispose]();
      await Promise.all([webhook?.close(ms), traces?.close(ms)]);
    })();
    return closed;
  };

  return {
    observer,
    attempts: (of) => attempts.observe(of, clock.monotonic()),
    health: () => healthFigures(answers.sets, attempts, windowMs, clock.monotonic()),
    alerts,
    start() {
      if (looking) return;
      looking = true;
      void lookOverAndOver();
    },
    async text(format) {
      const { status, fresh } = await reader.read(scrapeMs);
      return renderFigures(
        {
          version,
          startedAt,
          now: clock.monotonic(),
          requests,
          answers,
          attempts,
          active: status?.requests.active ?? null,
          status,
          fresh,
          vault: options.vault?.() ?? null,
          loop: loop.loop,
          logLines: log.written,
          firing: alerts.firing,
          webhookFailures: webhook?.failures ?? 0,
          traceFailures: traces?.failures ?? 0,
        },
        format,
      );
    },
    async view() {
      const { status } = await reader.read(scrapeMs);
      const now = clock.monotonic();
      return {
        windowMs,
        startedAt: new Date(startedAt).toISOString(),
        requests: { active: status?.requests.active ?? 0, recent: requests.recent(now) },
        recent: recentAnswers(answers.sets, now),
        total: totalAnswers(answers.sets),
        alerts: { firing: alerts.firing, recent: alerts.recent },
      };
    },
    close,
    [Symbol.asyncDispose]: () => close(0),
  };
}

const levels = { info: 'info', warning: 'warn', critical: 'error' } as const;

function tell(log: Logger, alert: Alert, again: boolean): void {
  const { rule, severity, state, id, message, value, threshold, since } = alert;
  const level = state === 'resolved' ? 'info' : levels[severity];
  const fields = { alert: id, rule, severity, state, value, threshold, since, ...(again ? { again } : {}) };
  log[level](state === 'resolved' ? `over: ${message}` : message, fields);
}

async function tracesOf(options: ObservabilityOptions): Promise<Traces> {
  const { openTraces } = await import('./traces.ts');
  const { otlpUrl, headers, sampleRatio } = options.telemetry;
  const { version, clock } = options;
  return openTraces({
    url: otlpUrl,
    headers,
    sampleRatio,
    version,
    clock,
    log: options.log.child('traces'),
  });
}

/** The answer says which reranker it was. */
function byDefault(kind: AnswerKind, [chat, embedding]: readonly string[]): string | undefined {
  return kind === 'rerank' ? undefined : kind === 'embedding' ? embedding : chat;
}
