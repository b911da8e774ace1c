/** `kith rag eval NAME QUESTIONS.json`: how much of what answers should say is in what is found. @module cli/commands/rag-eval-questions */
import { formatCount, formatPlural, InputError, writeFileAtomic } from '../../base/index.ts';
import {
  type Expectation,
  judgePassages,
  type PassagesJudged,
  passageMeans,
  passageValues,
  readQuestionFile,
  type Spent,
  spendingOf,
  spentOn,
} from '../../knowledge/index.ts';
import type { StepView } from '../../server/index.ts';
import { onInterrupt } from '../interrupt.ts';
import { print, printJson, say, table } from '../output.ts';
import type { Handler } from '../program.ts';
import { withRag } from '../rag-desk.ts';
import { stepFigures, tellStepFigures } from '../rag-steps.ts';
import {
  callsOf,
  compareSaved,
  costWith,
  type EvalCost,
  savedRun,
  tellComparison,
  tellCost,
  tellCoverage,
} from './rag-eval-parts.ts';
import { searchWishes } from './rag-eval-wishes.ts';

/** Passages that are asked for: as many as the deepest measure reads. */
const ASKED = 10;

export const evaluateQuestions: Handler = async (invocation) => {
  const { args, options } = invocation;
  const name = String(args[0]);
  const limit = Number(options.limit ?? Number.POSITIVE_INFINITY);
  const all = (await readQuestionFile(String(args[1]))).slice(0, limit);
  const asked = all.flatMap(({ expected, answerable, ...question }) =>
    expected === null || !answerable ? [] : [{ ...question, expected: expected as Expectation }],
  );
  if (asked.length === 0)
    throw new InputError(
      'question_file_invalid',
      `${String(args[1])} has no question with \`expected_keywords\` or \`numeric\`: there is nothing to look for in what is found. --answers measures answers to the others.`,
    );
  const before = await savedRun(options.against, 'searches');
  using interrupt = onInterrupt();
  const { signal } = interrupt;
  const judged: PassagesJudged[] = [];
  const spent: Spent[] = [];
  const steps: StepView[] = [];
  const kept: string[] = [];
  const kb = await withRag(options, async ({ desk }) => {
    for (const { id, text, expected } of asked) {
      signal.throwIfAborted();
      if (process.stderr.isTTY) process.stderr.write(`\rasked ${judged.length} of ${asked.length}\u001b[K`);
      const found = await desk.search(name, { ...searchWishes(invocation), query: text, k: ASKED }, signal);
      const one = judgePassages(
        id,
        expected,
        found.hits.map(({ title, text: passage }) => `${title}\n${passage}`),
      );
      const cost = spentOn(found.ms, callsOf(found.steps));
      judged.push(one);
      spent.push(cost);
      steps.push(...found.steps);
      kept.push(
        `${JSON.stringify({
          ...{ id, question: text, values: { ...passageValues(one), ms: cost.ms }, ...cost },
          missing: one.scores.at(-1)!.missing,
          hits: found.hits.map(({ id: chunk, path, score }) => ({ chunk, path, score })),
        })}\n`,
      );
    }
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
    return desk.show(name);
  });
  if (options.write !== undefined) await writeFileAtomic(String(options.write), kept.join(''));
  const now = new Map(judged.map((one, at) => [one.id, { ...passageValues(one), ms: spent[at]!.ms }]));
  const against = compareSaved(now, before);
  const cost: EvalCost = costWith(spendingOf(spent), kb);
  const measures = passageMeans(judged);
  if (options.json) {
    printJson({ questions: asked.length, measures, cost, steps: stepFigures(steps), against });
    return;
  }
  print(
    table(
      [
        ['IN WHAT IS FOUND', 'OF 100'],
        ...Object.entries(measures).map(([measure, value]) => [measure, (100 * value).toFixed(2)]),
      ],
      [1],
    ),
  );
  tellCost(cost);
  const left = all.length - asked.length;
  say(
    `${formatPlural(asked.length, 'question')}${left === 0 ? '' : `; ${formatCount(left)} more have nothing to look for, or no answer`}`,
  );
  tellStepFigures(stepFigures(steps));
  if (against !== null) {
    tellComparison(against.measures);
    tellCoverage(against);
  }
};
