/**
 * SQLite as the rooms use it: WAL, durable commits, foreign keys, numbered migrations, typed statements.
 *
 * @module base/sqlite
 */
import { chmodSync, closeSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { backup, DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { KithError, messageOf, throwIfAborted } from './errors.ts';
import { makeFolderSync } from './folders.ts';

/** A migration is a list entry: entry i brings the schema from version i to i + 1. Entries are never edited. */
export interface Migration {
  readonly name: string;
  /** SQL, or code for what SQL cannot do. Runs inside the migration's transaction. */
  readonly up: string | ((database: Database) => void);
}

export interface OpenDatabaseOptions {
  readonly migrations: readonly Migration[];
  /** `FULL`: a commit survives a power cut. `NORMAL`: it survives a crash of the process. @default 'FULL' */
  readonly synchronous?: 'FULL' | 'NORMAL';
  /** How long a statement waits for another connection's lock, ms. @default 5000 */
  readonly busyTimeoutMs?: number;
  /** Opens an existing database for reading; it must be at the newest version. @default false */
  readonly readOnly?: boolean;
  /** A table that every database of this kind has. A file with tables but without this one is refused and stays as it is. */
  readonly table?: string;
}

export interface BackupOptions {
  readonly signal?: AbortSignal;
  /** Pages that were copied, of all. */
  readonly told?: (done: number, of: number) => void;
}

export type SqlValue = SQLInputValue;
export type SqlParameters = readonly SqlValue[] | Readonly<Record<string, SqlValue>>;

/** A prepared statement. `Row` is what a row looks like and is trusted, `Params` what must be bound. */
export interface Statement<Row, Params extends SqlParameters> {
  get(...params: Bound<Params>): Row | undefined;
  all(...params: Bound<Params>): Row[];
  iterate(...params: Bound<Params>): IterableIterator<Row>;
  run(...params: Bound<Params>): { readonly changes: number; readonly lastInsertRowid: number };
}
type Bound<Params> = Params extends readonly SqlValue[] ? Params : [named: Params];

/**
 * Opens (and makes) the database at `path`, or `:memory:`, and brings it to the newest version. Its files, and a folder
 * made for them, are for the owner only, whatever the umask is; files that others could read are narrowed.
 */
export function openDatabase(path: string, options: OpenDatabaseOptions): Database {
  const readOnly = options.readOnly ?? false;
  let connection: DatabaseSync | undefined;
  try {
    if (!readOnly && path !== ':memory:') {
      makeFolderSync(dirname(path), 0o700);
      keepPrivate(path);
    }
    connection = new DatabaseSync(path, {
      readOnly,
      timeout: options.busyTimeoutMs ?? 5000,
      enableForeignKeyConstraints: true,
      enableDoubleQuotedStringLiterals: false,
    });
    if (options.table !== undefined) refuseForeign(connection, path, options.table);
    if (!readOnly) connection.exec('PRAGMA journal_mode = WAL');
    connection.exec(`PRAGMA synchronous = ${options.synchronous ?? 'FULL'}`);
    connection.exec('PRAGMA trusted_schema = OFF');
    const database = new Database(connection, path);
    migrate(database, options.migrations, readOnly);
    return database;
  } catch (error) {
    connection?.close();
    throw sqliteError(path, error);
  }
}

export class Database {
  readonly path: string;
  readonly #connection: DatabaseSync;
  #depth = 0;

  constructor(connection: DatabaseSync, path: string) {
    this.#connection = connection;
    this.path = path;
  }

  /** Schema version: the number of migrations applied. */
  get version(): number {
    const row = this.#connection.prepare('PRAGMA user_version').get() as { user_version: number };
    return row.user_version;
  }

  get isOpen(): boolean {
    return this.#connection.isOpen;
  }

  /** Runs SQL without parameters: any number of statements. */
  exec(sql: string): void {
    this.#guard(() => this.#connection.exec(sql));
  }

  /**
   * Compiles one statement. Integers come back as numbers and must stay within 2^53, or `sqlite_failed` is thrown;
   * store larger ones as text or blobs.
   */
  prepare<Row = Record<string, SqlValue>, Params extends SqlParameters = []>(
    sql: string,
  ): Statement<Row, Params> {
    const statement = this.#guard(() => this.#connection.prepare(sql));
    const guard = <T>(work: () => T) => this.#guard(work);
    return {
      get: (...params) => guard(() => statement.get(...bound(params)) as Row | undefined),
      all: (...params) => guard(() => statement.all(...bound(params)) as Row[]),
      *iterate(...params) {
        const rows = guard(() => statement.iterate(...bound(params)) as IterableIterator<Row>);
        try {
          for (;;) {
            const step = guard(() => rows.next());
            if (step.done === true) return;
            yield step.value;
          }
        } finally {
          // Ends the read that a half-done iteration would keep open.
          rows.return?.();
        }
      },
      run: (...params) =>
        guard(() => {
          const { changes, lastInsertRowid } = statement.run(...bound(params));
          return { changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) };
        }),
    };
  }

  /**
   * Runs `work` in a transaction: all of it is stored, or, when it throws, none. Nested calls are savepoints, so an
   * inner failure that the outer code catches undoes the inner part only. `work` must be synchronous: an await
   * would let other code's statements into the transaction.
   */
  transaction<T>(work: () => T): T {
    const depth = this.#depth;
    const [begin, commit, rollback] =
      depth === 0
        ? // IMMEDIATE: a transaction that reads first and writes later could otherwise fail half-way with "busy".
          ['BEGIN IMMEDIATE', 'COMMIT', 'ROLLBACK']
        : [`SAVEPOINT s${depth}`, `RELEASE s${depth}`, `ROLLBACK TO s${depth}; RELEASE s${depth}`];
    this.exec(begin);
    this.#depth++;
    try {
      const result = work();
      if (result instanceof Promise) {
        // Its outcome no longer matters, but an unhandled rejection would end the process.
        result.catch(() => undefined);
        throw new KithError(
          'sqlite_failed',
          'A transaction was given asynchronous work; it must be synchronous.',
        );
      }
      this.exec(commit);
      return result;
    } catch (error) {
      // SQLite itself ends the transaction on some errors (disk full, out of memory).
      if (this.#connection.isTransaction) this.exec(rollback);
      throw error;
    } finally {
      this.#depth = depth;
    }
  }

  /**
   * Writes a consistent copy to `target` while the database stays in use. What was written of it stays when it fails.
   *
   * @throws AbortedError; KithError `disk_full` and others of the disk
   */
  async backup(target: string, { signal, told }: BackupOptions = {}): Promise<void> {
    try {
      keepPrivate(target);
      await backup(this.#connection, target, {
        progress({ totalPages, remainingPages }) {
          // Thrown here it ends the copying.
          throwIfAborted(signal);
          told?.(totalPages - remainingPages, totalPages);
        },
      });
    } catch (error) {
      throw sqliteError(target, error);
    }
  }

  close(): void {
    if (this.#connection.isOpen) this.#connection.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw sqliteError(this.path, error);
    }
  }
}

/**
 * Makes the file of a database for the owner only; `-wal` and `-shm` take its mode. An existing one is never opened here:
 * closing it would drop the locks that other connections of this process have on it.
 */
function keepPrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch {
    // It is there already, or SQLite says below why it cannot be made.
  }
  if (process.platform === 'win32') return;
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
    if ((mode & 0o077) === 0) continue;
    try {
      chmodSync(file, mode & 0o700);
    } catch (error) {
      // Another user's file, or a file system without permissions: there is nothing to narrow.
      if (!['EPERM', 'ENOTSUP', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
}

type AnyParameters = Parameters<StatementSync['run']>;
function bound(params: readonly unknown[]): AnyParameters {
  return params as unknown as AnyParameters;
}

function refuseForeign(connection: DatabaseSync, path: string, table: string): void {
  const has = connection
    .prepare("SELECT count(*) AS tables, sum(name = ?) AS own FROM sqlite_schema WHERE type = 'table'")
    .get(table) as { tables: number; own: number | null };
  if (has.tables === 0 || has.own === 1) return;
  throw new KithError(
    'database_foreign',
    `${path} is a database of another program; it was left as it is. Choose another file or folder.`,
    { status: 409, details: { path } },
  );
}

function migrate(database: Database, migrations: readonly Migration[], readOnly: boolean): void {
  const newest = migrations.length;
  const found = database.version;
  if (found > newest) {
    throw new KithError(
      'database_newer',
      `${database.path} has schema version ${found}, but this version of Kith knows ${newest} at most. ` +
        'Update Kith, or restore a backup made by this version.',
      { details: { found, newest } },
    );
  }
  if (readOnly && found < newest) {
    throw new KithError(
      'database_older',
      `${database.path} has schema version ${found} and ${newest} is needed; open it for writing once to update it.`,
      { details: { found, newest } },
    );
  }
  if (found < 0)
    throw new KithError(
      'database_foreign',
      `${database.path} has schema version ${found}, which no version of Kith writes; it was left as it is. Choose another file.`,
      { status: 409, details: { path: database.path } },
    );
  for (let version = found; version < newest; version++) {
    const migration = migrations[version]!;
    database.transaction(() => {
      // Another process may have applied it while this one waited for the lock.
      if (database.version > version) return;
      try {
        if (typeof migration.up === 'string') database.exec(migration.up);
        else migration.up(database);
      } catch (error) {
        throw new KithError(
          'migration_failed',
          `Migration ${version + 1} (${migration.name}) of ${database.path} failed and was undone: ${messageOf(error)}`,
          { details: { version: version + 1, name: migration.name }, cause: error },
        );
      }
      database.exec(`PRAGMA user_version = ${version + 1}`);
    });
  }
}

/** SQLite's result codes, primary ones and one that says more, that have a code of their own here (https://sqlite.org/rescode.html). */
const CODES: Readonly<Record<number, readonly [code: string, status: number, remedy: string]>> = {
  5: ['database_busy', 503, 'another process is using it; try again'],
  8: ['database_read_only', 500, 'it cannot be written'],
  10: [
    'disk_failed',
    503,
    'its disk cannot be read or written; check it and its free space, or connect it again',
  ],
  11: ['database_corrupt', 500, 'the file is damaged; restore a backup'],
  /** No room for what connections share: that is a full disk. */
  [10 + 256 * 19]: ['disk_full', 507, 'free some space and try again'],
  13: ['disk_full', 507, 'free some space and try again'],
  14: ['database_unavailable', 500, 'the file cannot be opened; check that the folder exists and is yours'],
  19: ['database_constraint', 409, 'the change breaks a rule of the schema'],
  26: ['database_corrupt', 500, 'the file is not an SQLite database; restore a backup'],
};

function sqliteError(path: string, error: unknown): KithError {
  if (error instanceof KithError) return error;
  const extended = (error as { errcode?: number }).errcode ?? 0;
  const [code, status, remedy] = CODES[extended] ?? CODES[extended % 256] ?? ['sqlite_failed', 500, null];
  const message = `${path}: ${messageOf(error)}${remedy === null ? '' : ` (${remedy})`}.`;
  return new KithError(code, message, { status, cause: error });
}
