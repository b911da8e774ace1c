/**
 * What the folders of the shards room share, and what rooms above use.
 *
 * @module shards/types
 */

export type { BlockSpan } from '../engine/index.ts';

/**
 * How hidden states travel. `f32` as they are; `f16` rounded to half precision; `i8` in blocks of 32 values, each with a scale in
 * half precision. A message whose values `f16` cannot hold is sent as `f32`.
 */
export type ActivationType = 'f32' | 'f16' | 'i8';
export const ACTIVATION_TYPES = ['f32', 'f16', 'i8'] as const satisfies readonly ActivationType[];
