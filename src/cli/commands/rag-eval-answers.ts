/** `kith rag eval --answers`: how good a knowledge base's answers are. @module cli/commands/rag-eval-answers */
import { stat } from 'node:fs/promises';
import { writeFileAtomic } from '../../base/index.ts';
import {
  type AnswerFigures,
  type AnswerJudged,
  answerFigures,
  answerValues,
  judgeAnswer,
  type ModelCall,
  type QuestionJudged,
  readJudgedSet,
  readQuestionFile,
  type Spent,
  spendingOf,
  spentOn,
} from '../../knowledge/index.ts';
import type { AnswerEventView, StepView } from '../../server/index.ts';
import { onInterrupt } from '../interrupt.ts';
import { plain, print, printJson, say, table } from '../output.ts';
import type { Handler } from '../program.ts';
import { withRag } from '../rag-desk.ts';
import { stepFigures, tellStepFigures } from '../rag-steps.ts';
import { wishesOf } from './rag-answer.ts';
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

type Asked = QuestionJudged & { readonly text: string };

interface AskedSet {
  readonly questions: readonly Asked[];
  /** Of documents; null where none are judged. */
  readonly ids: ReadonlySet<string> | null;
}

/** Of one question, as the routes take them. */
const MOST_CHARACTERS = 8000;

export const evaluateAnswers: Handler = async (invocation) => {
  const { args, options } = invocation;
  const name = String(args[0]);
  const before = await savedRun(options.against, 'answers');
  const limit = Number(options.limit ?? Number.POSITIVE_INFINITY);
  const own = await readSet(String(args[1]), limit);
  const other =
    options.outOfScope === undefined ? [] : (await readSet(String(options.outOfScope), limit)).questions;
  const { ids } = own;
  const idOf = (path: string): string | null => (ids === null ? path : documentOf(path, ids));
  const asked = [...own.questions, ...other.map(outOfScope)];
  using interrupt = onInterrupt();
  const { signal } = interrupt;
  const judged: AnswerJudged[] = [];
  const kept: string[] = [];
  const spent: Spent[] = [];
  const done: StepView[] = [];
  const models = new Map<string, number>();
  const kb = await withRag(options, async ({ desk }) => {
    for (const question of asked) {
      signal.throwIfAborted();
      if (process.stderr.isTTY) process.stderr.write(`\rasked ${judged.length} of ${asked.length}\u001b[K`);
      const began = performance.now();
      const events: AnswerEventView[] = [];
      const query = {
        ...wishesOf(invocation),
        question: question.text.slice(0, MOST_CHARACTERS),
        history: [],
        // What is kept was measured when it was made.
        fresh: true,
      };
      for await (const event of await desk.answers.answer(name, query, signal)) events.push(event);
      for (const event of events) if (event.type === 'sources') done.push(...event.steps);
      const one = judgeAnswer(question, events, performance.now() - began, idOf);
      judged.push(one);
      for (const event of events)
        if (event.type === 'writer') models.set(event.model, (models.get(event.model) ?? 0) + 1);
      const cost = spentOn(one.ms, callsIn(events));
      spent.push(cost);
      kept.push(
        `${JSON.stringify({ ...one, ...cost, values: answerValues(one), question: question.text, text: textOf(events) })}\n`,
      );
    }
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
    return desk.show(name);
  });
  if (options.write !== undefined) await writeFileAtomic(String(options.write), kept.join(''));
  const figures = answerFigures(judged);
  const outcomes = countBy(judged.map(({ outcome }) => outcome));
  const against = compareSaved(new Map(judged.map((one) => [one.id, answerValues(one)])), before);
  const cost = costWith(spendingOf(spent), kb);
  const steps = stepFigures(done);
  if (options.json) {
    printJson({ ...figures, outcomes, models: Object.fromEntries(models), cost, steps, against });
    return;
  }
  tell(figures, models, cost);
  tellStepFigures(steps);
  if (against === null) return;
  tellComparison(against.measures);
  tellCoverage(against);
};

/** All models that were asked for an answer: to make the question stand alone, beside the search, to write. */
function callsIn(events: readonly AnswerEventView[]): ModelCall[] {
  const writers = events.flatMap((event): ModelCall[] => (event.type === 'writer' ? [event] : []));
  const steps = events.flatMap((event) => (event.type === 'sources' ? event.steps : []));
  // Writers beside the search tell of themselves, as the others do.
  return [...writers, ...callsOf(steps.filter(({ writer }) => writer === null))];
}

function tell(figures: AnswerFigures, models: ReadonlyMap<string, number>, cost: EvalCost): void {
  const percent = (value: number | null): string => (value === null ? '-' : `${(100 * value).toFixed(1)} %`);
  const of = (part: number, whole: number): string =>
    whole === 0 ? '-' : `${percent(part / whole)} (${part} of ${whole})`;
  const { questions, falseRefusals, outOfScope: others, refusals } = figures;
  const characters = (value: number | null): string => (value === null ? '-' : value.toFixed(0));
  const rows = [
    ['questions answered', of(questions - falseRefusals, questions)],
    ['refused though answerable', of(falseRefusals, questions)],
    ['refused of those out of scope', of(refusals, others)],
    ['citations whose source says so', percent(figures.citationPrecision)],
    ['citations of documents judged right', percent(figures.citationRelevance)],
    ['answers that cite one of these', percent(figures.answersRelevant)],
    ['documents judged right that are cited', percent(figures.documentsReached)],
    ['sentences with a citation', percent(figures.citationRecall)],
    ['written sentences with a citation', percent(figures.wroteCited)],
    ['written sentences that are supported', percent(figures.wroteSupported)],
    ['keywords', percent(figures.keywords)],
    ['characters of an answer, mean', characters(figures.charactersMean)],
    ['characters of an answer, 95 % within', characters(figures.charactersP95)],
  ];
  print(table(rows));
  tellCost(cost);
  for (const [model, count] of models) say(`Asked to write: ${plain(model)}, ${count} times.`);
  if (models.size === 0) say('Sentences of the documents; no model wrote.');
}

/** A folder in the form of BEIR, or a file of questions. */
async function readSet(path: string, limit: number): Promise<AskedSet> {
  if ((await stat(path).catch(() => null))?.isFile()) {
    const questions = (await readQuestionFile(path)).slice(0, limit);
    return { questions: questions.map((each) => ({ ...each, judgements: null })), ids: null };
  }
  const { documents, questions, judgements } = await readJudgedSet(path);
  return {
    ids: new Set(documents.map(({ id }) => id)),
    questions: questions.slice(0, limit).map(({ id, text }) => ({
      ...{ id, text, answerable: true, expected: null },
      judgements: judgements.get(id) ?? null,
    })),
  };
}

const outOfScope = (question: Asked): Asked => ({
  ...question,
  // Of another set, whose ids may be the same.
  id: `out-of-scope/${question.id}`,
  ...{ answerable: false, judgements: null, expected: null },
});

/** A document's id is its path, or the name of its file without the ending. Null: it is none of the set. */
export function documentOf(path: string, ids: ReadonlySet<string>): string | null {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return [path, name, name.replace(/\.[^.]*$/, '')].find((each) => ids.has(each)) ?? null;
}

const textOf = (events: readonly AnswerEventView[]): string =>
  events
    .map((event) => (event.type === 'text' ? event.text : ''))
    .join('')
    .trim();

function countBy(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
