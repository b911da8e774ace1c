/**
 * The store of a knowledge base.
 *
 * @module knowledge/store
 */
export type * from './assertion-types.ts';
export { factsOf, isBetter, namedBy, relationWord } from './facts.ts';
export { matchesGlob } from './glob.ts';
export {
  type PartDocument,
  type PartPassage,
  type PartPassages,
  passagesOfPart,
} from './part-passages.ts';
export { type KnowledgeParts, openParts, type PartsOptions, writeParts } from './parts.ts';
export { quantise } from './quantise.ts';
export { checkPath, isPath } from './rows.ts';
export { STORE_LIMITS } from './schema.ts';
export { openKnowledgeStore, type StoreOptions } from './store.ts';
export type * from './types.ts';
export {
  type EntityType,
  isEntityType,
  RELATIONS,
  type Relation,
  relationOf,
  TYPES,
} from './vocabulary.ts';
