/**
 * Names that stand for the same: links from an alias to the entity it is merged into, each with its reason. Nothing is rewritten
 * and nothing deleted, so that a merge is undone by saying so.
 *
 * @module knowledge/store/merges
 */
import { type Database, InputError } from '../../base/index.ts';
import { over } from './rows.ts';
import { STORE_LIMITS } from './schema.ts';
import type { EntityMerge, KnowledgeStore } from './types.ts';

type Merges = Pick<KnowledgeStore, 'merge' | 'undoMerge' | 'merges'>;

export function createMerges(database: Database, change: <T>(work: () => T) => T): Merges {
  const add = database.prepare<{ id: number }, [string, string, string, number, number | null]>(
    'INSERT INTO merge (alias, entity, reason, made, run) VALUES (?, ?, ?, ?, ?) RETURNING id',
  );
  const undo = database.prepare<never, [number, number]>(
    'UPDATE merge SET undone = ? WHERE id = ? AND undone IS NULL',
  );
  const inForce = database.prepare<{ entity: string }, [string]>(
    'SELECT entity FROM merge WHERE alias = ? AND undone IS NULL',
  );
  const count = database.prepare<{ n: number }>('SELECT count(*) AS n FROM merge');
  const all = database.prepare<EntityMerge>(
    'SELECT id, alias, entity, reason, run, made, undone FROM merge ORDER BY id',
  );

  return {
    merge({ alias, entity, reason, made, run = null }) {
      for (const name of [alias, entity])
        if (name.trim() === '' || name.length > STORE_LIMITS.mergeName || !name.isWellFormed())
          throw invalid(`a name has 1 to ${STORE_LIMITS.mergeName} characters`);
      if (reason.length > STORE_LIMITS.mergeName)
        throw invalid(`a reason has up to ${STORE_LIMITS.mergeName} characters`);
      return change(() => {
        if (count.get()!.n >= STORE_LIMITS.merges)
          throw over('merges', STORE_LIMITS.merges, `${database.path} has ${STORE_LIMITS.merges} merges`);
        const before = inForce.get(alias);
        if (before !== undefined)
          throw invalid(`'${alias}' is merged into '${before.entity}' already; undo that first`);
        // At each step one alias further: a chain cannot be longer than the table.
        for (let at: string | undefined = entity; at !== undefined; at = inForce.get(at)?.entity)
          if (at === alias)
            throw invalid(`'${entity}' is merged into '${alias}', itself or by way of others`);
        return add.get(alias, entity, reason, Math.floor(made), run)!.id;
      });
    },
    undoMerge: (id, at) => change(() => undo.run(Math.floor(at), id).changes > 0),
    merges: () => all.all(),
  };
}

function invalid(reason: string): InputError {
  return new InputError('merge_invalid', `These names cannot be merged: ${reason}.`);
}
