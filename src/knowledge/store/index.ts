/**
 * The store of a knowledge base.
 *
 * @module knowledge/store
 */
export { quantise } from './quantise.ts';
export { checkPath, isPath } from './rows.ts';
export { STORE_LIMITS } from './schema.ts';
export { openKnowledgeStore, type StoreOptions } from './store.ts';
export type * from './types.ts';
