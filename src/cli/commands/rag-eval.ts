/** `kith rag eval`: how well a knowledge base finds what a judged set says is right. @module cli/commands/rag-eval */
import { readFile, stat } from 'node:fs/promises';
import {
  createSeededRandom,
  formatDuration,
  formatPlural,
  InputError,
  writeFileAtomic,
} from '../../base/index.ts';
import {
  type Comparison,
  compare,
  judge,
  type Measure,
  quantile,
  RUN_LIMITS,
  type Run,
  readJudgedSet,
  readRun,
  writeRun,
} from '../../knowledge/index.ts';
import type { HitView, SearchQuery, StepView } from '../../server/index.ts';
import { UsageError } from '../failure.ts';
import { onInterrupt } from '../interrupt.ts';
import { paint, print, printJson, say, table } from '../output.ts';
import type { Handler } from '../program.ts';
import { withRag } from '../rag-desk.ts';
import { stepFigures, stepsOf, tellStepFigures } from '../rag-steps.ts';
import { writerOf } from './rag-answer.ts';
import { documentOf, evaluateAnswers } from './rag-eval-answers.ts';

const MEASURES: readonly Measure[] = ['ndcg@10', 'recall@5', 'recall@100', 'mrr', 'map'];
/** Hits that are asked for: several may be of one document. */
const ASKED = 200;

export const evaluate: Handler = async (invocation) => {
  const { args, options } = invocation;
  if (options.answers) return evaluateAnswers(invocation);
  if (options.outOfScope !== undefined) throw new UsageError('--out-of-scope goes with --answers.');
  const wishes = { ...stepsOf(options), ...writerOf(options) };
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
  const times: number[] = [];
  const done: StepView[] = [];
  await withRag(options, async ({ desk }) => {
    for (const { id, text } of set.questions) {
      signal.throwIfAborted();
      if (process.stderr.isTTY)
        process.stderr.write(`\rasked ${run.size} of ${set.questions.length}\u001b[K`);
      const asked: SearchQuery = {
        ...{ query: text.slice(0, 20_000), k: ASKED, neighbours: 0 },
        mode: options.mode as SearchQuery['mode'],
        ...wishes,
      };
      const { hits, ms, steps } = await desk.search(name, asked, signal);
      times.push(ms);
      done.push(...steps);
      run.set(id, rankingOf(hits, ids));
    }
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  });
  if (run.size > 0 && [...run.values()].every((found) => found.length === 0))
    throw new InputError(
      'judged_set_invalid',
      `Nothing that was found in ${name} is a document of this set: its documents must be in the knowledge base, each in a file named by its id (4983.txt).`,
    );
  if (options.write !== undefined) await writeFileAtomic(String(options.write), writeRun(run, 'kith'));
  const verdict = judge(run, set, MEASURES);
  const difference = before === null ? null : differenceOf(run, before, set);
  const [p50, p95] = [quantile(times, 0.5), quantile(times, 0.95)];
  if (options.json) {
    printJson({
      questions: set.questions.length,
      measures: Object.fromEntries(verdict.means),
      ms: { p50, p95 },
      steps: stepFigures(done),
      against: difference,
    });
    return;
  }
  print(
    table([
      ['MEASURE', 'OF 100'],
      ...[...verdict.means].map(([measure, value]) => [measure, (100 * value).toFixed(2)]),
    ]),
  );
  say(
    `${formatPlural(set.questions.length, 'question')}, ${formatDuration(p50)} each (median; 95 % within ${formatDuration(p95)})`,
  );
  tellStepFigures(stepFigures(done));
  if (difference !== null) {
    const points = (value: number): string => (100 * value).toFixed(2);
    print(
      `nDCG@10 against the other run: ${paint('bold', points(difference.difference))} (${points(difference.low)} to ${points(difference.high)}, p ${difference.p.toFixed(4)}; ${difference.wins} better, ${difference.losses} worse, ${difference.ties} alike)`,
    );
  }
};

async function runText(path: string): Promise<string> {
  const facts = await stat(path).catch(() => null);
  if (!facts?.isFile())
    throw new InputError('file_not_found', `There is no file ${path}. A run is kept with --write FILE.`);
  const { size } = facts;
  if (size > RUN_LIMITS.characters)
    throw new InputError('run_invalid', `${path} has ${size} bytes, too many for a run.`);
  return readFile(path, 'utf8');
}

function differenceOf(run: Run, before: Run, set: Parameters<typeof judge>[1]): Comparison {
  const values = (each: Run): readonly number[] => judge(each, set, ['ndcg@10']).values.get('ndcg@10') ?? [];
  return compare(values(run), values(before), { random: createSeededRandom(7) });
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
