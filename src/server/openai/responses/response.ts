/**
 * The Response object and the items of its output, as OpenAI's API and the Open Responses specification name them.
 *
 * @module server/openai/responses/response
 */
import type { ChatEvent } from '../../../gateway/index.ts';
import type { chatLogprobs } from '../logprobs.ts';

/** What the answer repeats of the request, defaults filled in. Null where it was not said. */
export interface Echo {
  readonly instructions: string | null;
  readonly max_output_tokens: number | null;
  readonly max_tool_calls: number | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly parallel_tool_calls: boolean;
  readonly temperature: number;
  readonly top_p: number;
  readonly presence_penalty: number;
  readonly frequency_penalty: number;
  readonly top_logprobs: number;
  readonly text: object;
  readonly tool_choice: unknown;
  readonly tools: readonly object[];
  /** Null: as the node is configured. */
  readonly truncation: 'auto' | 'disabled' | null;
  readonly reasoning: { readonly effort: string | null; readonly summary: null };
  readonly user: string | null;
  readonly safety_identifier: string | null;
  readonly prompt_cache_key: string | null;
}

/** Known before the answer. */
export interface ResponseHead {
  /** Of the exchange, without a prefix: ids of the response and its items are made of it. */
  readonly id: string;
  /** s since the epoch. */
  readonly createdAt: number;
  /** As the request names it; the answer names the model that writes it. */
  readonly model: string;
  readonly echo: Echo;
}

export type Logprob = ReturnType<typeof chatLogprobs>['content'][number];
export type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

export interface TextPart {
  readonly type: 'output_text';
  readonly text: string;
  readonly annotations: readonly never[];
  readonly logprobs: readonly Logprob[];
}

export type OutputItem =
  | {
      readonly id: string;
      readonly type: 'message';
      readonly status: ItemStatus;
      readonly role: 'assistant';
      readonly content: readonly TextPart[];
    }
  | {
      readonly id: string;
      readonly type: 'function_call';
      readonly status: ItemStatus;
      readonly call_id: string;
      readonly name: string;
      readonly arguments: string;
    };

/** How far the answer is. */
export interface Progress {
  readonly status: 'in_progress' | 'completed' | 'incomplete' | 'failed';
  readonly model: string;
  readonly output: readonly OutputItem[];
  /** s since the epoch; null unless completed. */
  readonly completedAt: number | null;
  readonly usage: Extract<ChatEvent, { type: 'usage' }> | null;
  /** Of the text that the answer was made from, some was dropped. */
  readonly truncated: boolean;
  readonly error: { readonly code: string; readonly message: string } | null;
}

export type ResponseObject = ReturnType<typeof responseObject>;

/** Fields that this node never fills in are null, or say what is so here: nothing is stored. */
export function responseObject({ id, createdAt, echo }: ResponseHead, progress: Progress) {
  const { status, model, output, completedAt, usage, truncated, error } = progress;
  return {
    id: `resp_${id}`,
    object: 'response' as const,
    created_at: createdAt,
    status,
    completed_at: completedAt,
    background: false,
    error,
    // The API has no word for an answer that the context or a time limit cut.
    incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' as const } : null,
    model,
    output,
    usage: usage === null ? null : usageOf(usage),
    ...echo,
    truncation: echo.truncation ?? (truncated ? 'auto' : 'disabled'),
    previous_response_id: null,
    service_tier: 'default',
    store: false,
    access_programs: null,
  };
}

/** Null when the backend did not say. */
function usageOf({ promptTokens, cachedTokens, completionTokens }: NonNullable<Progress['usage']>) {
  if (promptTokens === null || completionTokens === null) return null;
  return {
    input_tokens: promptTokens,
    // Clients subtract what was read from a cache, which is nothing where it is not known, and what was written to one
    // at a price of its own; here nothing is.
    input_tokens_details: { cached_tokens: cachedTokens ?? 0, cache_write_tokens: 0 },
    output_tokens: completionTokens,
    // The models here have no reasoning apart from their text.
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: promptTokens + completionTokens,
  };
}
