/**
 * vLLM: extra samplers, template variables, and answers that go on from a beginning.
 *
 * @module gateway/backends/openai/servers/vllm
 */
import { generic } from './generic.ts';
import type { ServerKind } from './types.ts';

export const vllm: ServerKind = {
  ...generic,
  kind: 'vllm',
  topK: 'top_k',
  minP: 'min_p',
  repeatPenalty: 'repetition_penalty',
  prefill: 'continue_final_message',
  templateVariables: true,
  base64: true,
  truncate: ['truncate_prompt_tokens', -1],
  maxInputs: 512,
};
