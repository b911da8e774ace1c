/**
 * Which bodies of OpenAI's chat API a kind of server takes as they are, and takes to mean the same.
 *
 * @module gateway/backends/openai/as-it-is
 */
import type { ChatShape } from '../../relay/scan.ts';
import type { ServerKind } from './servers/index.ts';

/** False where `chatBody` would write the body otherwise, or refuse it. */
export function takesAsItIs(
  kind: ServerKind,
  { fields, maxTokensName, tools, includeUsage }: ChatShape,
): boolean {
  if (maxTokensName !== null && maxTokensName !== kind.maxTokens) return false;
  if (includeUsage && !kind.includeUsage) return false;
  if (tools && !kind.parallelToolCalls) return false;
  for (const field of fields) {
    switch (field) {
      case 'seed':
        if (kind.seed !== 'seed') return false;
        break;
      case 'logit_bias':
        if (!kind.logitBias) return false;
        break;
      case 'logprobs':
      case 'top_logprobs':
        if (!kind.logprobs) return false;
        break;
      case 'parallel_tool_calls':
        if (!kind.parallelToolCalls) return false;
        break;
      case 'tool_choice':
        if (kind.required !== 'required') return false;
        break;
      case 'presence_penalty':
      case 'frequency_penalty':
        if (!kind.penalties) return false;
        break;
    }
  }
  return true;
}
