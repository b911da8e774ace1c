/**
 * What is known of names, following the store as the graph does: made when first asked for, then brought up to date by what changed.
 *
 * @module knowledge/graph/follow-facts
 */
import { setImmediate } from 'node:timers/promises';
import type { KnowledgeStore, StoredChunk } from '../store/index.ts';
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
  let held: { facts: NameFacts; version: number } | null = null;
  let work: Promise<NameFacts> | null = null;

  function take(facts: NameFacts, chunk: StoredChunk): void {
    facts.put({
      ...{ chunk, mentions: store.mentions([chunk.row]) },
      document: chunk.position === 0 ? store.documentById(chunk.document) : null,
    });
  }

  async function make() {
    // What is written while chunks are read is found again among the changes.
    const version = store.version();
    const facts = new NameFacts();
    let count = 0;
    for (const chunk of store.allChunks()) {
      take(facts, chunk);
      if (++count % SLICE === 0) await setImmediate();
    }
    return { facts, version };
  }

  async function update(): Promise<NameFacts> {
    held ??= await make();
    while (held.version !== store.version()) {
      const changes = store.changes(held.version);
      if (changes === null) {
        held = await make();
        continue;
      }
      const now: NonNullable<typeof held> = held;
      // Half taken over they would be those of no version.
      held = null;
      for (const row of changes.removed) now.facts.remove(row);
      for (const [i, row] of changes.added.entries()) {
        const [chunk] = store.chunks([row]);
        if (chunk === null || chunk === undefined) now.facts.remove(row);
        else take(now.facts, chunk);
        if (i % SLICE === SLICE - 1) await setImmediate();
      }
      now.version = changes.version;
      held = now;
    }
    return held.facts;
  }

  return {
    async current() {
      if (work === null && held !== null && held.version === store.version()) return held.facts;
      work ??= update().finally(() => {
        work = null;
      });
      return work;
    },
  };
}
