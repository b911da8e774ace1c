/**
 * A vector index that follows the store: made of it when first asked for, then brought up to its version by what changed.
 *
 * @module knowledge/vectors/follow
 */
import { setImmediate } from 'node:timers/promises';
import type { KnowledgeStore } from '../store/index.ts';
import { createVectorIndex, type VectorIndex, type VectorIndexOptions } from './vector-index.ts';

export type FollowedStore = Pick<
  KnowledgeStore,
  'embedder' | 'version' | 'changes' | 'slab' | 'slabRows' | 'counts'
>;

export interface FollowingIndex extends AsyncDisposable {
  /** The index as the store is now; null while the knowledge base has no embedder. Calls at the same time share the work. */
  current(): Promise<VectorIndex | null>;
}

/** Rows between which others get their turn: about 5 ms. */
const SLICE = 2048;

export function followVectors(
  store: FollowedStore,
  options: Omit<VectorIndexOptions, 'dimension' | 'rows'> = {},
): FollowingIndex {
  let held: { readonly index: VectorIndex; readonly hash: string; version: number } | null = null;
  let work: Promise<VectorIndex | null> | null = null;

  async function make(): Promise<VectorIndex | null> {
    const { embedder } = store;
    if (embedder === null) return null;
    // What is written while rows are read is found again among the changes.
    const version = store.version();
    const index = createVectorIndex({
      ...options,
      dimension: embedder.dimension,
      rows: store.counts().vectors,
    });
    const old = held;
    let count = 0;
    for (const row of store.slab()) {
      index.put(row);
      if (++count % SLICE === 0) await setImmediate();
    }
    held = { index, hash: embedder.hash, version };
    await old?.index[Symbol.asyncDispose]();
    return index;
  }

  async function update(): Promise<VectorIndex | null> {
    for (;;) {
      if (held === null || held.hash !== store.embedder?.hash) {
        if ((await make()) === null) return null;
        continue;
      }
      const { index, version } = held;
      if (store.version() === version) return index;
      const changes = store.changes(version);
      if (changes === null) {
        held = null;
        await index[Symbol.asyncDispose]();
        continue;
      }
      for (const row of changes.removed) index.remove(row);
      for (let at = 0; at < changes.added.length; at += SLICE) {
        const rows = changes.added.slice(at, at + SLICE);
        for (const [i, row] of store.slabRows(rows).entries()) {
          if (row === null) index.remove(rows[i]!);
          else index.put(row);
        }
        if (at + SLICE < changes.added.length) await setImmediate();
      }
      held.version = changes.version;
    }
  }

  return {
    async current() {
      if (work === null && held?.version === store.version() && held.hash === store.embedder?.hash)
        return held.index;
      work ??= update().finally(() => {
        work = null;
      });
      return work;
    },
    async [Symbol.asyncDispose]() {
      await work?.catch(() => undefined);
      await held?.index[Symbol.asyncDispose]();
      held = null;
    },
  };
}
