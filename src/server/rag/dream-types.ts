/**
 * Dreams of a knowledge base: how complete it is, runs that complete it, and what they did.
 *
 * @module server/rag/dream-types
 */
import type { Completeness, DreamFigures, DreamStop, EntityScore } from '../../knowledge/index.ts';
import type { JobView } from './types.ts';

export interface ScoreView extends Completeness {
  /** Names by which the most is to be gained, first. */
  readonly lacking: readonly EntityScore[];
}

export interface DreamQuery {
  /** ms that it may take. */
  readonly ms: number;
  /** Passages that a model may read. */
  readonly calls: number;
  /** As `AnswerQuery.writer`; null: rules alone. @default `knowledge.writer` */
  readonly model?: string | null;
  /** Merges that are at least so sure are made. */
  readonly mergeAt: number;
}

export interface DreamView {
  readonly id: number;
  /** `stopped`: it was ended before its time, and nothing goes on with it; what it said stays. */
  readonly state: 'running' | 'done' | 'stopped' | 'undone';
  readonly model: string | null;
  /** ms that it may take, and that it took. */
  readonly ms: number;
  readonly spentMs: number;
  readonly phase: string;
  readonly found: DreamFigures;
  readonly before: Completeness;
  readonly after: Completeness | null;
  /** Why it ended before all was done: its time was up, others wanted the machine, or the model failed. */
  readonly stopped: DreamStop | null;
  readonly note: string | null;
  /** ms since 1970. */
  readonly began: number;
  readonly ended: number | null;
  readonly undone: number | null;
  /** Nobody began it: it is what was read in one day while the node had nothing else to do. */
  readonly idle: boolean;
}

/** What is read while the node has nothing else to do. */
export interface ExtractionView {
  readonly mode: 'off' | 'idle';
  /**
   * `no_model`: `knowledge.writer` is none. `unfit`: that is too weak. `waiting`: for the node to rest. `spent`: the day's tokens are
   * used up. `nothing_left`: all passages were read. `undone`: you undid what this model read, so that it reads no more here.
   */
  readonly phase:
    | ('off' | 'no_model' | 'unfit' | 'waiting' | 'reading')
    | ('spent' | 'nothing_left' | 'undone' | 'failed');
  /** Why, where it did not go well. */
  readonly note: string | null;
  readonly model: string | null;
  /** Tokens of today (UTC) that were asked for, and that may be. */
  readonly tokens: number;
  readonly budget: number;
  /** Run of today; null: nothing was read. */
  readonly run: number | null;
  /** Passages that were read today, values taken over, and those refused. */
  readonly calls: number;
  readonly kept: number;
  readonly refused: number;
  /** Names that lack something. */
  readonly left: number;
}

/** One thing that a run did, why, and what says so. */
export interface DreamEntry {
  /** Of the assertion or merge; null of a passage that was read. */
  readonly id: number | null;
  readonly kind: 'said' | 'merged' | 'read';
  /** Key of the name; id of the passage that was read. */
  readonly subject: string;
  /** Property or relation. */
  readonly what: string;
  readonly value: string;
  readonly why: string;
  readonly by: 'rule' | 'model' | 'owner';
  readonly confidence: number | null;
  readonly chunk: string | null;
  readonly sentence: string | null;
  /** False when it was undone. */
  readonly holds: boolean;
}

export interface DreamJournal {
  readonly run: DreamView;
  /** Merges and passages first, on the first page; then what was said, by id. */
  readonly entries: readonly DreamEntry[];
  /** For `after`; null: that was all. */
  readonly next: number | null;
}

export interface DreamDesk {
  score(kb: string, limit: number): Promise<ScoreView>;
  /** Begins a run, and the job that does it. @throws KithError `dream_running` */
  run(kb: string, query: DreamQuery): Promise<{ readonly run: DreamView; readonly job: JobView }>;
  /** Newest first. */
  runs(kb: string, limit: number): Promise<DreamView[]>;
  extraction(kb: string): Promise<ExtractionView>;
  /** @throws KithError `run_unknown` */
  journal(
    kb: string,
    run: number,
    page: { readonly after: number; readonly limit: number },
  ): Promise<DreamJournal>;
  /** Everything is shown again as it was before it. @throws KithError `run_unknown`, `run_undone`, `dream_running` */
  undo(kb: string, run: number): Promise<DreamView>;
}
