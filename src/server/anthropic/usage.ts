/**
 * Usage and stop reasons in the shapes of Anthropic's API. What a server of this kind does not have, or does not know, is
 * null where the API allows it.
 *
 * @module server/anthropic/usage
 */
import type { ChatEvent } from '../../gateway/index.ts';

/** Null: the backend did not say. */
export type Counts = Pick<
  Extract<ChatEvent, { type: 'usage' }>,
  'promptTokens' | 'cachedTokens' | 'completionTokens'
>;
type FinishEvent = Extract<ChatEvent, { type: 'finish' }>;

/**
 * `input_tokens` are those that had to be computed: with the ones read from the cache they are the prompt. Every prompt
 * is kept in the cache, which costs nothing, so none is counted as created.
 */
export function usageBody({ promptTokens, cachedTokens, completionTokens }: Counts) {
  return {
    input_tokens: promptTokens === null ? null : Math.max(0, promptTokens - (cachedTokens ?? 0)),
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cachedTokens,
    // The API knows no answer without this count: 0 where it is unknown.
    output_tokens: completionTokens ?? 0,
    output_tokens_details: null,
    server_tool_use: null,
  };
}

/** As it stands in a message, where a stream's delta has less. */
export function messageUsage(counts: Counts) {
  const usage = usageBody(counts);
  return {
    ...usage,
    // Nor a message without this one.
    input_tokens: usage.input_tokens ?? 0,
    cache_creation: null,
    inference_geo: null,
    service_tier: null,
    speed: null,
  };
}

export type StopReason = 'end_turn' | 'max_tokens' | 'stop_sequence' | 'tool_use';

/** An answer cut by a time limit or by its caller is incomplete, which this API calls `max_tokens`. */
export function stopReason({ reason, stop }: FinishEvent): StopReason {
  if (reason === 'tool_calls') return 'tool_use';
  if (reason !== 'stop') return 'max_tokens';
  return stop === null ? 'end_turn' : 'stop_sequence';
}
