/**
 * One SQLite file is one knowledge base, and all there is of it: what lies in memory is made from it and follows its versions.
 *
 * @module knowledge/store/store
 */
import { lstatSync, statSync } from 'node:fs';
import {
  type Clock,
  type Database,
  KithError,
  openDatabase,
  type Random,
  systemRandom,
  toHex,
} from '../../base/index.ts';
import { createKept } from './cache.ts';
import { checkFile } from './check.ts';
import { createReader } from './reader.ts';
import { kept } from './rows.ts';
import { MIGRATIONS } from './schema.ts';
import type { Counts, EmbedderIdentity, KnowledgeStore } from './types.ts';
import { createWriter } from './writer.ts';

export interface StoreOptions {
  /** Of the file, or `:memory:`. */
  readonly path: string;
  /** Makes the file when there is none; without it a missing file is an error, since its disk may be missing. */
  readonly create?: {
    readonly name: string;
    readonly clock: Pick<Clock, 'now'>;
    /** Source of the id. @default the system's */
    readonly random?: Random;
  };
  /** Refused when the KB's vectors are of another; taken when it has none yet. */
  readonly embedder?: EmbedderIdentity;
}

interface Meta {
  id: string;
  name: string;
  embedder: string | null;
  embedder_hash: string | null;
  dimension: number | null;
  version: number;
  settings: string;
}

/**
 * @throws KithError `kb_missing`; `database_newer` for a file of a later version of Kith; `database_foreign`; others of base/sqlite;
 * InputError `embedder_mismatch`
 */
export function openKnowledgeStore(options: StoreOptions): KnowledgeStore {
  const { path, create, embedder } = options;
  if (create === undefined && path !== ':memory:' && !isFile(path)) {
    throw new KithError(
      'kb_missing',
      `There is no knowledge base at ${path}. If it is on an external drive, connect it; if it was moved, say where it is.`,
      { status: 404, details: { path } },
    );
  }
  const database = openDatabase(path, { migrations: MIGRATIONS, table: 'document' });
  try {
    // Lists of words are read again and again; the rest of the file comes through the system's own cache.
    database.exec('PRAGMA cache_size = -32768');
    database.transaction(() => {
      if (database.prepare('SELECT 1 AS one FROM meta').get() !== undefined) return;
      const { name = 'knowledge', clock, random = systemRandom } = create ?? {};
      database
        .prepare<never, [string, string, number]>(
          "INSERT INTO meta (one, id, name, made, version, forgotten, settings) VALUES (1, ?, ?, ?, 0, 0, '{}')",
        )
        .run(toHex(random.bytes(16)), name, Math.floor(clock?.now() ?? 0));
    });
    const store = createStore(database);
    if (embedder !== undefined) store.useEmbedder(embedder);
    return store;
  } catch (error) {
    database.close();
    throw error;
  }
}

function createStore(database: Database): KnowledgeStore {
  const { path } = database;
  const metaRow = database.prepare<Meta>(
    'SELECT id, name, embedder, embedder_hash, dimension, version, settings FROM meta',
  );
  const number = (sql: string): number => database.prepare<{ n: number }>(`SELECT ${sql} AS n`).get()!.n;
  const inode = inodeOf(path);
  const present = (): void => {
    // A file that was taken away goes on being written on many systems, and with it all that is then lost.
    if (path !== ':memory:' && inodeOf(path) !== inode) throw lost(path);
  };
  const embedder = (): EmbedderIdentity | null => {
    const { embedder: id, embedder_hash: hash, dimension } = metaRow.get()!;
    return id === null || hash === null || dimension === null ? null : { id, hash, dimension };
  };
  const reader = createReader(database);
  const writer = createWriter({ database, present, embedder });
  const { id, name } = metaRow.get()!;

  return {
    ...{ path, id, name },
    ...reader,
    ...writer,
    get embedder() {
      return embedder();
    },
    get settings() {
      return kept<Record<string, unknown>>(metaRow.get()!.settings, 'its settings');
    },
    version: () => metaRow.get()!.version,
    kept: createKept(database, present),
    put(document, chunks, vectors, mentions, state) {
      return reader.documentById(writer.put(document, chunks, vectors, mentions, state))!;
    },
    atOnce(work) {
      present();
      return database.transaction(work);
    },
    counts(): Counts {
      return {
        documents: number('(SELECT count(*) FROM document)'),
        chunks: number('(SELECT count(*) FROM chunk)'),
        vectors: number('(SELECT count(*) FROM vector)'),
        mentions: number('(SELECT count(*) FROM mention)'),
        bytes: [path, `${path}-wal`].reduce(
          (sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0),
          0,
        ),
      };
    },
    check: () => checkFile(database),
    backup: (target, options) => database.backup(target, options),
    close: () => database.close(),
    [Symbol.dispose]: () => database.close(),
  };
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** Null where it is gone, or its disk. */
function inodeOf(path: string): bigint | null {
  try {
    const { dev, ino } = lstatSync(path, { bigint: true });
    return (dev << 64n) | ino;
  } catch {
    return null;
  }
}

function lost(path: string): KithError {
  return new KithError(
    'kb_lost',
    `The file ${path} is gone or was replaced while it was in use; nothing was written. Connect its drive again, then open the knowledge base anew.`,
    { status: 503, details: { path } },
  );
}
