/**
 * Puts the figures into the families of `families.ts`.
 *
 * @module server/metrics/render
 */
import type { Histogram, LogLevel } from '../../base/index.ts';
import type { NodeStatus } from '../types.ts';
import { ruleNames } from './alert-rules.ts';
import { outcomes } from './answer-facts.ts';
import { type AnswerFigures, type AnswerSet, groupings, groupsOf, type Measure, merged } from './answers.ts';
import type { AttemptFigures } from './attempts.ts';
import { Exposition, type Family, type Format } from './exposition.ts';
import { families } from './families.ts';
import type { LoopDelay } from './process.ts';
import type { RequestFigures } from './requests.ts';
import type { Alert } from './types.ts';
import { type VaultFigures, writeVault } from './vault-figures.ts';
import { round } from './view.ts';

export interface Figures {
  readonly version: string;
  /** Unix time, ms. */
  readonly startedAt: number;
  /** Monotonic ms. */
  readonly now: number;
  readonly requests: RequestFigures;
  readonly answers: AnswerFigures;
  readonly attempts: AttemptFigures;
  readonly active: number | null;
  /** What the node told last; null before it told anything. */
  readonly status: NodeStatus | null;
  /** False when that is old, because it did not tell in time. */
  readonly fresh: boolean;
  readonly vault: VaultFigures | null;
  readonly loop: LoopDelay;
  readonly logLines: Readonly<Record<LogLevel, number>>;
  readonly firing: readonly Alert[];
  readonly webhookFailures: number;
  readonly traceFailures: number;
}

const powers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => 2 ** (from + index));

/** Bounds in ms (tokens per second for `rate`): powers of two, which the histograms count exactly. */
const bounds = {
  request: powers(0, 19),
  duration: powers(3, 19),
  firstToken: powers(1, 17),
  interToken: powers(-1, 12),
  queue: powers(0, 16),
  work: powers(0, 19),
  rate: powers(-1, 13),
} as const;

const quantiles = [0.5, 0.95, 0.99] as const;
const seconds = 0.001;

export function renderFigures(figures: Figures, format: Format): string {
  const out = new Exposition(format);
  writeRequests(out, figures);
  writeAnswers(out, figures);
  writeRecent(out, figures);
  writeNode(out, figures);
  writeSwarm(out, figures);
  writeVault(out, figures.vault);
  writeProcess(out, figures);
  return out.text();
}

function writeRequests(out: Exposition, { requests, active }: Figures): void {
  out.family(families.requests);
  for (const { count, route, method, status, code } of requests.sets)
    out.sample(count, { route, method, status, code });
  out.family(families.requestDuration);
  for (const { duration, route, method } of requests.routes)
    out.histogram(duration.total, bounds.request, seconds, { route, method });
  out.family(families.received);
  for (const { bytesIn, route, method } of requests.routes) out.sample(bytesIn, { route, method });
  out.family(families.sent);
  for (const { bytesOut, route, method } of requests.routes) out.sample(bytesOut, { route, method });
  out.family(families.active).sample(active);
  out.family(families.limited);
  for (const [code, count] of requests.limited) out.sample(count, { code });
}

function writeAnswers(out: Exposition, { answers }: Figures): void {
  const sets = [...answers.sets];
  out.family(families.answers);
  for (const set of sets)
    for (const outcome of outcomes)
      if (set.outcomes[outcome] > 0) out.sample(set.outcomes[outcome], { ...set.labels, outcome });
  const histogram = (
    family: Family,
    of: (set: AnswerSet) => Histogram,
    limits: readonly number[],
    scale = seconds,
  ) => {
    out.family(family);
    for (const set of sets) if (of(set).count > 0) out.histogram(of(set), limits, scale, { ...set.labels });
  };
  histogram(families.answerDuration, (set) => set.duration.total, bounds.duration);
  histogram(families.firstToken, (set) => set.firstToken.total, bounds.firstToken);
  histogram(families.interToken, (set) => set.interToken.total, bounds.interToken);
  histogram(families.tokenRate, (set) => set.tokenRate.total, bounds.rate, 1);
  histogram(families.queueWait, (set) => set.queueWait.total, bounds.queue);
  histogram(families.prefill, (set) => set.prefill, bounds.work);
  histogram(families.decode, (set) => set.decode, bounds.work);
  const counter = (family: Family, of: (set: AnswerSet) => number) => {
    out.family(family);
    for (const set of sets) out.sample(of(set), { ...set.labels });
  };
  counter(families.promptTokens, (set) => set.promptTokens);
  counter(families.cachedTokens, (set) => set.cachedTokens);
  counter(families.completionTokens, (set) => set.completionTokens);
  counter(families.uncounted, (set) => set.uncounted);
  // Sums of doubles end in digits that no price has.
  counter(families.cost, (set) => Number(set.cost.toFixed(9)));
  counter(families.unpriced, (set) => set.unpriced);
}

function writeRecent(out: Exposition, { answers, requests, now }: Figures): void {
  const groups = groupings.flatMap((by) => groupsOf(answers.sets, by));
  const recent = (family: Family, measure: Measure, scale: number) => {
    out.family(family);
    for (const group of groups) {
      const histogram = merged(group, measure, now);
      if (histogram.count === 0) continue;
      for (const q of quantiles)
        out.sample(round(histogram.quantile(q)! * scale), {
          by: group.by,
          name: group.name,
          quantile: String(q),
        });
    }
  };
  recent(families.recentDuration, 'duration', seconds);
  recent(families.recentFirstToken, 'firstToken', seconds);
  recent(families.recentInterToken, 'interToken', seconds);
  recent(families.recentTokenRate, 'tokenRate', 1);
  recent(families.recentQueueWait, 'queueWait', seconds);
  out.family(families.recentRequests);
  for (const { duration, route, method } of requests.routes) {
    const histogram = duration.recent(now);
    if (histogram.count === 0) continue;
    for (const q of quantiles)
      out.sample(round(histogram.quantile(q)! * seconds), { route, method, quantile: String(q) });
  }
}

const nodeStates = ['starting', 'ready', 'degraded', 'stopping'] as const;
const breakerStates = { closed: 0, half_open: 1, open: 2 } as const;

function writeNode(out: Exposition, figures: Figures): void {
  const { status, fresh } = figures;
  const loaded = status?.loaded ?? [];
  const perModel = (family: Family, of: (model: (typeof loaded)[number]) => number | null) => {
    out.family(family);
    for (const model of loaded) out.sample(of(model), { model: model.id });
  };
  // Old figures of the engine are worse than none.
  const now = (value: number | null | undefined): number | null => (fresh ? (value ?? null) : null);
  perModel(families.sequencesActive, ({ work }) => now(work?.active));
  perModel(families.sequencesWaiting, ({ work }) => now(work?.waiting));
  perModel(families.kvCells, ({ kvCells }) => kvCells);
  perModel(families.kvCellsUsed, ({ work }) => now(work?.usedCells));
  perModel(families.kvCellsCached, ({ work }) => now(work?.cachedCells));
  out.family(families.modelsLoaded).sample(status === null ? null : loaded.length);
  out.family(families.modelBytes);
  for (const { id, weightBytes, kvBytes } of loaded)
    out.sample(weightBytes, { model: id, kind: 'weights' }).sample(kvBytes, { model: id, kind: 'kv' });
  const engine = status?.engine ?? null;
  out.family(families.engineUp).sample(engine === null ? null : Number(engine.state === 'running'));
  const told = fresh && (loaded.length === 0 || loaded.some(({ work }) => work !== null));
  out.family(families.engineAnswers).sample(Number(told));
  out.family(families.engineRestarts).sample(engine?.restarts ?? null);
  out.family(families.engineMemory).sample(status?.memory.engine ?? null);
  out.family(families.attempts);
  for (const { backend, outcome, error, count } of figures.attempts.sets)
    out.sample(count, { backend, outcome, error });
  out.family(families.breaker);
  for (const { backend, breaker } of status?.backends ?? [])
    out.sample(breakerStates[breaker.state], { backend });
  out.family(families.nodeState);
  if (status !== null) for (const state of nodeStates) out.sample(Number(status.state === state), { state });
  out.family(families.diskFree).sample(status?.diskFree ?? null);
}

/** Without a swarm the families stand there empty. */
function writeSwarm(out: Exposition, { status }: Figures): void {
  const swarm = status === null || status.swarm.state === 'off' ? null : status.swarm;
  const counters = swarm?.counters ?? null;
  out.family(families.swarmUp).sample(swarm === null ? null : Number(swarm.state === 'running'));
  out.family(families.swarmConnections).sample(counters?.connections ?? null);
  out.family(families.swarmBytesInFlight).sample(counters?.bytesInFlight ?? null);
  out.family(families.swarmRecords).sample(swarm?.records ?? null);
  out.family(families.swarmPeers).sample(swarm?.peers ?? null);
  out.family(families.swarmUnread).sample(swarm?.unread ?? null);
  const both = (family: Family, into: number | undefined, from: number | undefined) =>
    out
      .family(family)
      .sample(into ?? null, { direction: 'in' })
      .sample(from ?? null, { direction: 'out' });
  both(families.swarmBytes, counters?.bytesIn, counters?.bytesOut);
  both(families.swarmFrames, counters?.framesIn, counters?.framesOut);
  both(families.swarmCalls, counters?.callsIn, counters?.callsOut);
  both(families.swarmSessions, counters?.sessionsIn, counters?.sessionsOut);
  both(families.swarmLanes, counters?.lanesIn, counters?.lanesOut);
  out
    .family(families.swarmRefused)
    .sample(counters?.refusedConnections ?? null, { what: 'connection' })
    .sample(counters?.refusedRequests ?? null, { what: 'request' })
    .sample(counters?.gossipRefused ?? null, { what: 'gossip' });
  out.family(families.swarmGossip).sample(counters?.gossipIn ?? null);
  out.family(families.swarmMisbehaviours).sample(counters?.misbehaviours ?? null);
  out.family(families.swarmRestarts).sample(counters?.restarts ?? null);
}

function writeProcess(out: Exposition, figures: Figures): void {
  out.family(families.logLines);
  for (const [level, count] of Object.entries(figures.logLines)) out.sample(count, { level });
  out.family(families.alertsFiring);
  for (const { name, severity } of ruleNames)
    out.sample(Number(figures.firing.some(({ rule }) => rule === name)), { rule: name, severity });
  out.family(families.webhookDropped).sample(figures.webhookFailures);
  out.family(families.spansLost).sample(figures.traceFailures);
  out.family(families.build).sample(1, { version: figures.version, node: process.versions.node });
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  out.family(families.startTime).sample(Math.round(figures.startedAt) / 1000);
  out.family(families.cpu).sample((user + system) / 1e6);
  out.family(families.memory).sample(rss);
  out.family(families.heapUsed).sample(heapUsed);
  out.family(families.heapTotal).sample(heapTotal);
  out.family(families.external).sample(external);
  out.family(families.loopP50).sample(figures.loop.p50 / 1000);
  out.family(families.loopP99).sample(figures.loop.p99 / 1000);
  out.family(families.loopMax).sample(figures.loop.max / 1000);
}
