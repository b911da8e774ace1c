/**
 * What a program gives to the client and gets from it.
 *
 * @module client/types
 */
import type { AgentOptions } from 'node:https';

export interface NodeAddress {
  /** `http://127.0.0.1:11435`; a path is kept, a `/v1` at its end is not needed. */
  readonly url: string;
  /** @default the client's */
  readonly apiKey?: string;
  /** Sent with each request to this node. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Limits in ms; 0 = none. */
export interface Timeouts {
  /** To a connection, TLS included. @default 5000 */
  readonly connectMs?: number;
  /** From the request to the first piece of the answer, or to the whole of an answer that is no stream. @default 120000 */
  readonly firstTokenMs?: number;
  /** Between two pieces of an answer. @default 60000 */
  readonly interTokenMs?: number;
  /** The whole call, with all tries and pauses. @default 600000 */
  readonly totalMs?: number;
}

export interface ClientOptions {
  /** In the order of preference: the next is asked when one cannot answer. */
  readonly nodes: readonly (string | NodeAddress)[];
  readonly apiKey?: string;
  readonly timeouts?: Timeouts;
  /** Tries after the first, all nodes together. Only before an answer has begun. @default 3 */
  readonly retries?: number;
  /** Longest pause before a try, ms; a node that asks for a longer one is not waited for. @default 10000 */
  readonly maxPauseMs?: number;
  readonly breaker?: {
    /** Failures in a row after which a node rests. @default 5 */
    readonly failures?: number;
    /** How long it rests, ms; then one request tries it. @default 30000 */
    readonly restMs?: number;
  };
  /** Connections to one node. @default 64 */
  readonly maxConnections?: number;
  /** Longest answer that is no stream, and longest line of a stream, bytes. @default 64 MiB */
  readonly maxResponseBytes?: number;
  /** Ask for token counts at the end of streams. Some servers refuse that. @default true */
  readonly streamUsage?: boolean;
  /** For `https:` nodes: `ca`, `cert`, `key`, `checkServerIdentity`. */
  readonly tls?: Pick<
    AgentOptions,
    'ca' | 'cert' | 'key' | 'servername' | 'checkServerIdentity' | 'rejectUnauthorized'
  >;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly timeouts?: Timeouts;
  readonly retries?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON text. */
  readonly arguments: string;
}

export interface ChatMessage {
  readonly role: 'system' | 'developer' | 'user' | 'assistant' | 'tool';
  readonly content?: string | readonly unknown[] | null;
  readonly name?: string;
  readonly tool_calls?: readonly unknown[];
  readonly tool_call_id?: string;
}

/** Fields of every request for text, in the API's own names; others are sent as they are. */
export interface SamplingFields {
  /** @default the node's own */
  readonly model?: string;
  readonly temperature?: number;
  readonly top_p?: number;
  readonly max_tokens?: number;
  readonly stop?: string | readonly string[];
  readonly seed?: number;
  readonly n?: number;
  readonly [field: string]: unknown;
}

export interface ChatRequest extends SamplingFields {
  readonly messages: readonly ChatMessage[];
  readonly tools?: readonly unknown[];
  readonly tool_choice?: unknown;
  readonly response_format?: unknown;
}

export interface CompletionRequest extends SamplingFields {
  readonly prompt: string | readonly string[];
}

/** For NS-LLM's route: one text in, one out. */
export interface GenerateRequest extends SamplingFields {
  readonly prompt: string;
  /** Go on with the prompt as it stands, without the chat template. @default false */
  readonly raw?: boolean;
}

export interface EmbedRequest {
  readonly input: string | readonly string[];
  readonly model?: string;
  readonly dimensions?: number;
  readonly [field: string]: unknown;
}

/**
 * One `start`, then pieces, one `finish` per choice, `usage` where the node tells it; or the iteration throws. A call of
 * a tool is one `tool_call` and the pieces of its arguments.
 */
export type AnswerEvent =
  | {
      readonly type: 'start';
      readonly id: string;
      readonly model: string;
      readonly node: string;
      readonly requestId: string | null;
    }
  | { readonly type: 'text' | 'reasoning'; readonly choice: number; readonly text: string }
  | {
      readonly type: 'tool_call';
      readonly choice: number;
      readonly index: number;
      readonly id: string;
      readonly name: string;
    }
  | {
      readonly type: 'tool_arguments';
      readonly choice: number;
      readonly index: number;
      readonly text: string;
    }
  | { readonly type: 'finish'; readonly choice: number; readonly reason: string }
  | ({ readonly type: 'usage' } & Usage);

/** Unknown counts are null. */
export interface Usage {
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly cachedTokens: number | null;
  /** What Kith says about how the answer was made, when the request asked with `kith: { receipt: true }`. */
  readonly receipt: unknown;
}

export interface AnswerChoice {
  readonly text: string;
  readonly reasoning: string;
  readonly toolCalls: readonly ToolCall[];
  /** `stop`, `length`, `tool_calls`, ... */
  readonly finishReason: string;
}

export interface WholeAnswer {
  readonly id: string;
  readonly model: string;
  readonly node: string;
  readonly requestId: string | null;
  readonly choices: readonly AnswerChoice[];
  /** Text of the first choice. */
  readonly text: string;
  readonly usage: Usage | null;
}

/** An answer on its way. Nothing is sent before it is iterated, or `whole` is called; it can be read once. */
export interface Answer extends AsyncIterable<AnswerEvent> {
  /** Reads to the end. */
  whole(): Promise<WholeAnswer>;
}

export interface Embeddings {
  /** One for each input, in their order. */
  readonly vectors: readonly Float32Array[];
  readonly model: string;
  readonly node: string;
  readonly tokens: number | null;
}

export interface Model {
  readonly id: string;
  readonly ownedBy: string | null;
  /** All fields as the node gave them. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export type BreakerState = 'closed' | 'open' | 'half_open';

export interface NodeHealth {
  readonly node: string;
  /** Requests can be answered. */
  readonly ok: boolean;
  /** `ok`, `starting`, `degraded`, `stopping` of a Kith node; `ok` of another server; `unreachable`. */
  readonly status: string;
  readonly message: string | null;
  readonly version: string | null;
  /** ms until the answer; null when there was none. */
  readonly latencyMs: number | null;
  /** What this client makes of it: `open` while it rests after failures. */
  readonly breaker: BreakerState;
}

export interface Client extends AsyncDisposable {
  chat(request: ChatRequest, options?: CallOptions): Answer;
  complete(request: CompletionRequest, options?: CallOptions): Answer;
  generate(request: GenerateRequest, options?: CallOptions): Answer;
  embed(request: EmbedRequest, options?: CallOptions): Promise<Embeddings>;
  models(options?: CallOptions): Promise<readonly Model[]>;
  /** Asks every node once, resting or not. Never throws but when aborted. */
  health(options?: Pick<CallOptions, 'signal' | 'timeouts'>): Promise<readonly NodeHealth[]>;
  /** Ends calls under way and closes the connections. */
  close(): void;
}

/** Time and chance, for tests. */
export interface Surroundings {
  /** ms, never going back. */
  readonly now: () => number;
  /** 0 to 1. */
  readonly random: () => number;
}
