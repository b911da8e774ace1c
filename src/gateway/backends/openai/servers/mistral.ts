/**
 * Mistral's API: refuses fields it does not know with 422, so usage (which it always sends) is not asked for; `any`
 * instead of `required`, `random_seed` instead of `seed`, and a prefix flag on the last message.
 *
 * @module gateway/backends/openai/servers/mistral
 */
import { generic } from './generic.ts';
import type { ServerKind } from './types.ts';

export const mistral: ServerKind = {
  ...generic,
  kind: 'mistral',
  includeUsage: false,
  seed: 'random_seed',
  logitBias: false,
  logprobs: false,
  prefill: 'prefix',
  required: 'any',
  completions: false,
  tokenInputs: false,
};
