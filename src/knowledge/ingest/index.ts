/**
 * Files into a knowledge base.
 *
 * @module knowledge/ingest
 */
export { ingest } from './ingest.ts';
export type * from './types.ts';
