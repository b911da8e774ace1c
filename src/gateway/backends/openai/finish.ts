/**
 * Why an answer ended, in the words of many servers.
 *
 * @module gateway/backends/openai/finish
 */
import type { FinishReason } from '../../types.ts';
import { UpstreamError } from '../../upstream/index.ts';

const REASONS: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  eos: 'stop',
  eos_token: 'stop',
  end_turn: 'stop',
  stop_sequence: 'stop',
  complete: 'stop',
  completed: 'stop',
  length: 'length',
  max_tokens: 'length',
  model_length: 'length',
  tool_calls: 'tool_calls',
  tool_use: 'tool_calls',
  function_call: 'tool_calls',
};

/**
 * `known` is false for a word that is on no list: the answer has ended all the same.
 *
 * Throws `UpstreamError` for the words that say that the answer failed.
 */
export function finishOf(
  word: string,
  server: string,
): { readonly reason: FinishReason; readonly known: boolean } {
  const lower = word.toLowerCase();
  const reason = REASONS[lower];
  if (reason !== undefined) return { reason, known: true };
  const ended = (
    failure: 'content_filter' | 'server_error' | 'cut' | 'bad_response',
    code: string,
    why: string,
  ) => new UpstreamError(failure, code, `${server} ended its answer ${why}.`);
  if (/^(?:content_filter|safety|recitation|blocklist|prohibited_content|refusal|spii)$/.test(lower))
    throw ended('content_filter', 'content_filter', 'by its content filter');
  if (/^(?:error|insufficient_system_resource|overloaded)$/.test(lower))
    throw ended('server_error', 'upstream_server_error', 'with an error of its own');
  if (/^(?:abort|aborted|cancelled|canceled)$/.test(lower))
    throw ended('cut', 'upstream_cut', 'before it was finished');
  if (lower === 'malformed_function_call')
    throw ended('bad_response', 'upstream_bad_tool_call', 'with a tool call that it could not write');
  return { reason: 'stop', known: false };
}
