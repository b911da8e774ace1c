/**
 * What passphrases of placed knowledge bases became, so that uploads and restores go on unattended: with the identity of this node, and not
 * without it, it opens what is placed. Never shown to anybody.
 *
 * @module node/knowledge/vault-secret-store
 */
import type { Database, Migration } from '../../base/index.ts';
import type { PassphraseSecret } from '../../vault/index.ts';

export const SECRET_TABLES: Migration = {
  name: 'passphrases',
  up: `
    CREATE TABLE secret (
      kind TEXT NOT NULL, name TEXT NOT NULL, salt BLOB NOT NULL, mark BLOB NOT NULL, key BLOB NOT NULL,
      PRIMARY KEY (kind, name)
    ) STRICT, WITHOUT ROWID;
  `,
};

/** Of a collection that is placed, by its id; or of a restore that is not over, by the name that is being made. */
type Kind = 'placed' | 'restoring';

export interface SecretStore {
  of(kind: Kind, name: string): PassphraseSecret | null;
  /** Null: there is none from now on. */
  keep(kind: Kind, name: string, secret: PassphraseSecret | null): void;
  /** Forgets those of restores that are over. */
  sweep(restoring: ReadonlySet<string>): void;
}

interface Row {
  readonly salt: Uint8Array;
  readonly mark: Uint8Array;
  readonly key: Uint8Array;
}

export function secretStore(database: Database): SecretStore {
  const read = database.prepare<Row, [string, string]>(
    'SELECT salt, mark, key FROM secret WHERE kind = ? AND name = ?',
  );
  const save = database.prepare<never, [string, string, Uint8Array, Uint8Array, Uint8Array]>(
    'INSERT OR REPLACE INTO secret VALUES (?, ?, ?, ?, ?)',
  );
  const drop = database.prepare<never, [string, string]>('DELETE FROM secret WHERE kind = ? AND name = ?');
  const restores = database.prepare<{ name: string }>("SELECT name FROM secret WHERE kind = 'restoring'");
  return {
    of(kind, name) {
      const row = read.get(kind, name);
      if (row === undefined) return null;
      const { salt, mark, key } = row;
      return { key, mark: { salt, check: mark } };
    },
    keep(kind, name, secret) {
      if (secret === null) drop.run(kind, name);
      else save.run(kind, name, secret.mark.salt, secret.mark.check, secret.key);
    },
    sweep(restoring) {
      for (const { name } of restores.all()) if (!restoring.has(name)) drop.run('restoring', name);
    },
  };
}
