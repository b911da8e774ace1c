/**
 * The end of a whole answer of plain text, as nearly all are, without a decoder's work.
 *
 * @module gateway/relay/plain
 */
import { isObject } from '../backends/json.ts';
import { usageOf } from '../backends/openai/decode.ts';
import type { UsageReport } from '../backends/types.ts';
import type { StreamEnd } from './frames.ts';

export const unknownUsage: UsageReport = { promptTokens: null, cachedTokens: null, completionTokens: null };

/**
 * What a decoder of one choice would find; null where there is anything that it would look at twice: an error, a call,
 * thinking, probabilities, no text, another reason to end.
 *
 * @param body parsed JSON
 */
export function plainEnd(body: unknown): StreamEnd | null {
  if (!isObject(body) || body.object !== 'chat.completion') return null;
  const { error, choices, usage, x_groq: elsewhere } = body;
  if (error !== undefined || elsewhere !== undefined) return null;
  if (!Array.isArray(choices) || choices.length !== 1) return null;
  const choice: unknown = choices[0];
  if (!isObject(choice) || choice.index !== 0) return null;
  const { message, delta, finish_reason: reason, logprobs = null, usage: inside } = choice;
  if (delta !== undefined || logprobs !== null || inside !== undefined) return null;
  if (reason !== 'stop' && reason !== 'length') return null;
  if (!isObject(message) || typeof message.content !== 'string' || message.content === '') return null;
  const { tool_calls: calls = null, function_call: call = null } = message;
  if (calls !== null || call !== null) return null;
  return { reason, usage: isObject(usage) ? usageOf(usage, unknownUsage) : unknownUsage };
}
