/**
 * What the engine process keeps for a loaded model, whichever runner computes it.
 *
 * @module engine/process/hosted
 */

import type { ForwardPart, ForwardResult } from '../runner/types.ts';
import type { EncodeOptions, EngineOptions, GenerateEvent, LoadedModel, Prompt } from '../types.ts';
import type { GenerateJob } from './job.ts';
import type { Leases } from './leases.ts';
import type { ModelStatus } from './types.ts';

/** The messages of a prompt as they cross the process boundary. */
export type Conversation = Omit<Extract<Prompt, { kind: 'messages' }>, 'kind'>;

export interface HostedModel extends AsyncDisposable {
  readonly loaded: LoadedModel;
  /** True when only this model itself can tokenize for it: its tokenizer is not written in TypeScript. */
  readonly tokenizes: boolean;
  /** Bytes to count against the memory limit. */
  readonly totalBytes: number;
  /**
   * Emits the events of one generation in order, the last one `finish`; resolves after it. An abort ends it with finish
   * `aborted`, or with AbortedError when it had not started. Null for models that do not write text.
   */
  readonly generate:
    | ((job: GenerateJob, emit: (event: GenerateEvent) => void, signal: AbortSignal) => Promise<void>)
    | null;
  /** Null for models that make no embeddings. */
  readonly embed:
    | ((
        rows: readonly Int32Array[],
        signal: AbortSignal,
      ) => Promise<{ vectors: Float32Array; dimension: number }>)
    | null;
  /**
   * The relevance of passages to a query, as logits, and the tokens of each pair. Both come without specials. Null for models that
   * are no rerankers.
   */
  readonly rank:
    | ((
        query: Int32Array,
        passages: readonly Int32Array[],
        signal: AbortSignal,
      ) => Promise<{ scores: Float32Array; tokens: readonly number[] }>)
    | null;
  readonly forward: ((parts: readonly ForwardPart[]) => Promise<ForwardResult>) | null;
  /** KV cells to lend; null where a scheduler owns them, or there are none. */
  readonly leases: Leases | null;
  readonly tokenize: (text: string, options: EncodeOptions) => Int32Array;
  readonly detokenize: (tokens: Int32Array) => string;
  /** A conversation through the model's chat template, as tokens. Null where the text thread does that. */
  readonly prepare: ((conversation: Conversation) => Int32Array) | null;
  status(): Omit<ModelStatus, 'id' | 'runner'>;
  /** Takes no new work and resolves when the work in flight is done. */
  drain(): Promise<void>;
}

/** What a loader gets besides the file. */
export interface HostingContext {
  readonly options: EngineOptions;
  readonly signal: AbortSignal;
  readonly onProgress: (doneBytes: number, totalBytes: number) => void;
  /** Lines of the native libraries. */
  readonly onLog: (level: number, text: string) => void;
}

/**
 * A prompt as its text shows it. Tokenizers that put a space before a text take it off again at the first token; the
 * token that begins every prompt would hide it from them.
 */
export function withoutBos(tokens: Int32Array, bos: number | null): Int32Array {
  return bos !== null && tokens[0] === bos ? tokens.subarray(1) : tokens;
}

/** Scales each row to length 1. A row of zeros stays as it is. */
export function normaliseRows(vectors: Float32Array, dimension: number): void {
  for (let start = 0; start < vectors.length; start += dimension) {
    const row = vectors.subarray(start, start + dimension);
    let sum = 0;
    for (const value of row) sum += value * value;
    if (sum === 0) continue;
    const scale = 1 / Math.sqrt(sum);
    for (let i = 0; i < row.length; i++) row[i] = (row[i] as number) * scale;
  }
}
