/**
 * What the scheduler takes and gives.
 *
 * @module engine/scheduler/types
 */
import type { Clock, KithError, Logger } from '../../base/index.ts';
import type { Runner } from '../runner/types.ts';
import type { EngineOptions, GenerateEvent, Sampler, Tokenizer } from '../types.ts';

export interface SchedulerInit {
  /** A range with embedding and head. The scheduler is its only user; whoever opened it disposes of it. */
  readonly runner: Runner;
  readonly tokenizer: Pick<Tokenizer, 'bytes' | 'eog'>;
  /** `context` null = what the model was trained for. */
  readonly options: Pick<
    EngineOptions,
    'context' | 'maxActive' | 'maxQueue' | 'maxWaitMs' | 'maxRunMs' | 'maxTokens' | 'prefillChunk'
  >;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly log?: Logger;
  /** ms that prompt rows may add to a pass in which others decode. @default 100 */
  readonly prefillAddedMs?: number;
  /** Guess tokens from the sequence's own where that is faster; the tokens are the same. @default 'off' */
  readonly speculation?: EngineOptions['speculation'];
  /** Splits a pass of `rows` rows where several small passes are faster than one. @default one pass */
  readonly preferredRows?: (rows: number) => readonly number[];
  /** Finished sequences kept for later prompts. @default 256 */
  readonly cachedSequences?: number;
  /** KV cells that only finished sequences may hold. @default all */
  readonly cachedCells?: number;
}

/** One generation. Fields as in `GenerateRequest`. */
export interface SchedulerJob {
  /** Unique among jobs that have not ended. */
  readonly id: string;
  /** Prompt, at least one token. Copied. */
  readonly tokens: Int32Array;
  /** Made for this job; sees the prompt through `accept` and is used by nobody else. */
  readonly sampler: Sampler;
  /** Asked after each token: nothing can follow it, so the job ends there with finish `stop`. @default never */
  readonly ended?: () => boolean;
  readonly maxTokens: number | null;
  /** Control tokens whose text is part of the answer. @default none */
  readonly shown?: ReadonlySet<number>;
  readonly stop: readonly string[];
  readonly overflow?: 'error' | 'slide';
  readonly keepTokens?: number;
  readonly cachePrompt?: boolean;
  readonly priority?: number;
  readonly timeoutMs?: number | null;
  /** Name of the request field that an over-long prompt is blamed on. @default 'prompt' */
  readonly promptParam?: 'messages' | 'prompt';
}

/** One `start`, any number of `text`, one `finish`; or, at any point, one error and nothing after it. */
export type SchedulerSink = (event: GenerateEvent | KithError) => void;

export interface SchedulerTotals {
  readonly submitted: number;
  /** Ended by stop, length or context. */
  readonly finished: number;
  readonly aborted: number;
  readonly failed: number;
  /** Turned away at `submit` or while waiting. */
  readonly refused: number;
  /** Times a sequence lost its cells and was computed again later. */
  readonly preemptions: number;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly slidTokens: number;
  /** KV cells taken back from finished sequences. */
  readonly evictedCells: number;
  readonly passes: number;
  readonly rows: number;
  /** Passes of a sequence with guessed tokens, those tokens, and those of them that were right. */
  readonly draftRounds: number;
  readonly draftedTokens: number;
  readonly acceptedTokens: number;
}

export interface SchedulerStats {
  readonly active: number;
  /** Of the active: those whose prompt is not computed yet. */
  readonly prefilling: number;
  readonly waiting: number;
  readonly kvCells: number;
  readonly freeCells: number;
  /** Cells that only finished sequences hold; given up when needed. */
  readonly cachedCells: number;
  readonly cachedSequences: number;
  /** Generated tokens per second of computing, all sequences together, over the last passes. */
  readonly tokensPerSecond: number;
  /** Decoded tokens per second spent on passes with decodes, over the last minute; null when there was none. */
  readonly decodeTokensPerSecond: number | null;
  /** `batchHistogram[n]` = passes with n sequences. */
  readonly batchHistogram: readonly number[];
  readonly totals: SchedulerTotals;
}

export interface Scheduler extends AsyncDisposable {
  /**
   * Queues a job. Its events come later, never from within this call.
   *
   * @throws InputError `context_length_exceeded`, `prompt_empty`, `token_invalid`, `option_invalid`, `job_duplicate`
   * @throws LimitError `engine.maxQueue` (429, with retryAfter), `engine.kvCells` (400: can never fit)
   * @throws KithError `model_unloading` (503) after `drain` or disposal
   */
  submit(job: SchedulerJob, sink: SchedulerSink): void;
  /**
   * Ends a job with finish reason `aborted`, at once; a pass under way is its last. False if there is no such job.
   */
  cancel(id: string): boolean;
  stats(): SchedulerStats;
  /** Refuses new jobs from now on; resolves when every accepted job has ended. */
  drain(): Promise<void>;
}
