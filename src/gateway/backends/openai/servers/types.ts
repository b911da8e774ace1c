/**
 * How servers that speak OpenAI's API differ: one value for each kind of server, beside this file.
 *
 * @module gateway/backends/openai/servers/types
 */

export interface ServerKind {
  readonly kind: string;
  /** Takes `stream_options.include_usage`; elsewhere it is left out, as some refuse the field. */
  readonly includeUsage: boolean;
  readonly maxTokens: 'max_tokens' | 'max_completion_tokens';
  /** Null: it has none, and the seed is left out. */
  readonly seed: 'seed' | 'random_seed' | null;
  /** Names of options beyond OpenAI's; null: it does not know them. */
  readonly topK: string | null;
  readonly minP: string | null;
  readonly repeatPenalty: string | null;
  readonly penalties: boolean;
  readonly logitBias: boolean;
  readonly logprobs: boolean;
  /** Takes `n` above 1. */
  readonly choices: boolean;
  /** How it goes on from the beginning of an answer; null: it cannot. */
  readonly prefill: 'last_message' | 'continue_final_message' | 'prefix' | null;
  /** Takes `chat_template_kwargs`. */
  readonly templateVariables: boolean;
  /** Word of `tool_choice` for "at least one call". */
  readonly required: 'required' | 'any';
  /** `closed`: only where each object of the schema forbids and requires as OpenAI's strict form wants it. */
  readonly strictSchema: 'always' | 'closed';
  readonly parallelToolCalls: boolean;
  /** Has `/completions`. */
  readonly completions: boolean;
  /** Takes token ids as prompts and inputs. */
  readonly tokenInputs: boolean;
  /** Takes several prompts in one completion request. */
  readonly promptLists: boolean;
  /** Takes `encoding_format: base64`, a third of the bytes. */
  readonly base64: boolean;
  /** Field and value that make it cut inputs that are too long; null: it has none. */
  readonly truncate: readonly [field: string, value: unknown] | null;
  /** Inputs in one embedding request. */
  readonly maxInputs: number;
  /** Path that says whether it answers; null: its list of models. */
  readonly healthPath: string | null;
}
