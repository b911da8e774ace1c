/**
 * Grants in the home: those that its owner gave, with what became of them, and those that peers gave to it.
 *
 * A grant counts only while its row is here and says nothing of an end: who loses the file has revoked all.
 *
 * @module node/knowledge/share-store
 */
import { type Database, LimitError, type Migration, openDatabase } from '../../base/index.ts';
import { type Grant, readGrant } from '../../knowledge/index.ts';
import type { GivenGrant, GrantView } from '../../server/index.ts';

const MIGRATIONS: readonly Migration[] = [
  {
    name: 'grants given and accepted',
    up: `
      CREATE TABLE given (
        id TEXT PRIMARY KEY, holder TEXT NOT NULL, bytes BLOB NOT NULL, made INTEGER NOT NULL, revoked INTEGER,
        used INTEGER NOT NULL, used_at INTEGER, refused INTEGER NOT NULL, refused_at INTEGER, refused_why TEXT
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX given_holder ON given (holder);
      CREATE TABLE accepted (id TEXT PRIMARY KEY, bytes BLOB NOT NULL, made INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    `,
  },
];

/** Of each kind, ended ones too. */
const MOST = 10_000;

/** With what became of it. */
export interface GivenEntry extends Omit<GivenGrant, keyof GrantView | 'text'> {
  readonly grant: Grant;
}

export interface AcceptedEntry {
  readonly grant: Grant;
  /** ms since 1970. */
  readonly at: number;
}

export interface ShareStore extends Disposable {
  /** @throws LimitError `knowledge.grants` */
  give(grant: Grant, at: number): void;
  /** Newest first. */
  given(): GivenEntry[];
  givenTo(holder: string, limit: number): GivenEntry[];
  byId(id: string): GivenEntry | null;
  /** False when there is none that holds. */
  revoke(id: string, at: number): boolean;
  noteUse(id: string, at: number): void;
  noteRefusal(id: string, why: string, at: number): void;
  /** @throws LimitError `knowledge.grants` */
  accept(grant: Grant, at: number): void;
  /** Newest first. */
  accepted(): AcceptedEntry[];
  /** False when there is none. */
  forget(id: string): boolean;
}

interface GivenRow {
  readonly id: string;
  readonly bytes: Uint8Array;
  readonly revoked: number | null;
  readonly used: number;
  readonly used_at: number | null;
  readonly refused: number;
  readonly refused_at: number | null;
  readonly refused_why: string | null;
}

export function openShareStore(path: string): ShareStore {
  const database: Database = openDatabase(path, { migrations: MIGRATIONS });
  /** By id: reading one takes a verification. */
  const read = new Map<string, Grant>();
  const grantOf = ({ id, bytes }: { readonly id: string; readonly bytes: Uint8Array }): Grant => {
    const known = read.get(id);
    if (known !== undefined) return known;
    const grant = readGrant(bytes);
    if (read.size >= MOST) read.clear();
    read.set(id, grant);
    return grant;
  };
  const entryOf = (row: GivenRow): GivenEntry => ({
    ...{ grant: grantOf(row), revoked: row.revoked, used: row.used, usedAt: row.used_at },
    ...{ refused: row.refused, refusedAt: row.refused_at, refusedWhy: row.refused_why },
  });
  const byId = database.prepare<GivenRow, [string]>('SELECT * FROM given WHERE id = ?');
  const room = (table: 'given' | 'accepted'): void => {
    const { n } = database.prepare<{ n: number }>(`SELECT count(*) AS n FROM ${table}`).get()!;
    if (n >= MOST)
      throw new LimitError(
        'knowledge.grants',
        MOST,
        `There are ${MOST} grants already, and no more are kept.`,
      );
  };
  return {
    give(grant, at) {
      room('given');
      database
        .prepare<never, [string, string, Uint8Array, number]>(
          'INSERT INTO given (id, holder, bytes, made, used, refused) VALUES (?, ?, ?, ?, 0, 0)',
        )
        .run(grant.id, grant.holder, grant.bytes, at);
    },
    given: () => database.prepare<GivenRow>('SELECT * FROM given ORDER BY made DESC, id').all().map(entryOf),
    givenTo: (holder, limit) =>
      database
        .prepare<GivenRow, [string, number]>(
          'SELECT * FROM given WHERE holder = ? AND revoked IS NULL ORDER BY made DESC, id LIMIT ?',
        )
        .all(holder, limit)
        .map(entryOf),
    byId(id) {
      const row = byId.get(id);
      return row === undefined ? null : entryOf(row);
    },
    revoke: (id, at) =>
      database
        .prepare<never, [number, string]>('UPDATE given SET revoked = ? WHERE id = ? AND revoked IS NULL')
        .run(at, id).changes > 0,
    noteUse(id, at) {
      database
        .prepare<never, [number, string]>('UPDATE given SET used = used + 1, used_at = ? WHERE id = ?')
        .run(at, id);
    },
    noteRefusal(id, why, at) {
      database
        .prepare<never, [number, string, string]>(
          'UPDATE given SET refused = refused + 1, refused_at = ?, refused_why = ? WHERE id = ?',
        )
        .run(at, why, id);
    },
    accept(grant, at) {
      room('accepted');
      database
        .prepare<never, [string, Uint8Array, number]>(
          'INSERT INTO accepted (id, bytes, made) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING',
        )
        .run(grant.id, grant.bytes, at);
    },
    accepted: () =>
      database
        .prepare<{ id: string; bytes: Uint8Array; made: number }>(
          'SELECT id, bytes, made FROM accepted ORDER BY made DESC, id',
        )
        .all()
        .map((row) => ({ grant: grantOf(row), at: row.made })),
    forget: (id) =>
      database.prepare<never, [string]>('DELETE FROM accepted WHERE id = ?').run(id).changes > 0,
    [Symbol.dispose]: () => database.close(),
  };
}
