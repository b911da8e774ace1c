/**
 * Whom Eve lends how much, and until when. One row a tenant; the tenant itself is a file of its own.
 *
 * What was promised to all tenants together never exceeds the capacity: space is lent once. A tenant whose time is over stays for
 * a time of grace that is counted while Eve runs: a clock that jumps a year ahead deletes nothing.
 *
 * @module vault/eve/register
 */
import { type Database, type Migration, openDatabase } from '../../base/index.ts';

const MIGRATIONS: readonly Migration[] = [
  {
    name: 'tenants',
    up: `
      CREATE TABLE tenant (
        owner TEXT NOT NULL, label TEXT NOT NULL, file TEXT NOT NULL UNIQUE,
        quota INTEGER NOT NULL, made INTEGER NOT NULL, until INTEGER NOT NULL,
        grace INTEGER NOT NULL, going INTEGER NOT NULL,
        PRIMARY KEY (owner, label)
      ) STRICT, WITHOUT ROWID;
    `,
  },
  { name: 'files that were made', up: 'ALTER TABLE tenant ADD COLUMN filed INTEGER NOT NULL DEFAULT 1' },
];

export interface TenantRow {
  /** PeerId. */
  readonly owner: string;
  readonly label: string;
  readonly file: string;
  readonly quota: number;
  readonly made: number;
  readonly until: number;
  /** Ms of grace that are left. */
  readonly grace: number;
  /** 1: being deleted; its file may be there still. */
  readonly going: number;
  /** 1: its file was made; when it is not there then, it was lost. */
  readonly filed: number;
}

export interface Register extends Disposable {
  find(owner: string, label: string): TenantRow | null;
  /** Of one owner or of all, by label. */
  list(owner: string | null, after: string | null, limit: number): TenantRow[];
  /** Its file is not made yet. */
  add(row: Omit<TenantRow, 'going' | 'filed'>): void;
  /** Its file is there. */
  filed(owner: string, label: string): void;
  change(owner: string, label: string, terms: Pick<TenantRow, 'quota' | 'until' | 'grace'>): void;
  /** Takes so much of the grace of all whose time is over; gives those that have none left. */
  age(now: number, elapsedMs: number): TenantRow[];
  /** First it is going, then its file goes, then the row. */
  going(owner: string, label: string): void;
  gone(owner: string, label: string): void;
  /** Those that were going when the program ended. */
  leaving(): TenantRow[];
  /** Of all: bytes that were promised, and how many tenants there are. */
  totals(): { readonly promised: number; readonly tenants: number };
  countOf(owner: string): number;
}

export function openRegister(path: string): Register {
  const database: Database = openDatabase(path, { migrations: MIGRATIONS, table: 'tenant' });
  const find = database.prepare<TenantRow, [string, string]>(
    'SELECT * FROM tenant WHERE owner = ? AND label = ? AND going = 0',
  );
  const ofOwner = database.prepare<TenantRow, [string, string, number]>(
    'SELECT * FROM tenant WHERE owner = ? AND label > ? AND going = 0 ORDER BY label LIMIT ?',
  );
  const all = database.prepare<TenantRow, [string, number]>(
    'SELECT * FROM tenant WHERE label > ? AND going = 0 ORDER BY label, owner LIMIT ?',
  );
  const add = database.prepare<never, [string, string, string, number, number, number, number]>(
    'INSERT INTO tenant VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0)',
  );
  const change = database.prepare<never, [number, number, number, string, string]>(
    'UPDATE tenant SET quota = ?, until = ?, grace = ? WHERE owner = ? AND label = ?',
  );
  const age = database.prepare<never, [number, number, number]>(
    'UPDATE tenant SET grace = max(0, grace - min(?, ? - until)) WHERE until <= ? AND going = 0',
  );
  const over = database.prepare<TenantRow, [number]>(
    'SELECT * FROM tenant WHERE until <= ? AND grace = 0 AND going = 0',
  );
  const going = database.prepare<never, [string, string]>(
    'UPDATE tenant SET going = 1 WHERE owner = ? AND label = ?',
  );
  const filed = database.prepare<never, [string, string]>(
    'UPDATE tenant SET filed = 1 WHERE owner = ? AND label = ?',
  );
  const gone = database.prepare<never, [string, string]>('DELETE FROM tenant WHERE owner = ? AND label = ?');
  const leaving = database.prepare<TenantRow>('SELECT * FROM tenant WHERE going = 1');
  const totals = database.prepare<{ promised: number; tenants: number }>(
    'SELECT coalesce(sum(quota), 0) AS promised, count(*) AS tenants FROM tenant',
  );
  const countOf = database.prepare<{ n: number }, [string]>(
    'SELECT count(*) AS n FROM tenant WHERE owner = ?',
  );
  return {
    find: (owner, label) => find.get(owner, label) ?? null,
    list: (owner, after, limit) =>
      owner === null ? all.all(after ?? '', limit) : ofOwner.all(owner, after ?? '', limit),
    add: ({ owner, label, file, quota, made, until, grace }) =>
      void add.run(owner, label, file, quota, made, until, grace),
    change: (owner, label, { quota, until, grace }) => void change.run(quota, until, grace, owner, label),
    age: (now, elapsedMs) =>
      database.transaction(() => {
        age.run(Math.max(0, Math.round(elapsedMs)), now, now);
        return over.all(now);
      }),
    filed: (owner, label) => void filed.run(owner, label),
    going: (owner, label) => void going.run(owner, label),
    gone: (owner, label) => void gone.run(owner, label),
    leaving: () => leaving.all(),
    totals: () => totals.get()!,
    countOf: (owner) => countOf.get(owner)!.n,
    [Symbol.dispose]: () => database.close(),
  };
}
