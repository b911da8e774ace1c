/**
 * Parts of knowledge bases that grants show, kept counted between questions while there is room for them.
 *
 * @module node/knowledge/share-scopes
 */
import {
  createScope,
  type Grant,
  type KnowledgeStore,
  SCOPE_CHUNKS,
  type Scope,
} from '../../knowledge/index.ts';

export interface Scopes extends Disposable {
  /** Works with the part that a grant shows, counted up to what the store has now; null: it shows all. */
  within<T>(
    store: KnowledgeStore,
    grant: Pick<Grant, 'kb' | 'filter'>,
    signal: AbortSignal,
    work: (scope: Scope | null) => Promise<T>,
  ): Promise<T>;
}

interface Held {
  readonly of: KnowledgeStore;
  readonly scope: Scope;
  users: number;
}

/** Parts that are kept, and passages of them together. */
const MOST_SCOPES = 8;
const MOST_COUNTED = 2 * SCOPE_CHUNKS;

export function createScopes(): Scopes {
  /** In the order of their last use. */
  const scopes = new Map<string, Held>();
  const sizeOf = (scope: Scope): number => scope.rowsOf(undefined).length;

  /** Lets go of those that were asked least recently. */
  function trim(): void {
    let counted = [...scopes.values()].reduce((sum, { scope }) => sum + sizeOf(scope), 0);
    for (const [key, { scope, users }] of scopes) {
      if (scopes.size <= MOST_SCOPES && counted <= MOST_COUNTED) break;
      if (users > 0) continue;
      counted -= sizeOf(scope);
      scopes.delete(key);
      scope[Symbol.dispose]();
    }
  }

  return {
    async within(store, { kb, filter }, signal, work) {
      if (filter === undefined) return work(null);
      const key = `${kb} ${JSON.stringify(filter)}`;
      let held = scopes.get(key);
      // Its file was closed and opened again.
      if (held !== undefined && held.of !== store) {
        if (held.users === 0) held.scope[Symbol.dispose]();
        held = undefined;
      }
      held ??= { of: store, scope: createScope(store, filter), users: 0 };
      scopes.delete(key);
      scopes.set(key, held);
      held.users++;
      try {
        await held.scope.follow(signal);
        return await work(held.scope);
      } finally {
        held.users--;
        if (scopes.get(key) !== held && held.users === 0) held.scope[Symbol.dispose]();
        trim();
      }
    },
    [Symbol.dispose]() {
      for (const { scope, users } of scopes.values()) if (users === 0) scope[Symbol.dispose]();
      // Those in use go with their last user.
      scopes.clear();
    },
  };
}
