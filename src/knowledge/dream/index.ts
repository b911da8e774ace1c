/**
 * Dreams: runs that complete what a knowledge base says of its names, with evidence, and can be undone.
 *
 * @module knowledge/dream
 */
export { beginDream, type DreamParts, dream, dreamState, RUN_KIND } from './dream.ts';
export { dayOf, type IdleStep, idleOf, idleRun, idleStep, idleTokens } from './idle.ts';
export {
  type AllFacts,
  byGain,
  type Completeness,
  completenessOf,
  type EntityScore,
  readFacts,
} from './score.ts';
export { createFitness, type Fitness, selfCheck } from './self-check.ts';
export type * from './types.ts';
