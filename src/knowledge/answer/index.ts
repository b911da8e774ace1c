/**
 * From sources to answers that cite them.
 *
 * @module knowledge/answer
 */
export {
  type Answerer,
  type AnswererOptions,
  type AnswerOptions,
  type CollectedAnswer,
  collectAnswer,
  createAnswerer,
} from './answer.ts';
export { type Rewritten, rewriteFollowUp } from './follow-up.ts';
export { LANGUAGES, type Language, languageOf, routeText } from './language.ts';
export type {
  AnswerEvent,
  CachedNote,
  Citation,
  Figures,
  Missing,
  SentenceStatus,
  Source,
  Support,
  Turn,
  WarningCode,
  WriteOptions,
  Writer,
  WriterMessage,
  WriterNote,
} from './types.ts';
