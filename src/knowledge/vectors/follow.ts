/**
 * A vector index that follows the store: made of it when first asked for, then brought up to its version by what changed. Exact
 * vectors come after it, while others work, as many as have room.
 *
 * @module knowledge/vectors/follow
 */
import { setImmediate } from 'node:timers/promises';
import type { KnowledgeStore } from '../store/index.ts';
import { createExactRows, EXACT_BYTES, type ExactRows } from './exact-rows.ts';
import { createVectorIndex, type VectorIndex, type VectorIndexOptions } from './vector-index.ts';

export type FollowedStore = Pick<
  KnowledgeStore,
  'embedder' | 'version' | 'changes' | 'slab' | 'slabRows' | 'counts' | 'f32'
>;

export interface FollowOptions extends Omit<VectorIndexOptions, 'dimension' | 'rows'> {
  /** Bytes of exact vectors that are kept in memory; others are read from the file for each search. @default 96 MiB */
  readonly exactBytes?: number;
}

export interface FollowingIndex extends AsyncDisposable {
  /** The index as the store is now; null while the knowledge base has no embedder. Calls at the same time share the work. */
  current(): Promise<VectorIndex | null>;
  /** Exact vectors as the store has them now, in the order asked for; null where there is none. */
  exact(rows: readonly number[]): (Float32Array | null)[];
  /** Resolves when no exact vectors are on their way into memory. */
  settled(): Promise<void>;
}

interface Held {
  readonly index: VectorIndex;
  readonly exact: ExactRows;
  readonly hash: string;
  version: number;
}

/** Rows between which others get their turn: about 5 ms. */
const SLICE = 2048;
/** The same of exact vectors. */
const EXACT_SLICE = 512;

export function followVectors(
  store: FollowedStore,
  { exactBytes = EXACT_BYTES, ...options }: FollowOptions = {},
): FollowingIndex {
  let held: Held | null = null;
  let work: Promise<VectorIndex | null> | null = null;
  let filling: Promise<void> = Promise.resolve();

  async function make(): Promise<VectorIndex | null> {
    const { embedder } = store;
    if (embedder === null) return null;
    // What is written while rows are read is found again among the changes.
    const version = store.version();
    const { dimension, hash } = embedder;
    const index = createVectorIndex({ ...options, dimension, rows: store.counts().vectors });
    const old = held;
    const rows: number[] = [];
    for (const row of store.slab()) {
      index.put(row);
      if (rows.push(row.row) % SLICE === 0) await setImmediate();
    }
    held = { index, exact: createExactRows(dimension, exactBytes), hash, version };
    const made = held;
    filling = filling.then(() => fill(made, rows));
    await old?.index[Symbol.asyncDispose]();
    return index;
  }

  /** A search does not wait for these. What cannot be read now is read when it is asked for, and fails there. */
  async function fill(own: Held, rows: readonly number[]): Promise<void> {
    try {
      for (let at = 0; at < rows.length && !own.exact.isFull; at += EXACT_SLICE) {
        await setImmediate();
        if (held !== own) return;
        const slice = rows.slice(at, at + EXACT_SLICE).filter((row) => own.index.has(row));
        for (const [i, vector] of store.f32(slice).entries())
          if (vector !== null) own.exact.set(slice[i]!, vector);
      }
    } catch {
      return;
    }
  }

  async function update(): Promise<VectorIndex | null> {
    for (;;) {
      if (held === null || held.hash !== store.embedder?.hash) {
        if ((await make()) === null) return null;
        continue;
      }
      const { index, exact, version } = held;
      if (store.version() === version) return index;
      const changes = store.changes(version);
      if (changes === null) {
        held = null;
        await index[Symbol.asyncDispose]();
        continue;
      }
      for (const row of changes.removed) {
        index.remove(row);
        exact.delete(row);
      }
      for (let at = 0; at < changes.added.length; at += SLICE) {
        const rows = changes.added.slice(at, at + SLICE);
        for (const [i, row] of store.slabRows(rows).entries()) {
          if (row === null) index.remove(rows[i]!);
          else index.put(row);
          // Another one may be in its place; it is read again when it is asked for.
          exact.delete(rows[i]!);
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
    exact(rows) {
      const own = held;
      // Behind the store: what is kept may be of before.
      if (own === null || own.version !== store.version()) return store.f32(rows);
      const found = rows.map((row) => own.exact.get(row) ?? null);
      const missing = rows.filter((_, i) => found[i] === null);
      if (missing.length === 0) return found;
      const read = store.f32(missing);
      let next = 0;
      return found.map((vector, i) => {
        if (vector !== null) return vector;
        const exact = read[next++] ?? null;
        if (exact !== null) own.exact.set(rows[i]!, exact);
        return exact;
      });
    },
    settled: () => filling,
    async [Symbol.asyncDispose]() {
      await work?.catch(() => undefined);
      const own = held;
      held = null;
      await filling;
      await own?.index[Symbol.asyncDispose]();
    },
  };
}
