/**
 * Shapes that the engine shares with the rooms above it and between its own parts.
 *
 * @module engine/types
 */

/** How the next token is chosen. Neutral values switch a step off. Order of steps: logit bias, penalties
 *  (repeat, presence, frequency), [grammar mask], temperature, top-k, top-p, min-p, draw. */
export interface SamplerOptions {
  /** 0 = greedy (argmax, lowest id wins ties). @default 0.7 */
  readonly temperature: number;
  /** Keep the k most likely; 0 = off. @default 40 */
  readonly topK: number;
  /** Nucleus mass; 1 = off. @default 0.95 */
  readonly topP: number;
  /** Minimum probability relative to the best; 0 = off. @default 0.05 */
  readonly minP: number;
  /** llama.cpp-style multiplicative penalty on the last `repeatLastN` tokens; 1 = off. @default 1 */
  readonly repeatPenalty: number;
  /** Tokens looked back at by all three penalties; -1 = whole context, 0 = off. @default 64 */
  readonly repeatLastN: number;
  /** OpenAI presence penalty, -2..2. @default 0 */
  readonly presencePenalty: number;
  /** OpenAI frequency penalty, -2..2. @default 0 */
  readonly frequencyPenalty: number;
  /** token id -> added to its logit (-100 bans, OpenAI semantics). */
  readonly logitBias: readonly (readonly [token: number, bias: number])[];
  /** Unsigned 32-bit seed: same seed and same logits, same tokens. */
  readonly seed: number;
  /** Number of alternatives reported per token (0..20); null = no logprobs at all. @default null */
  readonly topLogprobs: number | null;
}

export interface TokenLogprob {
  readonly token: number;
  /** Bytes of the token (may be a part of a character). */
  readonly bytes: Uint8Array;
  /** Natural log probability under the model's raw distribution (softmax of unmodified logits). */
  readonly logprob: number;
}
export interface TokenLogprobs extends TokenLogprob {
  readonly top: readonly TokenLogprob[];
}

/** What a sampler reports for one step. */
export interface SampledToken {
  readonly token: number;
  readonly logprobs: {
    readonly logprob: number;
    readonly top: readonly (readonly [token: number, logprob: number])[];
  } | null;
}

/** One sequence's choice of tokens. Pure arithmetic over one logits row; owns its random state and history. */
export interface Sampler {
  /** Chooses from `logits` (length n_vocab; may be modified in place) and records the token in its history. */
  sample(logits: Float32Array): SampledToken;
  /** Records tokens that were not sampled (the prompt), oldest first, so that penalties see them. */
  accept(tokens: Int32Array | readonly number[]): void;
}

export interface EncodeOptions {
  /** Add BOS / EOS / CLS / SEP as the model's metadata asks. @default true */
  readonly addSpecial?: boolean;
  /** Recognise special tokens written in the text (chat templates need it; user text must not). @default false */
  readonly parseSpecial?: boolean;
}

export interface Tokenizer {
  /** GGUF `tokenizer.ggml.model`: llama (SentencePiece BPE), gpt2 (byte-level BPE), bert (WordPiece). */
  readonly kind: 'llama' | 'gpt2' | 'bert';
  readonly size: number;
  readonly bos: number | null;
  readonly eos: number | null;
  /** End-of-generation ids: eos, eot, `<|im_end|>` and their like, as llama.cpp decides them. */
  readonly eog: ReadonlySet<number>;
  encode(text: string, options?: EncodeOptions): Int32Array;
  /** UTF-8 bytes a token stands for in running text; empty for control tokens unless `special`. */
  bytes(token: number, special?: boolean): Uint8Array;
  /** Text of tokens as llama.cpp's detokenize gives it. Incomplete UTF-8 becomes U+FFFD. */
  decode(tokens: Int32Array | readonly number[], options?: { special?: boolean }): string;
}

export interface ChatMessage {
  readonly role: string;
  readonly content: string | null;
  readonly name?: string;
  readonly tool_calls?: readonly unknown[];
  readonly tool_call_id?: string;
}

/** What to generate from. Messages go through the model's chat template in the text thread. */
export type Prompt =
  | { readonly kind: 'tokens'; readonly tokens: Int32Array }
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'messages';
      readonly messages: readonly ChatMessage[];
      readonly tools?: readonly unknown[];
      /** Extra template variables (`enable_thinking`, ...). */
      readonly variables?: Readonly<Record<string, unknown>>;
      /** Text that the answer begins with: it stands after what the template writes. */
      readonly prefill?: string;
    };

/**
 * What the whole answer must look like. Every token is chosen among those after which the answer can still be completed,
 * at any temperature; the model can end only where the answer is complete, and the answer ends by itself where nothing
 * can follow. Cut by `maxTokens`, the context or a stop string, it is incomplete.
 *
 * - `json_schema`: a value of a JSON Schema (2020-12; the subset is in docs/structured-output.md), in the form of
 *   JSON.stringify with at most one space after each comma and colon, properties in the schema's order. A keyword
 *   outside the subset is refused, never ignored.
 * - `json_object`: any JSON object.
 * - `regex`: a text that the expression matches from end to end (ECMA-262 without look-around, `\b` and references).
 * - `literal`, `sequence`, `choice`: these texts, one after the other, one of them.
 * - `repeat`: `part` once or more often, with `between` between two.
 * - `text`: any text. It may end anywhere, until one of the texts `until` is written (anywhere, or only at its very start
 *   with `at: 'start'`): what comes right after it is `next`. This is how an answer is free until it calls a tool.
 */
export type Grammar =
  | { readonly kind: 'json_schema'; readonly schema: unknown }
  | { readonly kind: 'json_object' }
  | { readonly kind: 'regex'; readonly pattern: string }
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'sequence'; readonly parts: readonly Grammar[] }
  | { readonly kind: 'choice'; readonly options: readonly Grammar[] }
  | { readonly kind: 'repeat'; readonly part: Grammar; readonly between: Grammar }
  | {
      readonly kind: 'text';
      readonly until: readonly string[];
      readonly next: Grammar;
      readonly at?: 'start';
    };

/**
 * How a chat template writes tool calls, as far as Kith knows it. `hermes`: `<tool_call>{"name", "arguments"}</tool_call>`;
 * `llama3`: the answer is `{"name", "parameters"}`; `mistral`: `[TOOL_CALLS][{"name", "arguments"}]`.
 */
export type ToolStyle = 'hermes' | 'llama3' | 'mistral';

export interface GenerateRequest {
  /** Model id as given to `load`. */
  readonly model: string;
  readonly prompt: Prompt;
  readonly sampler: Partial<SamplerOptions>;
  /** Tokens to generate at most; null = as many as the context holds. */
  readonly maxTokens: number | null;
  /** Generation ends before the first of these; matched on text, across token boundaries. */
  readonly stop: readonly string[];
  /** Holds the answer to a form. @default none */
  readonly grammar?: Grammar;
  /**
   * Texts of control tokens that are text in this answer: the grammar reads them, the stream shows them. Those that are
   * not in the vocabulary, or no control tokens there, change nothing. @default none
   */
  readonly shown?: readonly string[];
  /** What to do when prompt + maxTokens exceed the context. `error` refuses a prompt that does not fit and ends
   *  with finish `length` when the context is full; `slide` drops the oldest tokens after the first
   *  `keepTokens` in steps of half the context and recomputes (stated in the `finish` event). @default 'error' */
  readonly overflow?: 'error' | 'slide';
  /** With `slide`: tokens kept at the start (system prompt). @default 0 */
  readonly keepTokens?: number;
  /** Include the prompt's own tokens' text in the stream (OpenAI `echo`). @default false */
  readonly echo?: boolean;
  /** Share computed prefixes with other requests. @default true */
  readonly cachePrompt?: boolean;
  /** Larger goes first among those that wait. @default 0 */
  readonly priority?: number;
  /** Whole-request limit in ms from the call; null = the configured default. */
  readonly timeoutMs?: number | null;
}

export type FinishReason = 'stop' | 'length' | 'aborted';

export interface GenerateUsage {
  readonly promptTokens: number;
  /** Prompt tokens whose KV was already there. */
  readonly cachedTokens: number;
  readonly completionTokens: number;
  /** ms from call to admission into the batch. */
  readonly queueMs: number;
  /** ms from admission to the first sampled token. */
  readonly prefillMs: number;
  /** ms from first to last token. */
  readonly decodeMs: number;
  /** Tokens that were guessed and checked several at once; absent when none were. */
  readonly draftedTokens?: number;
  /** Of them those that the model chose, too. */
  readonly acceptedTokens?: number;
}

/** Always: one `start`, any number of `text`, then exactly one `finish`; or the iteration throws a KithError. */
export type GenerateEvent =
  | { readonly type: 'start'; readonly promptTokens: number; readonly cachedTokens: number }
  | {
      readonly type: 'text';
      readonly text: string;
      readonly tokens: number;
      readonly logprobs: readonly TokenLogprobs[] | null;
    }
  | {
      readonly type: 'finish';
      readonly reason: FinishReason;
      /** The stop string that matched, or null. */
      readonly stop: string | null;
      /** Tokens dropped from the context by the `slide` policy. */
      readonly slidTokens: number;
      readonly usage: GenerateUsage;
    };

export interface EmbedRequest {
  readonly model: string;
  /** Texts, or token ids with specials as the caller wants them. */
  readonly inputs: readonly (string | Int32Array)[];
  /** Cut inputs longer than the model's window instead of refusing them. @default false */
  readonly truncate?: boolean;
}
export interface EmbedResult {
  /** Row-major, inputs.length x dimension, each row L2-normalised. */
  readonly vectors: Float32Array;
  readonly dimension: number;
  /** Tokens per input. */
  readonly tokens: readonly number[];
}

export interface RankRequest {
  readonly model: string;
  readonly query: string;
  /** Those beyond the model's window lose their ends. */
  readonly passages: readonly string[];
  /** Cut a query longer than half of the window instead of refusing it. @default false */
  readonly truncateQuery?: boolean;
}
export interface RankResult {
  /** A logit for each passage: larger is more relevant, comparable within one query only. */
  readonly scores: Float32Array;
  /** Tokens of each pair that was read. */
  readonly tokens: readonly number[];
}

export interface LoadRequest {
  /** Id used in later requests. */
  readonly id: string;
  /** Path of a GGUF (verified by the models room). */
  readonly path: string;
  /** Block range [from, to). Whole model: from 0, to = number of blocks. @default whole */
  readonly range?: BlockSpan & {
    readonly embed: boolean;
    readonly head: boolean;
  };
  /**
   * Blocks [from, to) of a whole text model that are not loaded: `LoadOptions.carry` takes hidden states through them. The
   * file may lack their tensors' bytes. Not together with `range`.
   */
  readonly elsewhere?: Elsewhere;
  /** Jinja chat template that goes before the one in the file. @default the file's own */
  readonly template?: string;
}

/** Blocks [from, to) of a model. */
export interface BlockSpan {
  readonly from: number;
  readonly to: number;
}

export interface Elsewhere extends BlockSpan {
  /** KV cells that there are for them, shared by all sequences. */
  readonly kvCells: number;
  /** Rows of a long prompt that travel together. @default 128 */
  readonly pieceRows?: number;
}

export interface LoadedModel {
  readonly id: string;
  readonly architecture: string;
  /** `kith` = our graphs; `node-llama-cpp` = compatibility path for architectures without a graph file. */
  readonly runner: 'kith' | 'node-llama-cpp';
  readonly task: 'text' | 'embedding' | 'rerank';
  readonly blocks: number;
  readonly embedding: number;
  readonly vocab: number;
  /** Context in tokens one sequence may use. */
  readonly context: number;
  /** KV cells shared by all sequences. */
  readonly kvCells: number;
  readonly device: string;
  readonly weightBytes: number;
  readonly kvBytes: number;
  readonly loadMs: number;
  readonly hasTemplate: boolean;
  /** How its template writes tool calls; null when the template does not, or in a way that is not known here. */
  readonly toolStyle: ToolStyle | null;
}

export interface EngineOptions {
  /** Compute threads. @default cores - 1, at least 1 */
  readonly threads: number;
  /** Device to prefer: `auto` tries CUDA, Vulkan, Metal, then CPU. @default 'auto' */
  readonly device: 'auto' | 'cpu' | 'cuda' | 'vulkan' | 'metal';
  /** KV cache element type. @default 'f16' */
  readonly kvType: 'f32' | 'f16' | 'q8_0' | 'q4_0';
  /** Context per sequence; null = the model's own, bounded by memory. */
  readonly context: number | null;
  /** KV cells shared by all sequences; null = chosen from context, active limit and memory. */
  readonly kvCells: number | null;
  /** Sequences decoded together at most. @default 16 */
  readonly maxActive: number;
  /** Requests that wait at most; over it 429. @default 64 */
  readonly maxQueue: number;
  /** ms a request may wait for its turn; over it 503. @default 30000 */
  readonly maxWaitMs: number;
  /** ms one request may run; over it finish `length` with what was generated. @default 600000 */
  readonly maxRunMs: number;
  /** Tokens one request may generate. @default 4096 */
  readonly maxTokens: number;
  /** Prompt rows per forward pass. @default 256 */
  readonly prefillChunk: number;
  /** Guess tokens from the text so far and check several at once, where that is faster. @default 'auto' */
  readonly speculation: 'auto' | 'off';
  /** Bytes of memory the engine may use for weights and KV; null = 80 % of what is free at load. */
  readonly memoryBytes: number | null;
}
