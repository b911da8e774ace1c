/**
 * Runs blocks [from, to) of a model: `createCompute` once per process, `openRunner` per model or range,
 * `openEmbedder` for encoder models.
 *
 * @module engine/runner
 */
export { supportedArchitectures } from '../arch/index.ts';
export { loadGgml } from '../ggml/api.ts';
export { type Compute, createCompute } from '../ggml/compute.ts';
export { type Embedder, type EmbedderInfo, isEncoder, openEmbedder, planPasses } from './embedder.ts';
export { type BlockRange, type ModelPlan, type OpenOptions, openRunner, planModel } from './open.ts';
export { type CarriedPart, type Carry, createPathRunner } from './path-runner.ts';
export type { ForwardPart, ForwardResult, Runner, RunnerInfo } from './types.ts';
export { COMPUTABLE_TYPES } from './weights.ts';
