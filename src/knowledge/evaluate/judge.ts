/**
 * A run against the judgements of a set: each measure for each question, their means, and what it cost.
 *
 * @module knowledge/evaluate/judge
 */
import type { JudgedSet } from './judged-set.ts';
import { MEASURES, type Measure, measure } from './measures.ts';
import type { Run } from './runs.ts';

export interface Verdict {
  /** Of the questions with something to find; one that the run does not answer counts as 0. */
  readonly questions: readonly string[];
  readonly means: ReadonlyMap<Measure, number>;
  /** By measure, in the order of `questions`. */
  readonly values: ReadonlyMap<Measure, readonly number[]>;
}

export function judge(
  run: Run,
  set: Pick<JudgedSet, 'judgements' | 'questions'>,
  measures: readonly Measure[] = MEASURES,
): Verdict {
  const questions = set.questions.map(({ id }) => id);
  const values = new Map<Measure, readonly number[]>();
  const means = new Map<Measure, number>();
  for (const name of measures) {
    const each = questions.map((id) =>
      measure(
        name,
        (run.get(id) ?? []).map((found) => found.id),
        set.judgements.get(id)!,
      ),
    );
    values.set(name, each);
    means.set(name, each.length === 0 ? 0 : each.reduce((a, b) => a + b, 0) / each.length);
  }
  return { questions, means, values };
}

/** What a run cost, beside its quality. */
export interface Cost {
  /** Seconds to take in 1,000 chunks, vectors included. */
  readonly secondsPerThousand: number;
  /** ms of a question. */
  readonly p50: number;
  readonly p95: number;
  /** Bytes on the disk, and of memory for the search, for 1,000 chunks. */
  readonly diskPerThousand: number;
  readonly memoryPerThousand: number;
}

/** The value that a share q of all are at or under (nearest rank). */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
}

export function costOf(measured: {
  readonly chunks: number;
  readonly indexMs: number;
  readonly queryMs: readonly number[];
  readonly diskBytes: number;
  readonly memoryBytes: number;
}): Cost {
  const thousands = measured.chunks / 1000;
  return {
    secondsPerThousand: measured.indexMs / 1000 / thousands,
    p50: quantile(measured.queryMs, 0.5),
    p95: quantile(measured.queryMs, 0.95),
    diskPerThousand: measured.diskBytes / thousands,
    memoryPerThousand: measured.memoryBytes / thousands,
  };
}
