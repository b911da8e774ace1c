/**
 * Runs of answers, and of searches for a file of questions, as lines of JSON: each with the question's id and its values by measure, so
 * that a later run can be compared with it question by question.
 *
 * @module knowledge/evaluate/saved
 */
import { z } from 'zod';
import { InputError, LimitError, type Random } from '../../base/index.ts';
import type { AnswerJudged } from './answers.ts';
import { type Comparison, compare } from './bootstrap.ts';
import { RUN_LIMITS } from './runs.ts';

/** Values of each question by measure; a measure that says nothing of a question is not there. */
export type SavedRun = ReadonlyMap<string, Readonly<Record<string, number>>>;

const MOST_QUESTIONS = 200_000;
const line = z.object({
  id: z.string().min(1).max(2000),
  values: z
    .record(z.string().min(1).max(100), z.number())
    .refine((values) => Object.keys(values).length <= 100),
});

/** @throws InputError `run_invalid` naming the line; LimitError `evaluate.run` */
export function readSavedRun(text: string): SavedRun {
  if (text.length > RUN_LIMITS.characters) throw tooMuch(RUN_LIMITS.characters);
  const run = new Map<string, Readonly<Record<string, number>>>();
  let at = 0;
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf('\n', from);
    const row = text.slice(from, end < 0 ? text.length : end).trim();
    from = end < 0 ? text.length : end + 1;
    at++;
    if (row === '') continue;
    if (run.size >= MOST_QUESTIONS) throw tooMuch(MOST_QUESTIONS);
    const parsed = line.safeParse(jsonOf(row));
    if (!parsed.success || run.has(parsed.data.id))
      throw new InputError(
        'run_invalid',
        `Line ${at} of the run cannot be used: each must be JSON with an \`id\` of its own and \`values\`, as --write makes it.`,
      );
    run.set(parsed.data.id, parsed.data.values);
  }
  return run;
}

/** Of an answer: what can be said of it alone. */
export function answerValues(judged: AnswerJudged): Record<string, number> {
  const { answerable, outcome, keywords, citations, supported, sentences, cited, reached, ms } = judged;
  const isRefused = outcome === 'refused';
  const values: Record<string, number> = { ms };
  if (!answerable) {
    values.refused = isRefused ? 1 : 0;
    return values;
  }
  values.answered = isRefused ? 0 : 1;
  if (keywords !== null && keywords.groups > 0) values.keywords = keywords.hits / keywords.groups;
  if (judged.judged > 0) values['documents cited'] = reached / judged.judged;
  if (isRefused) return values;
  values.characters = judged.characters;
  if (citations > 0) values['citation precision'] = supported / citations;
  if (sentences > 0) values['citation recall'] = cited / sentences;
  return values;
}

export interface RunComparison {
  /** By measure, over the questions of which both runs have a value. */
  readonly measures: Readonly<Record<string, Comparison>>;
  /** Questions in both, and in one alone. */
  readonly both: number;
  readonly onlyNow: number;
  readonly onlyBefore: number;
}

/** @param random a new one for each measure @throws InputError `comparison_invalid` when no question is in both */
export function compareRuns(now: SavedRun, before: SavedRun, random: () => Random): RunComparison {
  const shared = [...now.keys()].filter((id) => before.has(id));
  if (shared.length === 0)
    throw new InputError(
      'comparison_invalid',
      'The other run has none of these questions: compare runs of one set, with the same ids.',
    );
  const names = new Set(shared.flatMap((id) => Object.keys(now.get(id)!)));
  const measures: Record<string, Comparison> = {};
  for (const name of names) {
    const pairs = shared.flatMap((id) => {
      const [ours, theirs] = [now.get(id)![name], before.get(id)![name]];
      return ours === undefined || theirs === undefined ? [] : [[ours, theirs] as const];
    });
    if (pairs.length > 0)
      measures[name] = compare(
        pairs.map(([ours]) => ours),
        pairs.map(([, theirs]) => theirs),
        { random: random() },
      );
  }
  return {
    ...{ measures, both: shared.length },
    ...{ onlyNow: now.size - shared.length, onlyBefore: before.size - shared.length },
  };
}

function jsonOf(row: string): unknown {
  try {
    return JSON.parse(row);
  } catch {
    return null;
  }
}

function tooMuch(most: number): LimitError {
  return new LimitError('evaluate.run', most, `The run is longer than ${most} characters or questions.`, {
    status: 413,
  });
}
