/**
 * What questions cost: time, models that were asked, their tokens and money. The question's own vector is not counted as a model asked.
 *
 * @module knowledge/evaluate/spending
 */
import { quantile } from './judge.ts';

/** A model that was asked once. Null: it did not say, or nothing came of it. */
export interface ModelCall {
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly cost: number | null;
}

/** On one question. A sum is null when a part of it is unknown. */
export interface Spent extends ModelCall {
  readonly ms: number;
  readonly calls: number;
}

export function spentOn(ms: number, calls: readonly ModelCall[]): Spent {
  return { ms, calls: calls.length, ...sumsOf(calls) };
}

/** On a question in the mean, and what it took in time. Null: of some question it is unknown, or there is none. */
export interface Spending {
  readonly questions: number;
  readonly msMean: number | null;
  readonly msP50: number | null;
  readonly msP95: number | null;
  readonly calls: number | null;
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly cost: number | null;
}

export function spendingOf(all: readonly Spent[]): Spending {
  const count = all.length;
  const mean = (sum: number | null): number | null => (count === 0 || sum === null ? null : sum / count);
  const times = all.map(({ ms }) => ms);
  const { promptTokens, completionTokens, cost } = sumsOf(all);
  return {
    questions: count,
    msMean: mean(times.reduce((a, b) => a + b, 0)),
    msP50: count === 0 ? null : quantile(times, 0.5),
    msP95: count === 0 ? null : quantile(times, 0.95),
    calls: mean(all.reduce((sum, { calls }) => sum + calls, 0)),
    ...{ promptTokens: mean(promptTokens), completionTokens: mean(completionTokens), cost: mean(cost) },
  };
}

function sumsOf(all: readonly ModelCall[]): ModelCall {
  const sum = (name: keyof ModelCall): number | null =>
    all.reduce<number | null>(
      (whole, { [name]: part }) => (whole === null || part === null ? null : whole + part),
      0,
    );
  return {
    promptTokens: sum('promptTokens'),
    completionTokens: sum('completionTokens'),
    cost: sum('cost'),
  };
}
