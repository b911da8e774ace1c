/**
 * Runs in TREC form: a line is `question Q0 document rank score tag`, which other tools judge and compare.
 *
 * @module knowledge/evaluate/runs
 */
import { InputError, LimitError } from '../../base/index.ts';

export interface Found {
  readonly id: string;
  readonly score: number;
}

/** What was found for each question, best first. */
export type Run = ReadonlyMap<string, readonly Found[]>;

export const RUN_LIMITS = { characters: 1 << 28, lines: 5_000_000 } as const;

/** @throws InputError `run_invalid` for ids that the form cannot hold */
export function writeRun(run: Run, tag: string): string {
  const parts: string[] = [];
  for (const [question, found] of run) {
    found.forEach(({ id, score }, i) => {
      for (const each of [question, id, tag]) {
        if (each === '' || /\s/.test(each))
          throw new InputError(
            'run_invalid',
            `${JSON.stringify(each)} cannot stand in a run in TREC form: ids and names must not be empty or have spaces.`,
          );
      }
      parts.push(`${question} Q0 ${id} ${i + 1} ${score} ${tag}\n`);
    });
  }
  return parts.join('');
}

/**
 * Documents are ordered as trec_eval orders them: by score, and by id from the last to the first where scores are equal; ranks
 * of the file do not count.
 *
 * @throws InputError `run_invalid` naming the line; LimitError `evaluate.run`
 */
export function readRun(text: string): Run {
  if (text.length > RUN_LIMITS.characters) throw tooMuch(RUN_LIMITS.characters);
  const run = new Map<string, Map<string, number>>();
  let line = 0;
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf('\n', from);
    const row = text.slice(from, end < 0 ? text.length : end).trim();
    from = end < 0 ? text.length : end + 1;
    if (++line > RUN_LIMITS.lines) throw tooMuch(RUN_LIMITS.lines);
    if (row === '') continue;
    const cells = row.split(/\s+/);
    const [question, , id] = cells;
    const score = Number(cells[4]);
    if (cells.length !== 6 || question === undefined || id === undefined || !Number.isFinite(score))
      throw new InputError(
        'run_invalid',
        `Line ${line} of the run cannot be used: it must be "question Q0 document rank score name".`,
      );
    const found = run.get(question) ?? new Map<string, number>();
    if (found.has(id))
      throw new InputError(
        'run_invalid',
        `Line ${line} of the run names ${JSON.stringify(id)} again for its question.`,
      );
    found.set(id, score);
    run.set(question, found);
  }
  return new Map(
    [...run].map(([question, found]) => [
      question,
      [...found]
        .map(([id, score]): Found => ({ id, score }))
        .sort((a, b) => b.score - a.score || (a.id < b.id ? 1 : -1)),
    ]),
  );
}

function tooMuch(most: number): LimitError {
  return new LimitError('evaluate.run', most, `The run is longer than ${most} characters or lines.`, {
    status: 413,
  });
}
