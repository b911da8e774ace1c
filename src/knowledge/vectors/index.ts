/**
 * Vectors in memory and exact search over them.
 *
 * @module knowledge/vectors
 */
export { dot } from './exact.ts';
export { type FollowedStore, type FollowingIndex, type FollowOptions, followVectors } from './follow.ts';
export { quantize } from './quantize.ts';
export {
  createVectorIndex,
  type NearestOptions,
  type VectorIndex,
  type VectorIndexOptions,
} from './vector-index.ts';
