/**
 * Every kind of server by its name in configuration.
 *
 * @module gateway/backends/openai/servers
 */
import { generic } from './generic.ts';
import { litellm } from './litellm.ts';
import { llamaCpp } from './llama-cpp.ts';
import { mistral } from './mistral.ts';
import { ollama } from './ollama.ts';
import { openai } from './openai.ts';
import { openrouter } from './openrouter.ts';
import { tgi } from './tgi.ts';
import type { ServerKind } from './types.ts';
import { vllm } from './vllm.ts';

export const SERVER_KINDS = {
  generic,
  openai,
  vllm,
  ollama,
  'llama.cpp': llamaCpp,
  tgi,
  litellm,
  openrouter,
  mistral,
} as const satisfies Record<string, ServerKind>;

export type ServerKindName = keyof typeof SERVER_KINDS;
export type { ServerKind };
