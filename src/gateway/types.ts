/**
 * What the gateway takes, what it answers, and the one narrow interface behind which anything that can answer
 * for a model id stands.
 *
 * @module gateway/types
 */
import type {
  BlockSpan,
  ChatMessage,
  FinishReason as EngineFinishReason,
  Grammar,
  SamplerOptions,
  TokenLogprobs,
} from '../engine/index.ts';
import type { PeerRequirements } from '../trust/index.ts';
import type { CacheNote } from './cache/types.ts';
import type { FoundClass, PrivacyLevel } from './privacy/index.ts';
import type { RelayPort } from './relay/types.ts';
import type { AttemptRecord } from './resilience/types.ts';
import type { LadderStep, Terms } from './terms.ts';

/** `tool_calls`: the answer ended because the model called tools. */
export type FinishReason = EngineFinishReason | 'tool_calls';

/** A function that the caller offers to the model. The node never runs it. */
export interface ToolDefinition {
  /** 1 to 64 of A-Z, a-z, 0-9, `_`, `-`. */
  readonly name: string;
  readonly description: string | null;
  /** JSON Schema of the arguments; null = an object without properties. */
  readonly parameters: unknown;
  /**
   * True: a schema keyword outside the supported subset is an error. False: such a tool's arguments are held to any
   * JSON object, and the receipt's notes say so.
   */
  readonly strict: boolean;
}

/** `auto`: text, calls or both; `required`: at least one call; a name: that tool, once. */
export type ToolChoice = 'auto' | 'none' | 'required' | { readonly name: string };

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
  /** @default OWN_TERMS */
  readonly terms?: Terms;
  /** What it asks of peers beside its terms; the stricter of both holds. Backends get what holds. @default nothing */
  readonly peers?: PeerRequirements;
  /** Sent along to another server, by names in lower case. @default none */
  readonly headers?: Readonly<Record<string, string>>;
  /** True when `sampler.seed` was drawn because the caller gave none. @default false */
  readonly drawnSeed?: boolean;
  /** The caller passes nothing on before the answer is whole, so that it may begin anew unseen. @default false */
  readonly whole?: boolean;
}

export interface ChatRequest extends GenerationOptions {
  readonly messages: readonly ChatMessage[];
  /** Form that the answer is held to. @default any text */
  readonly grammar?: Grammar;
  /** @default none */
  readonly tools?: readonly ToolDefinition[];
  /** @default 'auto' */
  readonly toolChoice?: ToolChoice;
  /** False: at most one call in an answer. @default true */
  readonly parallelToolCalls?: boolean;
  /** Extra template variables (`enable_thinking`, ...). */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Text that the answer begins with. The model goes on from it; the events carry only what comes after it. */
  readonly prefill?: string;
  /** Attempts at this request that came to nothing: the account of it begins with them. @default none */
  readonly before?: readonly AttemptRecord[];
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
  /** Numbers in each vector, where the model was trained to be cut. @default null, the model's own */
  readonly dimensions?: number | null;
  readonly signal: AbortSignal;
  /** @default OWN_TERMS */
  readonly terms?: Terms;
  /** As in chat requests. @default nothing */
  readonly peers?: PeerRequirements;
  /** Sent along to another server, by names in lower case. @default none */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface RankingRequest {
  /** Null = the configured reranker. */
  readonly model: string | null;
  readonly query: string;
  /** Those beyond the model's window lose their ends. */
  readonly documents: readonly string[];
  /** Cut a query longer than half of the model's window instead of refusing it. @default false */
  readonly truncateQuery?: boolean;
  readonly signal: AbortSignal;
  /** @default OWN_TERMS */
  readonly terms?: Terms;
}

export interface RankingAnswer {
  /** A logit for each document: larger is more relevant, comparable within one query only. */
  readonly scores: Float32Array;
  /** Tokens of the query with each document. */
  readonly tokens: readonly number[];
  readonly receipt: Receipt;
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
  /** Tokens that were guessed and checked several at once, and those of them that held; absent when none were. */
  readonly draftedTokens?: number;
  readonly acceptedTokens?: number;
  /** What the caller should know about how the request was taken, one sentence each. */
  readonly notes: readonly string[];
  /** How the gateway came by the answer; absent on what a backend says of itself. */
  readonly route?: RouteReport;
  /** Which nodes computed the blocks of the model; absent where one machine computed all of them. */
  readonly path?: PathReport;
}

/** The way of an answer through nodes that each computed some blocks of the model. */
export interface PathReport {
  readonly circuit: string;
  /** Blocks of the model. */
  readonly blocks: number;
  /** Blocks that peers computed. The embedding, the head, sampling and all other blocks were this machine's. */
  readonly span: BlockSpan;
  /** Who computed which blocks when the answer ended, in order. */
  readonly shards: readonly PathShard[];
  /** How hidden states travelled; `auto`: by what each link is like. */
  readonly type: 'f32' | 'f16' | 'i8' | 'auto';
  /** Shards that were lost or left while the answer was made, and why. Until then they computed its tokens. */
  readonly lost: readonly (PathShard & { readonly reason: string })[];
  /** Shards that took their places. */
  readonly joined: readonly PathShard[];
  /** ms in which the answer stood still for that. */
  readonly pausedMs: number;
  /** Where a second path through other peers computes the same (`shards.redundancy`); absent where that is not asked for. */
  readonly twice?: PathTwice;
  /** Steps through the path while the answer was made, also those of other answers that shared it. */
  readonly steps: number;
  /** Mean ms of a step, from hidden states out to hidden states back; null without steps. */
  readonly stepMs: number | null;
  /** Bytes of hidden states, out and back, before they are encoded. */
  readonly bytes: number;
}

export interface PathTwice {
  /** Who computed the same when the answer ended; empty when there was no second path. */
  readonly by: readonly PathShard[];
  /** Steps whose rows were compared before they were given. */
  readonly compared: number;
  /** Steps that were computed once only. */
  readonly alone: number;
  /** Times that rows differed and nobody could tell who was right. */
  readonly unsettled: number;
}

export interface PathShard extends BlockSpan {
  /** PeerId. */
  readonly peer: string;
}

/** How an answer was come by. */
export interface RouteReport {
  readonly step: LadderStep;
  /** Backends that were asked or passed over, in order. */
  readonly attempts: readonly AttemptRecord[];
  readonly privacy: PrivacyEvidence;
  /** Null when the answer was made for this request. */
  readonly cache: CacheNote | null;
  /** Money that it cost, in the unit of the owner's prices; null = unknown. 0 on the owner's own machines. */
  readonly cost: number | null;
  /** How it was decided whether the local model would do; null where that was no question. */
  readonly complexity: ComplexityNote | null;
}

/** What was done for the request's privacy. Holds no values that were found. */
export interface PrivacyEvidence {
  readonly level: PrivacyLevel;
  /** Where it was computed; null when nothing was. */
  readonly where: 'this_machine' | 'owned' | 'peer' | 'provider' | null;
  /** How it got there; null on this machine. */
  readonly link: 'encrypted' | 'owned_network' | 'open' | null;
  /** What was replaced before it left, by class; null when nothing had to be. */
  readonly replaced: readonly FoundClass[] | null;
}

export interface ComplexityNote {
  readonly side: 'local' | 'frontier';
  readonly by: 'score' | 'lot' | 'forced';
  /** 0 to 1, share of the newest prompts for which the frontier model would do less; null where nothing was scored. */
  readonly score: number | null;
  readonly threshold: number;
  /** Name under which the outcome can be told (`POST /kith/v1/feedback`). */
  readonly decision: string;
}

/**
 * One `start`, any number of `text`, `tool_call` and `tool_arguments`, one `finish` per choice, then one `usage`; or
 * the iteration throws. A call is one `tool_call` and the pieces of its arguments after it, before the next call of the
 * same choice begins. The pieces together are one JSON object, unless the choice ends with `length`.
 */
export type ChatEvent =
  | {
      readonly type: 'start';
      readonly backend: string;
      readonly model: string;
      /** As far as it is known before the first token. */
      readonly route?: RouteReport;
      /** Tokens of the prompt and how many of them were in the cache, where they are known before the first token. */
      readonly promptTokens?: number;
      readonly cachedTokens?: number;
    }
  | {
      readonly type: 'text';
      readonly choice: number;
      readonly text: string;
      readonly logprobs: readonly TokenLogprobs[] | null;
    }
  | {
      readonly type: 'tool_call';
      readonly choice: number;
      /** Of the call within its choice, from 0. */
      readonly index: number;
      /** Visible ASCII: `call_` and letters where it was made here. The caller names it in the tool's answer. */
      readonly id: string;
      readonly name: string;
    }
  | {
      readonly type: 'tool_arguments';
      readonly choice: number;
      readonly index: number;
      readonly text: string;
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
      /** Null: the backend did not say. */
      readonly promptTokens: number | null;
      /** Of the prompt's tokens: those that did not have to be computed again. Null: the backend did not say. */
      readonly cachedTokens: number | null;
      /** Of all choices. Null: the backend did not say. */
      readonly completionTokens: number | null;
      readonly receipt: Receipt;
    };

export interface EmbeddingAnswer {
  /** Row-major, inputs × dimension, rows L2-normalised. */
  readonly vectors: Float32Array;
  readonly dimension: number;
  /** Of each input; null: the backend did not say. */
  readonly tokens: readonly (number | null)[];
  readonly receipt: Receipt;
}

export interface BackendModel {
  readonly id: string;
  readonly task: 'chat' | 'completion' | 'embedding' | 'rerank';
  /** `loaded`: answers at once; `ready`: on disk; `available`: has to be fetched first. */
  readonly state: 'loaded' | 'ready' | 'available';
  readonly ownedBy: string;
  /** PeerId of the node that has it. @default none: it is here, or at another server */
  readonly peer?: string;
  /** Context window in tokens, null when unknown. */
  readonly context: number | null;
  /** ms since epoch when the model was verified here; null when it never was. */
  readonly since: number | null;
  /** Bytes of the file. */
  readonly bytes?: number;
  /** sha256 of the file, hex. */
  readonly digest?: string;
  /** Architecture: llama, qwen2, bert, ... */
  readonly family?: string;
  /** How the weights are stored, as people name it: F16, Q8_0, ... */
  readonly quantisation?: string;
  /** True when nothing has to be fetched before it can answer. */
  readonly installed?: boolean;
}

/** What is known of a model beyond its row in the list. */
export interface ModelDescription extends BackendModel {
  /** SPDX id, or null. */
  readonly licence: string | null;
  /** Numbers that its weights are; null while the file is not here. */
  readonly parameters: number | null;
  /** Width of the hidden state, and of its vectors. */
  readonly embedding: number | null;
  /** Its chat template (Jinja); null when it has none, or while the file is not here. */
  readonly template: string | null;
  /** What its file says about it, but for lists and the template; null while the file is not here. */
  readonly metadata: Readonly<Record<string, string | number | boolean>> | null;
}

export interface BackendHealth {
  readonly status: 'ok' | 'starting' | 'degraded';
  /** ms the backend took to answer this probe; null when it was not asked or did not answer. */
  readonly latencyMs: number | null;
  readonly modelsAvailable: number;
  readonly modelsLoaded: number;
  readonly breaker: {
    /** `open`: failed too often lately, requests are refused at once; `half_open`: one is let through to try. */
    readonly state: 'closed' | 'open' | 'half_open';
    /** Failures that count towards opening it. */
    readonly failures: number;
  };
  /** What is wrong or going on, for people; null when nothing is. */
  readonly message: string | null;
  /** False when every request to it would fail now. @default true */
  readonly answers?: boolean;
}

/** Anything that answers for a model id. */
export interface Backend {
  readonly name: string;
  /** True when this backend would try to answer for the id (it may still have to load it). */
  has(model: string): Promise<boolean>;
  /** Default model id for a task; null when the backend has none. */
  defaultModel(task: 'chat' | 'embedding'): string | null;
  models(): Promise<readonly BackendModel[]>;
  /** @default what `models` says, and nothing else known */
  describe?(model: string): Promise<ModelDescription>;
  chat(request: ChatRequest): AsyncIterable<ChatEvent>;
  complete(request: CompletionRequest): AsyncIterable<ChatEvent>;
  /** Tokens of the prompt that `chat` would make of the request, template and tools included. */
  countTokens(request: ChatRequest): Promise<number>;
  embed(request: EmbeddingRequest): Promise<EmbeddingAnswer>;
  /** @default it ranks nothing */
  rank?(request: RankingRequest): Promise<RankingAnswer>;
  health(signal?: AbortSignal): Promise<BackendHealth>;
  /**
   * Connections to its server that are open, and requests that are under way or wait for one.
   *
   * @default it has none
   */
  connections?(): { readonly open: number; readonly busy: number };
  /** How its server takes requests whose bytes need no change. @default it takes none */
  readonly relay?: RelayPort;
}
