/**
 * What may be done beside searching, and takes a model and time.
 *
 * @module server/rag/step-types
 */
import type { SearchStep } from '../../knowledge/index.ts';

/** Each is left out, and said to be, when its time is over, its model fails, or none is here. */
export interface StepWishes {
  /** Other ways to ask, which a writer is asked for. @default `knowledge.expand` */
  readonly expand?: readonly ('hyde' | 'multi-query')[];
  /** Who puts what was found in order. @default `knowledge.rerank` */
  readonly rerank?: 'none' | 'listwise' | 'cross-encoder';
  /** ms that expansion may take, and again reranking. @default `knowledge.stepMs` */
  readonly budgetMs?: number;
  /** Whether the engine that has its vectors is asked what is nearest. @default as it was connected (`search`) */
  readonly engine?: boolean;
}

export type StepView = SearchStep;
