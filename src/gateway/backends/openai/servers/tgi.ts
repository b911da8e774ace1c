/**
 * Text Generation Inference: one choice, no token ids, errors as plain text.
 *
 * @module gateway/backends/openai/servers/tgi
 */
import { generic } from './generic.ts';
import type { ServerKind } from './types.ts';

export const tgi: ServerKind = {
  ...generic,
  kind: 'tgi',
  choices: false,
  parallelToolCalls: false,
  tokenInputs: false,
  promptLists: false,
};
