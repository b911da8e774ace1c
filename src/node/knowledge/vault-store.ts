/**
 * Which knowledge bases of this node are kept on which peers' disks, and how far they are.
 *
 * @module node/knowledge/vault-store
 */
import { type Migration, openDatabase } from '../../base/index.ts';
import type { Place, VaultMode } from '../../vault/index.ts';
import { GRANT_TABLES, type VaultGrantStore, vaultGrantStore } from './vault-grant-store.ts';
import { SECRET_TABLES, type SecretStore, secretStore } from './vault-secret-store.ts';
import { UPKEEP_TABLES, type UpkeepStore, upkeepStore } from './vault-upkeep-store.ts';

const MIGRATIONS: readonly Migration[] = [
  {
    name: 'collections',
    up: `
      CREATE TABLE collection (
        id TEXT PRIMARY KEY, kb TEXT NOT NULL UNIQUE, mode TEXT NOT NULL, replicas INTEGER NOT NULL,
        eves TEXT NOT NULL, quota INTEGER NOT NULL,
        reached INTEGER NOT NULL, version INTEGER, synced INTEGER
      ) STRICT, WITHOUT ROWID;
    `,
  },
  GRANT_TABLES,
  UPKEEP_TABLES,
  SECRET_TABLES,
];

export interface PlacedRow {
  /** Of the collection. */
  readonly id: string;
  /** Name of the knowledge base. */
  readonly kb: string;
  readonly mode: VaultMode;
  readonly replicas: number;
  readonly eves: readonly Place[];
  readonly quota: number;
  /** Number of the newest state that an Eve took. */
  readonly reached: number;
  /** Of the knowledge base when it was synced last, and when that was; null before. */
  readonly version: number | null;
  readonly synced: number | null;
}

export interface PlacedStore extends Disposable {
  all(): PlacedRow[];
  of(kb: string): PlacedRow | null;
  save(row: PlacedRow): void;
  reach(id: string, number: number): void;
  remove(id: string): void;
  /** By which others read what is placed. */
  readonly grants: VaultGrantStore;
  /** What is remembered beside. */
  readonly upkeep: UpkeepStore;
  /** What opens it beside the identity. */
  readonly secrets: SecretStore;
}

type Row = Omit<PlacedRow, 'eves'> & { readonly eves: string };
const rowOf = ({ eves, ...row }: Row): PlacedRow => ({ ...row, eves: JSON.parse(eves) as Place[] });

export function openPlacedStore(path: string): PlacedStore {
  const database = openDatabase(path, { migrations: MIGRATIONS, table: 'collection' });
  const all = database.prepare<Row>('SELECT * FROM collection ORDER BY kb');
  const of = database.prepare<Row, [string]>('SELECT * FROM collection WHERE kb = ?');
  const save = database.prepare<
    never,
    [string, string, string, number, string, number, number, number | null, number | null]
  >('INSERT OR REPLACE INTO collection VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const reach = database.prepare<never, [number, string]>(
    'UPDATE collection SET reached = max(reached, ?) WHERE id = ?',
  );
  const remove = database.prepare<never, [string]>('DELETE FROM collection WHERE id = ?');
  const upkeep = upkeepStore(database);
  const secrets = secretStore(database);
  return {
    all: () => all.all().map(rowOf),
    of(kb) {
      const row = of.get(kb);
      return row === undefined ? null : rowOf(row);
    },
    save: ({ id, kb, mode, replicas, eves, quota, reached, version, synced }) =>
      void save.run(id, kb, mode, replicas, JSON.stringify(eves), quota, reached, version, synced),
    reach: (id, number) => void reach.run(number, id),
    remove(id) {
      remove.run(id);
      upkeep.remove(id);
      secrets.keep('placed', id, null);
    },
    grants: vaultGrantStore(database),
    upkeep,
    secrets,
    [Symbol.dispose]: () => database.close(),
  };
}
