/**
 * Answers from knowledge bases, as the routes give them and the node makes them.
 *
 * @module server/rag/answer-types
 */
import type { AnswerEvent, Filter, Turn } from '../../knowledge/index.ts';

export interface AnswerQuery {
  readonly question: string;
  /** Exchanges before it, the oldest first. */
  readonly history: readonly Turn[];
  readonly mode: 'auto' | 'both' | 'words' | 'vectors' | 'graph';
  readonly filter?: Filter;
  /** Sources at most. @default as the writer's context has room for */
  readonly k?: number;
  /**
   * Who writes: a model as the gateway names it, `auto` (the router chooses), or null: sentences of the sources alone.
   *
   * @default `knowledge.writer`
   */
  readonly writer?: string | null;
  /** Tokens of the answer. */
  readonly maxTokens?: number;
}

/** Answers with citations that were held against their sources. */
export interface AnswersDesk {
  /** Events in the order of `AnswerEvent`; ends with `finish`. @throws as `KnowledgeDesk.search`, before the first event */
  answer(kb: string, query: AnswerQuery, signal: AbortSignal): Promise<AsyncIterable<AnswerEvent>>;
}
