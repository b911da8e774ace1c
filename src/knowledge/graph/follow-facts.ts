/**
 * What is known of names, following the store as the graph does: made when first asked for, then brought up to date by what changed.
 *
 * @module knowledge/graph/follow-facts
 */
import { setImmediate } from 'node:timers/promises';
import type { Changes, KnowledgeStore, StoredChunk } from '../store/index.ts';
import { following } from './following.ts';
import { NameFacts } from './name-facts.ts';

export type FactsStore = Pick<
  KnowledgeStore,
  'version' | 'changes' | 'allChunks' | 'chunks' | 'mentions' | 'documentById'
>;

export interface FollowingFacts {
  /** As the store is now. Calls at the same time share the work. The same object every time. */
  current(): Promise<NameFacts>;
}

/** Chunks between which others get their turn: some 10 ms. */
const SLICE = 64;

export function followFacts(store: FactsStore): FollowingFacts {
  function take(facts: NameFacts, chunk: StoredChunk): void {
    facts.put({
      ...{ chunk, mentions: store.mentions([chunk.row]) },
      document: chunk.position === 0 ? store.documentById(chunk.document) : null,
    });
  }

  async function make(): Promise<NameFacts> {
    const facts = new NameFacts();
    let count = 0;
    for (const chunk of store.allChunks()) {
      take(facts, chunk);
      if (++count % SLICE === 0) await setImmediate();
    }
    return facts;
  }

  async function apply(facts: NameFacts, { added, removed }: Changes): Promise<void> {
    for (const row of removed) facts.remove(row);
    for (const [i, row] of added.entries()) {
      const [chunk] = store.chunks([row]);
      if (chunk === null || chunk === undefined) facts.remove(row);
      else take(facts, chunk);
      if (i % SLICE === SLICE - 1) await setImmediate();
    }
  }

  return { current: following(store, make, apply) };
}
