/**
 * From a question to chunks.
 *
 * @module knowledge/retrieve
 */
export { type Budget, type Within, withinBudget } from './budget.ts';
export { encodedBy } from './by-encoder.ts';
export { hydeBy, listwiseBy, multiQueryBy } from './by-writer.ts';
export {
  createExpandedSearch,
  type ExpandedFound,
  type ExpandedOptions,
  type ExpandedSearch,
  type Expander,
  type Ranker,
  type SearchStep,
  skipped,
  type Told,
} from './expand.ts';
export {
  type CrossEncoder,
  createRetriever,
  type Evidence,
  type Found,
  type Hit,
  type NearestElsewhere,
  type Retriever,
  type RetrieverOptions,
  type SearchedPart,
  type SearchOptions,
} from './retriever.ts';
export { isStopWord, wordsOf } from './words.ts';
