/**
 * Answers from knowledge bases, as the routes give them and the node makes them.
 *
 * @module server/rag/answer-types
 */
import type {
  AnswerEvent,
  CachedNote,
  Citation,
  Figures,
  Filter,
  Found,
  Language,
  Missing,
  Place,
  SentenceStatus,
  Support,
  Turn,
  WriterNote,
} from '../../knowledge/index.ts';
import type { StepWishes } from './step-types.ts';

export interface AnswerQuery extends StepWishes {
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
  /** Is made anew, even if one is kept. @default false */
  readonly fresh?: boolean;
  /** Of refusals, and of why a question took its way. @default that of the question */
  readonly language?: Language;
}

/** Answers with citations that were held against their sources. */
export interface AnswersDesk {
  /** Events in the order of `AnswerEvent`; ends with `finish`. @throws as `KnowledgeDesk.search`, before the first event */
  answer(kb: string, query: AnswerQuery, signal: AbortSignal): Promise<AsyncIterable<AnswerEvent>>;
}

/** A source as an answer had it. */
export interface SourceView {
  /** As it is cited: `[n]`, from 1, the best first. */
  readonly n: number;
  readonly path: string;
  /** Title and headings. */
  readonly title: string;
  /** Of its best chunk, for people: `page 3`. Empty when the file has no places. */
  readonly where: string;
  /** Of its best chunk. */
  readonly place: Place;
  readonly text: string;
  /** Ids of the chunks that the text is made of, in their order. */
  readonly chunks: readonly string[];
  /** Of its best hit; null when an earlier turn cited it and this question did not find it. */
  readonly score: number | null;
}

type Sources = Extract<AnswerEvent, { readonly type: 'sources' }>;

/** What a stream of an answer has in each event. */
export type AnswerEventView =
  | Exclude<AnswerEvent, Sources>
  | (Omit<Sources, 'sources'> & { readonly sources: readonly SourceView[] });

/** A whole answer. */
export interface AnswerView {
  readonly text: string;
  /** `refused`: what was found does not answer the question; `text` says so. */
  readonly outcome: 'written' | 'extracted' | 'refused';
  /** Why it was refused. */
  readonly reason: string | null;
  /** As it was looked up, and by whom it was made to stand alone. */
  readonly question: string;
  readonly rewrittenBy: Sources['rewrittenBy'];
  readonly citations: readonly Citation[];
  readonly sentences: readonly {
    readonly text: string;
    readonly status: SentenceStatus;
    readonly missing: readonly Missing[];
    readonly given: boolean;
  }[];
  readonly sources: readonly SourceView[];
  readonly figures: Figures;
  readonly support: Support;
  readonly route: Found['route'];
  readonly steps: Sources['steps'];
  /** Models that were asked; empty where none was. */
  readonly writers: readonly WriterNote[];
  /** Stands where it was made when the question came before, or one that means the same. */
  readonly cached?: CachedNote;
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
  readonly ms: number;
}
