/** What all ways of `kith rag eval` share: runs of before, comparisons, costs. @module cli/commands/rag-eval-parts */
import { readFile, stat } from 'node:fs/promises';
import {
  createSeededRandom,
  formatBytes,
  formatCount,
  formatDuration,
  formatPlural,
  InputError,
} from '../../base/index.ts';
import {
  type Comparison,
  compareRuns,
  type ModelCall,
  RUN_LIMITS,
  type RunComparison,
  readSavedRun,
  type SavedRun,
  type Spending,
} from '../../knowledge/index.ts';
import type { KbView, StepView } from '../../server/index.ts';
import { paint, print, say, table } from '../output.ts';

/** Draws of comparisons follow from it: the same runs give the same figures. */
const SEED = 7;
export const drawn = () => createSeededRandom(SEED);

/** @throws InputError `file_not_found`, `run_invalid` */
export async function runText(path: string): Promise<string> {
  const facts = await stat(path).catch(() => null);
  if (!facts?.isFile())
    throw new InputError('file_not_found', `There is no file ${path}. A run is kept with --write FILE.`);
  const { size } = facts;
  if (size > RUN_LIMITS.characters)
    throw new InputError('run_invalid', `${path} has ${size} bytes, too many for a run.`);
  return readFile(path, 'utf8');
}

/** What each kind of run says of every question that it has. */
const MARKS = { answers: ['answered', 'refused'], searches: ['mrr'] } as const;

/**
 * Null without `--against`. Read before anything is asked: what cannot be compared is refused at once.
 *
 * @throws InputError `comparison_invalid` for a run of the other kind
 */
export async function savedRun(against: unknown, kind: keyof typeof MARKS): Promise<SavedRun | null> {
  if (against === undefined) return null;
  const before = readSavedRun(await runText(String(against)));
  const has = (marks: readonly string[]): boolean =>
    [...before.values()].some((values) => marks.some((mark) => values[mark] !== undefined));
  const other = kind === 'answers' ? 'searches' : 'answers';
  if (has(MARKS[other]) && !has(MARKS[kind]))
    throw new InputError(
      'comparison_invalid',
      `${against} is a run of ${other}, and does not compare with ${kind}: say the command ${other === 'answers' ? 'with' : 'without'} --answers, or choose another run.`,
    );
  return before;
}

export function compareSaved(now: SavedRun, before: SavedRun | null): RunComparison | null {
  return before === null ? null : compareRuns(now, before, drawn);
}

/** In points of 100, but for these, which are as they are. */
const PLAIN: ReadonlySet<string> = new Set(['ms', 'characters']);

export function tellComparison(measures: Readonly<Record<string, Comparison>>): void {
  const rows = Object.entries(measures).map(([name, { difference, low, high, p, ...counts }]) => {
    const shown = (value: number): string => (PLAIN.has(name) ? value.toFixed(0) : (100 * value).toFixed(2));
    return [
      name,
      paint('bold', shown(difference)),
      `${shown(low)} to ${shown(high)}`,
      p.toFixed(4),
      formatCount(counts.questions),
      `${counts.wins} more, ${counts.losses} less, ${counts.ties} alike`,
    ];
  });
  print(table([['AGAINST THE OTHER RUN', 'BY', '95 % WITHIN', 'P', 'QUESTIONS', ''], ...rows], [1, 3, 4]));
}

export function tellCoverage({ both, onlyNow, onlyBefore }: RunComparison): void {
  if (onlyNow + onlyBefore > 0)
    say(
      `Compared over ${formatPlural(both, 'question')}; ${onlyNow} are in this run alone, ${onlyBefore} in the other.`,
    );
}

/** Models that a search asked. A step that was left out before anybody was asked asked nobody. */
export function callsOf(steps: readonly StepView[]): ModelCall[] {
  const nothing = { promptTokens: null, completionTokens: null, cost: null };
  return steps.flatMap(({ status, model, writer }): ModelCall[] => {
    if (writer !== null) return [writer];
    // A cross-encoder of this machine: it writes nothing, and what it reads is not counted.
    return status === 'used' && model !== null ? [nothing] : [];
  });
}

/** What the questions cost, and what is on the disk for them. */
export interface EvalCost extends Spending {
  readonly chunks: number;
  /** Bytes on the disk for 1,000 chunks; null without any. */
  readonly diskPerThousand: number | null;
}

export function costWith(spending: Spending, { contents }: KbView): EvalCost {
  const { chunks = 0, bytes = 0 } = contents ?? {};
  return { ...spending, chunks, diskPerThousand: chunks === 0 ? null : (1000 * bytes) / chunks };
}

export function tellCost(cost: EvalCost): void {
  const shown = (value: number | null, text: (value: number) => string): string =>
    value === null ? '-' : text(value);
  const amount = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(2));
  print(
    table(
      [
        [
          'COST OF A QUESTION',
          'TIME',
          'MEDIAN',
          '95 %',
          'MODELS ASKED',
          'TOKENS READ',
          'TOKENS WRITTEN',
          'MONEY',
          'DISK / 1,000 CHUNKS',
        ],
        [
          formatPlural(cost.questions, 'question'),
          shown(cost.msMean, formatDuration),
          shown(cost.msP50, formatDuration),
          shown(cost.msP95, formatDuration),
          shown(cost.calls, amount),
          shown(cost.promptTokens, amount),
          shown(cost.completionTokens, amount),
          shown(cost.cost, (value) => value.toPrecision(3)),
          shown(cost.diskPerThousand, formatBytes),
        ],
      ],
      [1, 2, 3, 4, 5, 6, 7, 8],
    ),
  );
}
