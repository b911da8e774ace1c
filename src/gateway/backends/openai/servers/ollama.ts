/**
 * Ollama: its OpenAI surface knows few options; calls come whole, older versions without index or with index 0 for all.
 *
 * @module gateway/backends/openai/servers/ollama
 */
import { generic } from './generic.ts';
import type { ServerKind } from './types.ts';

export const ollama: ServerKind = {
  ...generic,
  kind: 'ollama',
  logitBias: false,
  logprobs: false,
  choices: false,
  prefill: 'last_message',
  parallelToolCalls: false,
  tokenInputs: false,
  promptLists: false,
};
