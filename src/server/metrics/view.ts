/**
 * Figures of answers as the page and the command line read them.
 *
 * @module server/metrics/view
 */
import type { Histogram } from '../../base/index.ts';
import type { HealthFigures, HealthRow } from '../health/types.ts';
import { outcomes } from './answer-facts.ts';
import { type AnswerSet, type Group, type Grouping, groupsOf, type Measure, merged } from './answers.ts';
import type { AttemptFigures } from './attempts.ts';
import type { AnswerRow, AnswerTotals, Grouped, Quantiles } from './types.ts';

export function quantilesOf(histogram: Histogram): Quantiles | null {
  if (histogram.count === 0) return null;
  const at = (q: number): number => round(histogram.quantile(q)!);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/** Three significant digits: the buckets tell no more. */
export function round(value: number): number {
  return Number(value.toPrecision(3));
}

/** Within the window that ends at `now` (monotonic ms). Groups without answers in it are left out. */
export function recentAnswers(sets: Iterable<AnswerSet>, now: number): Grouped<AnswerRow> {
  return grouped([...sets], (group) => rowOf(group, now), hasFigures);
}

export function totalAnswers(sets: Iterable<AnswerSet>): Grouped<AnswerTotals> {
  return grouped([...sets], totalsOf, () => true);
}

/** Rows of each kind, and errors of each row, that health tells; the rest is in the figures themselves. */
const maxRows = 20;
const maxErrors = 10;
const maxAttempts = 100;

/** What health tells of the window that ends at `now` (monotonic ms): the busiest of each kind. */
export function healthFigures(
  sets: Iterable<AnswerSet>,
  attempts: AttemptFigures,
  windowMs: number,
  now: number,
): HealthFigures {
  const all = [...sets];
  const rows = (by: Grouping): HealthRow[] =>
    groupsOf(all, by)
      .map((group) => healthRow(group, now))
      .filter(
        ({ answers, errors, time_to_first_token_ms: first }) =>
          answers > 0 || errors.length > 0 || first !== null,
      )
      .sort((a, b) => b.answers - a.answers || a.name.localeCompare(b.name))
      .slice(0, maxRows);
  return {
    window_s: windowMs / 1000,
    models: rows('model'),
    agents: rows('agent'),
    backends: rows('backend'),
    attempts: attempts.recent(now, maxAttempts),
  };
}

function healthRow(group: Group, now: number): HealthRow {
  const of = (measure: Measure) => merged(group, measure, now);
  const duration = of('duration');
  const errors = new Map<string, number>();
  for (const set of group.sets) set.errors.addRecent(errors, now);
  return {
    name: group.name,
    answers: duration.count,
    duration_ms: quantilesOf(duration),
    time_to_first_token_ms: quantilesOf(of('firstToken')),
    tokens_per_second: quantilesOf(of('tokenRate')),
    errors: [...errors]
      .map(([code, count]) => ({ code, count }))
      .sort((a, b) => b.count - a.count || a.code.localeCompare(b.code))
      .slice(0, maxErrors),
  };
}

function hasFigures(row: AnswerRow): boolean {
  return row.answers > 0 || row.timeToFirstTokenMs !== null || row.interTokenMs !== null;
}

function grouped<Row extends AnswerRow>(
  sets: readonly AnswerSet[],
  rowFor: (group: Group) => Row,
  keep: (row: Row) => boolean,
): Grouped<Row> {
  const rows = (by: Grouping) =>
    groupsOf(sets, by)
      .map(rowFor)
      .filter(keep)
      .sort((a, b) => b.answers - a.answers || a.name.localeCompare(b.name));
  return {
    all: rowFor({ by: 'all', name: 'all', sets }),
    models: rows('model'),
    agents: rows('agent'),
    backends: rows('backend'),
    routes: rows('route'),
  };
}

function rowOf(group: Group, now: number | null): AnswerRow {
  const of = (measure: Measure) => merged(group, measure, now);
  const duration = of('duration');
  return {
    name: group.name,
    answers: duration.count,
    durationMs: quantilesOf(duration),
    timeToFirstTokenMs: quantilesOf(of('firstToken')),
    interTokenMs: quantilesOf(of('interToken')),
    tokensPerSecond: quantilesOf(of('tokenRate')),
    queueWaitMs: quantilesOf(of('queueWait')),
  };
}

function totalsOf(group: Group): AnswerTotals {
  const sum = (value: (set: AnswerSet) => number) => group.sets.reduce((total, set) => total + value(set), 0);
  return {
    ...rowOf(group, null),
    outcomes: Object.fromEntries(
      outcomes.map((outcome) => [outcome, sum((set) => set.outcomes[outcome])]),
    ) as AnswerTotals['outcomes'],
    promptTokens: sum((set) => set.promptTokens),
    cachedTokens: sum((set) => set.cachedTokens),
    completionTokens: sum((set) => set.completionTokens),
    uncounted: sum((set) => set.uncounted),
  };
}
