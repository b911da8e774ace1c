/**
 * Files into a knowledge base.
 *
 * @module knowledge/ingest
 */
export { ingest } from './ingest.ts';
export { cutBy, recipeOf } from './reading.ts';
export { reembed } from './reembed.ts';
export type * from './types.ts';
