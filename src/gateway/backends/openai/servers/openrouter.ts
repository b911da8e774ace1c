/**
 * OpenRouter: more samplers, one choice, pings as comments, errors inside the stream with status codes as numbers.
 *
 * @module gateway/backends/openai/servers/openrouter
 */
import { generic } from './generic.ts';
import type { ServerKind } from './types.ts';

export const openrouter: ServerKind = {
  ...generic,
  kind: 'openrouter',
  topK: 'top_k',
  minP: 'min_p',
  repeatPenalty: 'repetition_penalty',
  choices: false,
  prefill: 'last_message',
  strictSchema: 'closed',
};
