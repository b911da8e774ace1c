/**
 * The models room: model files, where they come from and where they lie.
 *
 * @module models
 */

export * from './gguf/index.ts';
export type * from './types.ts';
