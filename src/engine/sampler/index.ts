/**
 * Logits row in, token out. Pure arithmetic with its own seeded random state: same seed and same logits, same tokens.
 *
 * @module engine/sampler
 */
export { parseSamplerOptions, SAMPLER_DEFAULTS } from './options.ts';
export { createSampler, type SamplerHooks } from './sampler.ts';
