/**
 * Usage and the names of finish reasons in the OpenAI shapes.
 *
 * @module server/openai/usage
 */
import type { ChatEvent, FinishReason } from '../../gateway/index.ts';

type UsageEvent = Extract<ChatEvent, { type: 'usage' }>;

/** Null when the backend did not say how many tokens were used: the API has no half of a usage. */
export function usageBody({ promptTokens, cachedTokens, completionTokens }: UsageEvent) {
  if (promptTokens === null || completionTokens === null) return null;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    ...(cachedTokens === null ? {} : { prompt_tokens_details: { cached_tokens: cachedTokens } }),
    // The models here have no reasoning apart from their text.
    completion_tokens_details: { reasoning_tokens: 0 },
  };
}

/** An answer cut by a time limit or by its caller is incomplete, which OpenAI's API calls `length`. */
export function finishReason(reason: FinishReason): 'stop' | 'length' | 'tool_calls' {
  return reason === 'aborted' ? 'length' : reason;
}
