/**
 * The registry's file: records and sequence numbers, so that a restart neither starts blind nor believes an older record.
 *
 * Changes of one turn of the event loop are one transaction. A process that is killed loses that turn at most, a machine
 * that loses power the last seconds: records come again within a minute.
 *
 * @module swarm/registry/store
 */
import { rmSync } from 'node:fs';
import { type Database, isKithError, type Migration, openDatabase } from '../../base/index.ts';
import type { Sequence } from '../records/sequences.ts';

const MIGRATIONS: readonly Migration[] = [
  {
    name: 'registry',
    up: `
      CREATE TABLE records (
        peer TEXT NOT NULL,
        model TEXT NOT NULL,
        bytes BLOB NOT NULL,
        PRIMARY KEY (peer, model)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE sequences (
        peer TEXT NOT NULL,
        model TEXT NOT NULL,
        seq INTEGER NOT NULL,
        gone INTEGER NOT NULL,
        PRIMARY KEY (peer, model)
      ) STRICT, WITHOUT ROWID;`,
  },
];

export interface Stored {
  readonly records: readonly Uint8Array[];
  readonly sequences: readonly Sequence[];
}

export interface RegistryStoreOptions {
  /** `:memory:` or a file, made when missing. */
  readonly path: string;
  /** Told when changes could not be written; the registry goes on without. */
  readonly onError?: (error: unknown) => void;
}

interface RecordRow {
  peer: string;
  model: string;
  bytes: Uint8Array | null;
}
type SequenceRow = Sequence | { readonly peer: string; readonly model: string; readonly seq: null };

/** What it holds can be learned again: a damaged file is replaced. Throws KithError for what else SQLite refuses. */
export function openRegistryStore(options: RegistryStoreOptions): RegistryStore {
  const open = () => {
    // Whatever is lost to a power cut is announced again.
    const database = openDatabase(options.path, { migrations: MIGRATIONS, synchronous: 'NORMAL' });
    try {
      return new RegistryStore(database, options.onError ?? (() => undefined));
    } catch (error) {
      database.close();
      throw error;
    }
  };
  try {
    return open();
  } catch (error) {
    if (!isKithError(error) || error.code !== 'database_corrupt') throw error;
    for (const end of ['', '-wal', '-shm']) rmSync(options.path + end, { force: true });
    return open();
  }
}

export class RegistryStore implements Disposable {
  /** What was there when it was opened. */
  readonly stored: Stored;
  readonly #database: Database;
  readonly #onError: (error: unknown) => void;
  #records = new Map<string, RecordRow>();
  #sequences = new Map<string, SequenceRow>();
  #due: NodeJS.Immediate | null = null;

  constructor(database: Database, onError: (error: unknown) => void) {
    this.#database = database;
    this.#onError = onError;
    const records = database.prepare<{ bytes: Uint8Array }>('SELECT bytes FROM records').all();
    const sequences = database
      .prepare<{ peer: string; model: string; seq: number; gone: number }>(
        'SELECT peer, model, seq, gone FROM sequences ORDER BY seq',
      )
      .all();
    this.stored = {
      records: records.map(({ bytes }) => bytes),
      sequences: sequences.map((row) => ({ ...row, gone: row.gone === 1 })),
    };
  }

  /** Keeps the record of a peer and model; null removes it. */
  setRecord(peer: string, model: string, bytes: Uint8Array | null): void {
    this.#records.set(`${peer}/${model}`, { peer, model, bytes });
    this.#schedule();
  }

  setSequence(one: Sequence): void {
    this.#sequences.set(`${one.peer}/${one.model}`, one);
    this.#schedule();
  }

  removeSequence({ peer, model }: Sequence): void {
    this.#sequences.set(`${peer}/${model}`, { peer, model, seq: null });
    this.#schedule();
  }

  #schedule(): void {
    this.#due ??= setImmediate(() => this.flush());
  }

  /** Writes what is not yet written. Never throws. */
  flush(): void {
    if (this.#due !== null) clearImmediate(this.#due);
    this.#due = null;
    const records = this.#records;
    const sequences = this.#sequences;
    if (records.size + sequences.size === 0) return;
    // Dropped when they cannot be written: what cannot be kept must not grow in memory.
    this.#records = new Map();
    this.#sequences = new Map();
    try {
      this.#database.transaction(() => {
        this.#writeRecords(records.values());
        this.#writeSequences(sequences.values());
      });
    } catch (error) {
      this.#onError(error);
    }
  }

  #writeRecords(rows: Iterable<RecordRow>): void {
    const put = this.#database.prepare<never, [string, string, Uint8Array]>(
      'INSERT OR REPLACE INTO records (peer, model, bytes) VALUES (?, ?, ?)',
    );
    const remove = this.#database.prepare<never, [string, string]>(
      'DELETE FROM records WHERE peer = ? AND model = ?',
    );
    for (const { peer, model, bytes } of rows) {
      if (bytes === null) remove.run(peer, model);
      else put.run(peer, model, bytes);
    }
  }

  #writeSequences(rows: Iterable<SequenceRow>): void {
    const put = this.#database.prepare<never, [string, string, number, number]>(
      'INSERT OR REPLACE INTO sequences (peer, model, seq, gone) VALUES (?, ?, ?, ?)',
    );
    const remove = this.#database.prepare<never, [string, string]>(
      'DELETE FROM sequences WHERE peer = ? AND model = ?',
    );
    for (const row of rows) {
      if (row.seq === null) remove.run(row.peer, row.model);
      else put.run(row.peer, row.model, row.seq, row.gone ? 1 : 0);
    }
  }

  close(): void {
    this.flush();
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
