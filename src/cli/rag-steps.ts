/**
 * What is done beside a search, as options of commands ask for it, and what came of it.
 *
 * @module cli/rag-steps
 */
import { InvalidArgumentError, Option } from 'commander';
import { formatDuration, formatPlural } from '../base/index.ts';
import { quantile } from '../knowledge/index.ts';
import type { StepView, StepWishes } from '../server/index.ts';
import { parseDuration } from './duration.ts';
import { UsageError } from './failure.ts';
import { asTyped, paint, plain, say } from './output.ts';
import type { Invocation } from './program.ts';

/** As the routes take it. */
const MOST_MS = 60_000;

function budget(text: string): number {
  const ms = /^\d{1,5}ms$/.test(text.trim()) ? Number.parseInt(text, 10) : parseDuration(text);
  if (ms === null || ms < 1 || ms > MOST_MS)
    throw new InvalidArgumentError('It must be a span of time up to 60s, such as 3s or 500ms.');
  return ms;
}

export const stepOptions = () => [
  new Option('--hyde', 'look up by meaning also a passage that a model makes up as an answer'),
  new Option('--multi-query', 'look up also other wordings by a model'),
  new Option('--no-expand', 'ask in no other way, whatever knowledge.expand says'),
  new Option(
    '--rerank <by>',
    'who puts the best hits in order: a model that is shown them (listwise), one that reads the question with each (cross-encoder), or nobody (default: knowledge.rerank)',
  ).choices(['none', 'listwise', 'cross-encoder']),
  new Option('--engine', 'have the engine that has its vectors say what is nearest (kith vpk engine)'),
  new Option('--no-engine', 'ask the index here, whatever was said when the engine was connected'),
  new Option(
    '--budget <time>',
    'time that other ways to ask may take, and reranking again; what takes longer is left out, up to 60s (default: knowledge.stepMs)',
  ).argParser(budget),
];

/** @throws UsageError */
export function stepsOf({
  hyde,
  multiQuery,
  expand,
  rerank,
  budget: ms,
  engine,
}: Invocation['options']): StepWishes {
  const wanted = [
    ...(hyde === true ? (['hyde'] as const) : []),
    ...(multiQuery === true ? (['multi-query'] as const) : []),
  ];
  if (wanted.length > 0 && expand === false)
    throw new UsageError('--no-expand does not go with --hyde or --multi-query.');
  return {
    ...(wanted.length > 0 ? { expand: wanted } : expand === false ? { expand: [] } : {}),
    ...(rerank === undefined ? {} : { rerank: rerank as NonNullable<StepWishes['rerank']> }),
    ...(ms === undefined ? {} : { budgetMs: Number(ms) }),
    ...(engine === undefined ? {} : { engine: engine === true }),
  };
}

/** How often each was done and left out, over many questions. */
export interface StepFigures {
  readonly name: string;
  readonly used: number;
  /** By code. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Median of those that were used; null when none was. */
  readonly msP50: number | null;
  readonly models: readonly string[];
}

export function stepFigures(all: readonly StepView[]): StepFigures[] {
  return [...Map.groupBy(all, ({ name }) => name)].map(([name, steps]) => {
    const used = steps.filter(({ status }) => status === 'used');
    const codes = Map.groupBy(
      steps.filter(({ code }) => code !== null),
      ({ code }) => code!,
    );
    return {
      ...{ name, used: used.length },
      skipped: Object.fromEntries([...codes].map(([code, of]) => [code, of.length])),
      msP50:
        used.length === 0
          ? null
          : quantile(
              used.map(({ ms }) => ms),
              0.5,
            ),
      models: [...new Set(steps.flatMap(({ model }) => model ?? []))],
    };
  });
}

export function tellStepFigures(figures: readonly StepFigures[]): void {
  for (const { name, used, skipped, msP50, models } of figures) {
    const left = Object.entries(skipped).map(([code, count]) => `${count} ${code}`);
    const by = models.length === 0 ? '' : ` by ${models.map(plain).join(', ')}`;
    const took = msP50 === null ? '' : `, ${formatDuration(msP50)} each (median)`;
    say(
      `${name}${by}: ${formatPlural(used, 'time')}${took}${left.length === 0 ? '' : `; left out: ${left.join(', ')}`}`,
    );
  }
}

/** A line for each step; of one that was left out why. */
export function tellSteps(steps: readonly StepView[]): void {
  for (const { name, status, reason, ms, model, writer } of steps) {
    const by = model === null ? '' : ` by ${plain(model)}`;
    const where =
      writer === null || writer.where === null || writer.where === 'this_machine'
        ? ''
        : ` (${plain(writer.backend)})`;
    if (status === 'used') say(`${name}${by}${where}, in ${formatDuration(ms)}`);
    else
      say(
        `${paint('yellow', `${name} left out:`, process.stderr)} ${asTyped(plain(reason ?? ''))}${by === '' ? '' : ` (asked${by}${where})`}`,
      );
  }
}
