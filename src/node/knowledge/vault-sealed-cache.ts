/**
 * What was read of Eves to search sealed knowledge bases: pieces of indices, pages of manifests, parts of documents, as they lie at Eves. All
 * of it is sealed, and the keys stand nowhere here: a page is opened with the owner's key each time.
 *
 * What a state does not name any more is removed when the state is opened; above the bound what was used longest ago goes. A damaged
 * file is made anew: it holds nothing that Eves do not have.
 *
 * @module node/knowledge/vault-sealed-cache
 */
import { rmSync } from 'node:fs';
import { type Database, isKithError, type Migration, openDatabase } from '../../base/index.ts';
import type { KeptReads, Manifest } from '../../vault/index.ts';

const MIGRATIONS: readonly Migration[] = [
  {
    name: 'what was read',
    up: `
      CREATE TABLE read (
        collection TEXT NOT NULL, block TEXT NOT NULL, at INTEGER NOT NULL, length INTEGER NOT NULL,
        bytes BLOB NOT NULL, used INTEGER NOT NULL, PRIMARY KEY (collection, block, at, length)
      ) STRICT;
      CREATE INDEX read_used ON read (used);
    `,
  },
];

export interface ReadCache extends Disposable {
  of(collection: string): KeptReads;
  /** Removes what this state of the collection does not name. */
  keepOnly(collection: string, manifest: Manifest): void;
  forget(collection: string): void;
  /** Removes the pages, in which keys stand: until they are read again, nothing that is kept here can be opened. */
  forgetPages(collection: string): void;
  /** Bytes of all that is kept. */
  bytes(): number;
}

/** Of all collections together. */
const MOST_BYTES = 512 << 20;
/** Above the bound so much of it is left. */
const LEFT = 0.9;
/** A whole block has these for its place. */
const WHOLE = { at: -1, length: -1 } as const;

/** @param path of a file for the owner only, which may be missing */
export function openReadCache(path: string, mostBytes = MOST_BYTES): ReadCache {
  const open = (): ReadCache => {
    const database = openDatabase(path, { migrations: MIGRATIONS, table: 'read', synchronous: 'NORMAL' });
    try {
      // Keys of what was erased stood in pages: they go from the file, too.
      database.exec('PRAGMA secure_delete = ON');
      return cacheIn(database, mostBytes);
    } catch (error) {
      database.close();
      throw error;
    }
  };
  try {
    return open();
  } catch (error) {
    if (!isKithError(error)) throw error;
    for (const end of ['', '-wal', '-shm']) rmSync(`${path}${end}`, { force: true });
    return open();
  }
}

/** @throws KithError when what is there cannot be counted: it is damaged */
function cacheIn(database: Database, mostBytes: number): ReadCache {
  type Key = [collection: string, block: string, at: number, length: number];
  const get = database.prepare<{ bytes: Uint8Array; used: number }, Key>(
    'SELECT bytes, used FROM read WHERE collection = ? AND block = ? AND at = ? AND length = ?',
  );
  const use = database.prepare<never, [number, ...Key]>(
    'UPDATE read SET used = ? WHERE collection = ? AND block = ? AND at = ? AND length = ?',
  );
  const put = database.prepare<never, [...Key, Uint8Array, number]>(
    'INSERT OR REPLACE INTO read VALUES (?, ?, ?, ?, ?, ?)',
  );
  const remove = database.prepare<never, Key>(
    'DELETE FROM read WHERE collection = ? AND block = ? AND at = ? AND length = ?',
  );
  const keys = database.prepare<{ block: string; at: number; length: number; size: number }, [string]>(
    'SELECT block, at, length, length(bytes) AS size FROM read WHERE collection = ?',
  );
  const oldest = database.prepare<{
    collection: string;
    block: string;
    at: number;
    length: number;
    size: number;
  }>('SELECT collection, block, at, length, length(bytes) AS size FROM read ORDER BY used LIMIT 256');
  const forget = database.prepare<never, [string]>('DELETE FROM read WHERE collection = ?');
  const pages = database.prepare<never, [string]>('DELETE FROM read WHERE collection = ? AND length = -1');
  const measured = () =>
    database.prepare<{ n: number }>('SELECT coalesce(sum(length(bytes)), 0) AS n FROM read').get()!.n;
  const newest = database.prepare<{ n: number }>('SELECT coalesce(max(used), 0) AS n FROM read').get()!.n;
  /** Counts runs of the node: within one, what was used is not written down again. */
  const now = newest + 1;
  let total = measured();

  function shrink(): void {
    database.transaction(() => {
      while (total > LEFT * mostBytes) {
        const rows = oldest.all();
        if (rows.length === 0) break;
        for (const { collection, block, at, length, size } of rows) {
          if (total <= LEFT * mostBytes) break;
          remove.run(collection, block, at, length);
          total -= size;
        }
      }
    });
  }

  return {
    of: (collection) => ({
      get(block, stretch) {
        const { at, length } = stretch ?? WHOLE;
        return anyway(() => {
          const row = get.get(collection, block, at, length);
          if (row === undefined) return null;
          if (row.used !== now) use.run(now, collection, block, at, length);
          return row.bytes;
        });
      },
      put(block, stretch, bytes) {
        if (bytes.length > mostBytes / 4) return;
        const { at, length } = stretch ?? WHOLE;
        anyway(() => {
          const before = get.get(collection, block, at, length)?.bytes.length ?? 0;
          put.run(collection, block, at, length, bytes, now);
          total += bytes.length - before;
          if (total > mostBytes) shrink();
          return null;
        });
      },
    }),
    keepOnly(collection, { pages, entries }) {
      const named = new Set(pages.map((page) => keyOf(page, WHOLE)));
      for (const { segment, at, bytes } of entries.values()) named.add(keyOf(segment, { at, length: bytes }));
      anyway(() =>
        database.transaction(() => {
          for (const { block, at, length, size } of keys.all(collection)) {
            if (named.has(keyOf(block, { at, length }))) continue;
            remove.run(collection, block, at, length);
            total -= size;
          }
          return null;
        }),
      );
    },
    forget(collection) {
      anyway(() => {
        forget.run(collection);
        total = measured();
        return null;
      });
    },
    forgetPages(collection) {
      anyway(() => {
        pages.run(collection);
        total = measured();
        return null;
      });
    },
    bytes: () => total,
    [Symbol.dispose]: () => database.close(),
  };
}

const keyOf = (block: string, { at, length }: { readonly at: number; readonly length: number }): string =>
  `${block} ${at} ${length}`;

/** What cannot be kept is fetched. */
function anyway<T>(work: () => T | null): T | null {
  try {
    return work();
  } catch (error) {
    if (!isKithError(error)) throw error;
    return null;
  }
}
