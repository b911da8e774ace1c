/**
 * Usage and the names of finish reasons in the OpenAI shapes.
 *
 * @module server/openai/usage
 */
import type { ChatEvent, FinishReason } from '../../gateway/index.ts';

type UsageEvent = Extract<ChatEvent, { type: 'usage' }>;

export function usageBody(usage: UsageEvent) {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens },
    // The models here have no reasoning apart from their text.
    completion_tokens_details: { reasoning_tokens: 0 },
  };
}

/** An answer cut by a time limit or by its caller is incomplete, which OpenAI's API calls `length`. */
export function finishReason(reason: FinishReason): 'stop' | 'length' | 'tool_calls' {
  return reason === 'aborted' ? 'length' : reason;
}
