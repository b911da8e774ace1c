/**
 * Answers in an SQLite file: bounded by bytes, the least recently used go first, safe against a crash at any moment.
 *
 * A commit survives a crash of the process; a power cut may cost the last answers, never the file. A file that is
 * damaged or of a newer Kith is replaced: it is a cache.
 *
 * @module gateway/cache/sqlite-store
 */
import { rmSync } from 'node:fs';
import {
  type Clock,
  type Database,
  isKithError,
  type Logger,
  type Migration,
  openDatabase,
} from '../../base/index.ts';
import { decodeAnswer, encodeAnswer } from './codec.ts';
import type { AnswerStore, StoreSize } from './types.ts';

export interface SqliteStoreOptions {
  /** Path of the file, or `:memory:`. Its folder is made when it is missing. */
  readonly path: string;
  /** Bytes of all answers together, with what a row takes. The file itself may be larger: free pages, its log. */
  readonly maxBytes: number;
  /** A larger answer is not kept. @default a quarter of `maxBytes` */
  readonly maxAnswerBytes?: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What a row takes beside its body, about: the key twice, the model twice, times, index entries. */
const ROW_BYTES = 256;
/** Uses are written down together, with the next answer or when there are this many. */
const MAX_TOUCHED = 256;

const MIGRATIONS: readonly Migration[] = [
  {
    name: 'answers',
    up: `
      CREATE TABLE answers (
        id TEXT PRIMARY KEY,
        model TEXT NOT NULL,
        stored INTEGER NOT NULL,
        used INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        body BLOB NOT NULL
      );
      CREATE INDEX answers_by_use ON answers (used);
      CREATE INDEX answers_by_model ON answers (model);
      CREATE TABLE total (one INTEGER PRIMARY KEY CHECK (one = 1), bytes INTEGER NOT NULL, entries INTEGER NOT NULL);
      INSERT INTO total VALUES (1, 0, 0);
      CREATE TRIGGER answer_added AFTER INSERT ON answers BEGIN
        UPDATE total SET bytes = bytes + new.bytes, entries = entries + 1;
      END;
      CREATE TRIGGER answer_removed AFTER DELETE ON answers BEGIN
        UPDATE total SET bytes = bytes - old.bytes, entries = entries - 1;
      END;`,
  },
];

export function createSqliteStore(options: SqliteStoreOptions): AnswerStore {
  const { maxBytes, log } = options;
  const maxAnswerBytes = options.maxAnswerBytes ?? Math.floor(maxBytes / 4);
  const database = open(options);
  // What was removed is overwritten: answers are private.
  database.exec('PRAGMA secure_delete = ON');
  const select = database.prepare<{ body: Uint8Array }, [string]>('SELECT body FROM answers WHERE id = ?');
  const drop = database.prepare<never, [string]>('DELETE FROM answers WHERE id = ?');
  const insert = database.prepare<never, [string, string, number, number, number, Uint8Array]>(
    'INSERT INTO answers (id, model, stored, used, bytes, body) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const touch = database.prepare<never, [number, string]>('UPDATE answers SET used = ? WHERE id = ?');
  const oldest = database.prepare<{ id: string }>('SELECT id FROM answers ORDER BY used LIMIT 1');
  const total = database.prepare<{ bytes: number; entries: number }>('SELECT bytes, entries FROM total');
  const clear = database.prepare<never, { model: string | null; before: number | null }>(
    'DELETE FROM answers WHERE ($model IS NULL OR model = $model) AND ($before IS NULL OR stored < $before)',
  );
  let uses = database
    .prepare<{ used: number }>('SELECT coalesce(max(used), 0) AS used FROM answers')
    .get()!.used;
  const touched = new Map<string, number>();

  const writeTouched = () => {
    for (const [id, used] of touched) touch.run(used, id);
    touched.clear();
  };
  /** What did not work the last time it was tried. */
  const failing = new Set<string>();
  /** A full disk or a lock must not fail the request: it goes on without the cache, and the log says so once. */
  const guarded = <R>(what: string, otherwise: R, work: () => R): R => {
    if (!database.isOpen) return otherwise;
    try {
      const result = work();
      failing.delete(what);
      return result;
    } catch (error) {
      if (!failing.has(what))
        log.warn(`The answer cache could not ${what}.`, { err: error, path: options.path });
      failing.add(what);
      return otherwise;
    }
  };
  const close = async () => {
    guarded('write down which answers were used', undefined, () => database.transaction(writeTouched));
    database.close();
  };

  return {
    name: 'sqlite',
    async get(key) {
      return guarded('read an answer', null, () => {
        const row = select.get(key.id);
        if (row === undefined) return null;
        const stored = decodeAnswer(row.body);
        if (stored === null) {
          drop.run(key.id);
          return null;
        }
        touched.delete(key.id);
        touched.set(key.id, ++uses);
        if (touched.size >= MAX_TOUCHED) database.transaction(writeTouched);
        return stored;
      });
    },
    async put(key, stored) {
      const body = encodeAnswer(stored);
      const bytes = body.byteLength + ROW_BYTES;
      if (bytes > maxAnswerBytes || bytes > maxBytes) return 0;
      return guarded('keep an answer', 0, () =>
        database.transaction(() => {
          writeTouched();
          drop.run(key.id);
          while (total.get()!.bytes + bytes > maxBytes) drop.run(oldest.get()!.id);
          insert.run(key.id, key.model, stored.storedAt, ++uses, bytes, body);
          return bytes;
        }),
      );
    },
    async remove(key) {
      guarded('remove an answer', undefined, () => drop.run(key.id));
    },
    async clear({ model, olderThanMs }) {
      const before = olderThanMs === undefined ? null : options.clock.now() - olderThanMs;
      // Not guarded: who clears must learn that it failed.
      const { changes } = database.transaction(() => clear.run({ model: model ?? null, before }));
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      return changes;
    },
    async size() {
      return guarded<StoreSize>('be measured', { bytes: null, entries: null }, () => ({ ...total.get()! }));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function open({ path, log }: SqliteStoreOptions): Database {
  const options = { migrations: MIGRATIONS, synchronous: 'NORMAL', busyTimeoutMs: 250 } as const;
  try {
    const database = openDatabase(path, options);
    // Reads the whole file: a cache is small, and damage found later would come as wrong answers.
    const check = database.prepare<{ quick_check: string }>('PRAGMA quick_check(1)').get();
    if (check?.quick_check === 'ok') return database;
    database.close();
  } catch (error) {
    const code = isKithError(error) ? error.code : '';
    if (path === ':memory:' || !['database_corrupt', 'database_newer'].includes(code)) throw error;
  }
  log.warn('The file of the answer cache is damaged or of a newer Kith; a new one is begun.', { path });
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
  return openDatabase(path, options);
}
