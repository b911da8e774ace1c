/**
 * From a question to chunks.
 *
 * @module knowledge/retrieve
 */
export {
  createRetriever,
  type Evidence,
  type Found,
  type Hit,
  type Retriever,
  type RetrieverOptions,
  type SearchOptions,
} from './retriever.ts';
export { isStopWord, wordsOf } from './words.ts';
