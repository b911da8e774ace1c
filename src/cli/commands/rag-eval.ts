/** `kith rag eval`: how well a knowledge base finds what a judged set says is right. @module cli/commands/rag-eval */
import { stat } from 'node:fs/promises';
import { formatPlural, InputError, writeFileAtomic } from '../../base/index.ts';
import {
  type Comparison,
  compare,
  judge,
  type Measure,
  type Run,
  readJudgedSet,
  readRun,
  type Spent,
  spendingOf,
  spentOn,
  writeRun,
} from '../../knowledge/index.ts';
import type { HitView, StepView } from '../../server/index.ts';
import { UsageError } from '../failure.ts';
import { onInterrupt } from '../interrupt.ts';
import { print, printJson, say, table } from '../output.ts';
import type { Handler } from '../program.ts';
import { withRag } from '../rag-desk.ts';
import { stepFigures, tellStepFigures } from '../rag-steps.ts';
import { documentOf, evaluateAnswers } from './rag-eval-answers.ts';
import { callsOf, costWith, drawn, runText, tellComparison, tellCost } from './rag-eval-parts.ts';
import { evaluateQuestions } from './rag-eval-questions.ts';
import { searchWishes } from './rag-eval-wishes.ts';

const MEASURES: readonly Measure[] = [
  ...(['ndcg@10', 'recall@5', 'recall@10', 'recall@100', 'all@5', 'all@10', 'mrr', 'map'] as const),
];
/** Hits that are asked for: several may be of one document. */
const ASKED = 200;

export const evaluate: Handler = async (invocation) => {
  const { args, options } = invocation;
  if (options.answers) return evaluateAnswers(invocation);
  if (options.outOfScope !== undefined) throw new UsageError('--out-of-scope goes with --answers.');
  // A file of questions, and no folder: what is found is held against what answers should say.
  if ((await stat(String(args[1])).catch(() => null))?.isFile()) return evaluateQuestions(invocation);
  const name = String(args[0]);
  const whole = await readJudgedSet(String(args[1]));
  const set =
    options.limit === undefined
      ? whole
      : { ...whole, questions: whole.questions.slice(0, Number(options.limit)) };
  const before = options.against === undefined ? null : readRun(await runText(String(options.against)));
  using interrupt = onInterrupt();
  const { signal } = interrupt;
  const ids = new Set(set.documents.map(({ id }) => id));
  const run = new Map<string, { id: string; score: number }[]>();
  const spent: Spent[] = [];
  const done: StepView[] = [];
  const kb = await withRag(options, async ({ desk }) => {
    for (const { id, text } of set.questions) {
      signal.throwIfAborted();
      if (process.stderr.isTTY)
        process.stderr.write(`\rasked ${run.size} of ${set.questions.length}\u001b[K`);
      const asked = { ...searchWishes(invocation), query: text.slice(0, 20_000), k: ASKED };
      const { hits, ms, steps } = await desk.search(name, asked, signal);
      spent.push(spentOn(ms, callsOf(steps)));
      done.push(...steps);
      run.set(id, rankingOf(hits, ids));
    }
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
    return desk.show(name);
  });
  if (run.size > 0 && [...run.values()].every((found) => found.length === 0))
    throw new InputError(
      'judged_set_invalid',
      `Nothing that was found in ${name} is a document of this set: its documents must be in the knowledge base, each in a file named by its id (4983.txt).`,
    );
  if (options.write !== undefined) await writeFileAtomic(String(options.write), writeRun(run, 'kith'));
  const verdict = judge(run, set, MEASURES);
  const differences = before === null ? null : differencesOf(run, before, set);
  const cost = costWith(spendingOf(spent), kb);
  if (options.json) {
    printJson({
      questions: set.questions.length,
      measures: Object.fromEntries(verdict.means),
      ms: { p50: cost.msP50, p95: cost.msP95 },
      cost,
      steps: stepFigures(done),
      against: differences?.['ndcg@10'] ?? null,
      comparisons: differences,
    });
    return;
  }
  print(
    table([
      ['MEASURE', 'OF 100'],
      ...[...verdict.means].map(([measure, value]) => [measure, (100 * value).toFixed(2)]),
    ]),
  );
  tellCost(cost);
  say(formatPlural(set.questions.length, 'question'));
  tellStepFigures(stepFigures(done));
  if (differences !== null) tellComparison(differences);
};

function differencesOf(
  run: Run,
  before: Run,
  set: Parameters<typeof judge>[1],
): Readonly<Record<string, Comparison>> {
  const [ours, theirs] = [run, before].map((each) => judge(each, set, MEASURES).values);
  return Object.fromEntries(
    MEASURES.map((name) => [name, compare(ours!.get(name)!, theirs!.get(name)!, { random: drawn() })]),
  );
}

/** Documents by their best chunk. */
function rankingOf(hits: readonly HitView[], ids: ReadonlySet<string>): { id: string; score: number }[] {
  const best = new Map<string, number>();
  for (const { path, score } of hits) {
    const id = documentOf(path, ids);
    if (id !== null && !best.has(id)) best.set(id, score);
  }
  return [...best].map(([id, score]) => ({ id, score }));
}
