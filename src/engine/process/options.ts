/**
 * Engine options with their defaults filled in.
 *
 * @module engine/process/options
 */

import { availableParallelism } from 'node:os';
import type { EngineOptions } from '../types.ts';

/** Options as given, checked where they are used: the engine process refuses what is out of range. */
export function resolveOptions(given: Partial<EngineOptions>): EngineOptions {
  return {
    // More compute threads than free cores cost far more than one core too few: they spin at barriers.
    threads: given.threads ?? Math.max(1, availableParallelism() - 1),
    device: given.device ?? 'auto',
    kvType: given.kvType ?? 'f16',
    context: given.context ?? null,
    kvCells: given.kvCells ?? null,
    maxActive: given.maxActive ?? 16,
    maxQueue: given.maxQueue ?? 64,
    maxWaitMs: given.maxWaitMs ?? 30_000,
    maxRunMs: given.maxRunMs ?? 600_000,
    maxTokens: given.maxTokens ?? 4096,
    prefillChunk: given.prefillChunk ?? 256,
    speculation: given.speculation ?? 'auto',
    memoryBytes: given.memoryBytes ?? null,
  };
}
