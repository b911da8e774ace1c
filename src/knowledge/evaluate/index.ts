/**
 * How good retrieval and answers are: judged sets, measures, runs, and whether a difference is more than luck.
 *
 * @module knowledge/evaluate
 */
export {
  type AnswerFigures,
  type AnswerJudged,
  answerFigures,
  type JudgedEvent,
  judgeAnswer,
  type QuestionJudged,
} from './answers.ts';
export { type Comparison, compare } from './bootstrap.ts';
export { type Cost, costOf, judge, quantile, type Verdict } from './judge.ts';
export {
  JUDGED_SET_LIMITS,
  type JudgedDocument,
  type JudgedQuestion,
  type JudgedSet,
  readJudgedSet,
} from './judged-set.ts';
export {
  type Expectation,
  type ExpectedNumber,
  type KeywordScore,
  keywordScore,
  overall,
} from './keywords.ts';
export { type Judgements, MEASURES, type Measure, measure, type Ranking } from './measures.ts';
export { DEPTHS, judgePassages, type PassagesJudged, passageMeans, passageValues } from './passages.ts';
export { type FileQuestion, readQuestionFile } from './question-file.ts';
export { type Found, RUN_LIMITS, type Run, readRun, writeRun } from './runs.ts';
export { answerValues, compareRuns, type RunComparison, readSavedRun, type SavedRun } from './saved.ts';
export { type ModelCall, type Spending, type Spent, spendingOf, spentOn } from './spending.ts';
