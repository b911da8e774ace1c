/**
 * Any other server: what OpenAI's API says and nearly all servers do, and no more.
 *
 * @module gateway/backends/openai/servers/generic
 */
import type { ServerKind } from './types.ts';

export const generic: ServerKind = {
  kind: 'generic',
  includeUsage: true,
  maxTokens: 'max_tokens',
  seed: 'seed',
  topK: null,
  minP: null,
  repeatPenalty: null,
  penalties: true,
  logitBias: true,
  logprobs: true,
  choices: true,
  prefill: null,
  templateVariables: false,
  required: 'required',
  strictSchema: 'always',
  parallelToolCalls: true,
  completions: true,
  tokenInputs: true,
  promptLists: true,
  base64: false,
  truncate: null,
  maxInputs: 128,
  healthPath: null,
};
