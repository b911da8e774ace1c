/**
 * Vectors in memory and exact search over them.
 *
 * @module knowledge/vectors
 */
export { quantize } from './quantize.ts';
export {
  createVectorIndex,
  type NearestOptions,
  type VectorIndex,
  type VectorIndexOptions,
} from './vector-index.ts';
