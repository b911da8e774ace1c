/**
 * Runs blocks [from, to) of a model: `createCompute` once per process, `openRunner` per model or range,
 * `openEmbedder` and `openReranker` for encoder models.
 *
 * @module engine/runner
 */
export { supportedArchitectures } from '../arch/index.ts';
export { loadGgml } from '../ggml/api.ts';
export { type Compute, createCompute } from '../ggml/compute.ts';
export { type Embedder, openEmbedder } from './embedder.ts';
export { type EncoderInfo, type EncoderRow, isEncoder, planPasses } from './encoder.ts';
export { type BlockRange, type ModelPlan, type OpenOptions, openRunner, planModel } from './open.ts';
export { type CarriedPart, type Carry, createPathRunner } from './path-runner.ts';
export { openReranker, type Reranker } from './reranker.ts';
export type { ForwardPart, ForwardResult, Runner, RunnerInfo } from './types.ts';
export { COMPUTABLE_TYPES } from './weights.ts';
