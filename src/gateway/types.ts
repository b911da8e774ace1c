/**
 * What the gateway takes, what it answers, and the one narrow interface behind which anything that can answer
 * for a model id stands.
 *
 * @module gateway/types
 */
import type { ChatMessage, FinishReason, Grammar, SamplerOptions, TokenLogprobs } from '../engine/index.ts';

/** Options that chat and completion requests share. */
export interface GenerationOptions {
  /** Model id; null = the configured default for the task. */
  readonly model: string | null;
  /** Choices to generate for each prompt, run as parallel sequences. Choice i uses seed + i. */
  readonly n: number;
  readonly sampler: Partial<SamplerOptions>;
  /** Tokens per choice; null = as many as limits and context allow. */
  readonly maxTokens: number | null;
  readonly stop: readonly string[];
  /** Null = as configured. */
  readonly overflow: 'error' | 'slide' | null;
  readonly keepTokens: number;
  /** Whole-request limit in ms; null = the engine's configured limit. */
  readonly timeoutMs: number | null;
  readonly signal: AbortSignal;
}

export interface ChatRequest extends GenerationOptions {
  readonly messages: readonly ChatMessage[];
  /** Form that the answer is held to. @default any text */
  readonly grammar?: Grammar;
}

export interface CompletionRequest extends GenerationOptions {
  /** Texts or token ids. Choice index = prompt index × n + i. */
  readonly prompts: readonly (string | Int32Array)[];
  readonly echo: boolean;
}

export interface EmbeddingRequest {
  readonly model: string | null;
  readonly inputs: readonly (string | Int32Array)[];
  /** Cut inputs longer than the model's window instead of refusing them. */
  readonly truncate: boolean;
  readonly signal: AbortSignal;
}

/** Facts about how an answer was made. Unknown values are null. */
export interface Receipt {
  readonly backend: string;
  readonly model: string;
  /** ms waited for a place in the batch; the longest of the choices. */
  readonly queueMs: number | null;
  /** ms from admission to the first token; the longest of the choices. */
  readonly prefillMs: number | null;
  /** ms from first to last token; the longest of the choices. */
  readonly decodeMs: number | null;
}

/** One `start`, any number of `text`, one `finish` per choice, then one `usage`; or the iteration throws. */
export type ChatEvent =
  | { readonly type: 'start'; readonly backend: string; readonly model: string }
  | {
      readonly type: 'text';
      readonly choice: number;
      readonly text: string;
      readonly logprobs: readonly TokenLogprobs[] | null;
    }
  | {
      readonly type: 'finish';
      readonly choice: number;
      readonly reason: FinishReason;
      readonly stop: string | null;
      /** Tokens the `slide` policy dropped from the context. */
      readonly slidTokens: number;
    }
  | {
      readonly type: 'usage';
      readonly promptTokens: number;
      readonly cachedTokens: number;
      readonly completionTokens: number;
      readonly receipt: Receipt;
    };

export interface EmbeddingAnswer {
  /** Row-major, inputs × dimension, rows L2-normalised. */
  readonly vectors: Float32Array;
  readonly dimension: number;
  readonly tokens: readonly number[];
  readonly receipt: Receipt;
}

export interface BackendModel {
  readonly id: string;
  readonly task: 'chat' | 'completion' | 'embedding';
  /** `loaded`: answers at once; `ready`: on disk; `available`: has to be fetched first. */
  readonly state: 'loaded' | 'ready' | 'available';
  readonly ownedBy: string;
  /** Context window in tokens, null when unknown. */
  readonly context: number | null;
  /** ms since epoch when the model was verified here; null when it never was. */
  readonly since: number | null;
}

export interface BackendHealth {
  readonly status: 'ok' | 'starting' | 'degraded';
  /** ms the backend took to answer this probe; null when it was not asked or did not answer. */
  readonly latencyMs: number | null;
  readonly modelsAvailable: number;
  readonly modelsLoaded: number;
  /** What is wrong or going on, for people; null when nothing is. */
  readonly message: string | null;
}

/** Anything that answers for a model id. */
export interface Backend {
  readonly name: string;
  /** True when this backend would try to answer for the id (it may still have to load it). */
  has(model: string): Promise<boolean>;
  /** Default model id for a task; null when the backend has none. */
  defaultModel(task: 'chat' | 'embedding'): string | null;
  models(): Promise<readonly BackendModel[]>;
  chat(request: ChatRequest): AsyncIterable<ChatEvent>;
  complete(request: CompletionRequest): AsyncIterable<ChatEvent>;
  embed(request: EmbeddingRequest): Promise<EmbeddingAnswer>;
  health(signal?: AbortSignal): Promise<BackendHealth>;
}
