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
  };
}

/** An answer cut by a time limit or by its caller is incomplete, which OpenAI's API calls `length`. */
export function finishReason(reason: FinishReason): 'stop' | 'length' | 'tool_calls' {
  return reason === 'aborted' ? 'length' : reason;
}
