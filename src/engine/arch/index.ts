/** The architectures that have a graph. @module engine/arch */
import { gemma3 } from './gemma3.ts';
import { llama } from './llama.ts';
import { phi3 } from './phi3.ts';
import { qwen2 } from './qwen2.ts';
import { qwen3 } from './qwen3.ts';
import type { Architecture } from './types.ts';

export const architectures: ReadonlyMap<string, Architecture> = new Map(
  [llama, qwen2, qwen3, gemma3, phi3].map((architecture) => [architecture.name, architecture]),
);
export { checkReranker, isReranker } from './rerank.ts';
export type { Architecture, BlockGraph, Hyperparameters, TensorNeed } from './types.ts';

/** Names of all architectures that run on Kith's own graphs. */
export const supportedArchitectures: readonly string[] = [...architectures.keys(), 'bert'];
