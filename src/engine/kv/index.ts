/**
 * KV cells: who holds which, shared prefixes, rollback and fork, prefixes kept for later prompts.
 *
 * In: token ids of sequences. Out: cell indices in position order, for `Runner.forward`. Holds no tensor and calls
 * nothing: pure bookkeeping, and every "no room" is a return value.
 *
 * @module engine/kv
 */
export { CellTree, type Growth } from './cell-tree.ts';
export { createKvCells, type KvCells } from './cells.ts';
export {
  createPrefixCache,
  type PrefixCache,
  type PrefixCacheOptions,
  type PrefixMatch,
} from './prefix-cache.ts';
export { createSequence, NO_TOKEN, type Sequence } from './sequence.ts';
