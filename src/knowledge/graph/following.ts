/**
 * Something in memory that follows the store: made when first asked for, then brought up to the store's version by what changed.
 *
 * @module knowledge/graph/following
 */
import type { Changes, KnowledgeStore } from '../store/index.ts';

/**
 * @param make of all that the store has
 * @param apply takes over what changed; may be left half-way by an error, and what it worked on is then made anew
 * @returns what follows, as the store is now. Calls at the same time share the work.
 */
export function following<T>(
  store: Pick<KnowledgeStore, 'version' | 'changes'>,
  make: () => Promise<T>,
  apply: (followed: T, changes: Changes) => Promise<void>,
): () => Promise<T> {
  let held: { readonly followed: T; readonly version: number } | null = null;
  let work: Promise<T> | null = null;

  async function fresh(): Promise<NonNullable<typeof held>> {
    // What is written while it is made is found again among the changes.
    const version = store.version();
    return { followed: await make(), version };
  }

  async function update(): Promise<T> {
    held ??= await fresh();
    while (held.version !== store.version()) {
      const changes = store.changes(held.version);
      if (changes === null) {
        held = await fresh();
        continue;
      }
      const { followed }: NonNullable<typeof held> = held;
      // Half taken over it would be that of no version.
      held = null;
      await apply(followed, changes);
      held = { followed, version: changes.version };
    }
    return held.followed;
  }

  return async () => {
    if (work === null && held !== null && held.version === store.version()) return held.followed;
    work ??= update().finally(() => {
      work = null;
    });
    return work;
  };
}
