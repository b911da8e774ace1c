/**
 * OpenAI itself. Its newer models refuse `max_tokens`; its strict schemas must be closed.
 *
 * @module gateway/backends/openai/servers/openai
 */
import { generic } from './generic.ts';
import type { ServerKind } from './types.ts';

export const openai: ServerKind = {
  ...generic,
  kind: 'openai',
  maxTokens: 'max_completion_tokens',
  strictSchema: 'closed',
  base64: true,
  maxInputs: 2048,
};
