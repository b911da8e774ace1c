/**
 * Figures of answers as the page and the command line read them.
 *
 * @module server/metrics/view
 */
import type { Histogram } from '../../base/index.ts';
import { outcomes } from './answer-facts.ts';
import { type AnswerSet, type Group, type Grouping, groupsOf, type Measure, merged } from './answers.ts';
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
