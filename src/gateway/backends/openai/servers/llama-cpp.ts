/**
 * llama.cpp's server: extra samplers, a health path that tells loading from failing.
 *
 * @module gateway/backends/openai/servers/llama-cpp
 */
import { generic } from './generic.ts';
import type { ServerKind } from './types.ts';

export const llamaCpp: ServerKind = {
  ...generic,
  kind: 'llama.cpp',
  topK: 'top_k',
  minP: 'min_p',
  repeatPenalty: 'repeat_penalty',
  prefill: 'last_message',
  templateVariables: true,
  base64: true,
  choices: false,
  healthPath: '/health',
};
