/**
 * One tenant on Eve's disk: one SQLite file. What was acknowledged survives a kill and a power cut.
 *
 * The quota is kept twice: looked at before anything is written, and by SQLite itself (`max_page_count`), so that no order of
 * calls gets past it. The journal is counted in: it is written back whenever it is longer than a block.
 *
 * @module vault/eve/tenant-file
 */
import { statSync } from 'node:fs';
import {
  type Database,
  formatBytes,
  fromHex,
  isKithError,
  KithError,
  type Migration,
  openDatabase,
  toHex,
} from '../../base/index.ts';
import { BLOCK_MAX_BYTES, blockId, type LeafProof, proveLeaf } from '../block.ts';
import { type BlockRow, type HeadRow, type Stretch, TENANT_BOUNDS } from '../types.ts';

const MIGRATIONS: readonly Migration[] = [
  {
    name: 'blocks, heads, revoked grants',
    up: `
      CREATE TABLE block (id BLOB PRIMARY KEY, size INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;
      CREATE TABLE head (name TEXT PRIMARY KEY, number INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;
      CREATE TABLE revoked (id TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;
    `,
  },
  {
    // Counting them reads the whole tree of names, which is long where blocks are small.
    name: 'number of blocks',
    up: `
      CREATE TABLE counted (blocks INTEGER NOT NULL) STRICT;
      INSERT INTO counted SELECT count(*) FROM block;
      CREATE TRIGGER block_added AFTER INSERT ON block BEGIN UPDATE counted SET blocks = blocks + 1; END;
      CREATE TRIGGER block_gone AFTER DELETE ON block BEGIN UPDATE counted SET blocks = blocks - 1; END;
    `,
  },
];

/** What the journal and its index may take beside the file: 1000 pages and the largest write, with room. */
export const JOURNAL_BYTES = 16 << 20;
const CHECKPOINT_BYTES = 4 << 20;
/** Pages that are handed back to the file system at a time. */
const VACUUM_PAGES = 512;
/** And in one go, so that others need not wait long: the rest follows, and is room for what is written meanwhile. */
const GIVEN_BACK_BYTES = 64 << 20;
/** Beside its bytes a block takes pages of the trees: as a bound. */
const OVERHEAD_BYTES = 64 << 10;
/** Grants that are remembered as revoked. */
const MAX_REVOKED = 10_000;

export interface RevokedRow {
  /** Of the grant. */
  readonly id: string;
  readonly at: number;
}

export interface TenantFile extends Disposable {
  readonly usedBytes: number;
  readonly blocks: number;
  quotaBytes: number;
  put(block: Uint8Array): string;
  get(id: string, stretch: Stretch | null): Uint8Array;
  prove(id: string, leaf: number): LeafProof;
  list(after: string | null): BlockRow[];
  remove(ids: readonly string[]): number;
  /** Gives the disk some of what is free in the file. */
  giveBack(): void;
  head(name: string): HeadRow | null;
  setHead(name: string, head: HeadRow, before: number): void;
  revoke(grant: string, at: number): void;
  isRevoked(grant: string): boolean;
  /** All of them: 10,000 at most. */
  revoked(): readonly RevokedRow[];
  /** @throws KithError `database_corrupt` when pages of it are not whole, or it has other tables or triggers than a tenant */
  check(): void;
  /** A copy while it is in use. */
  backup(target: string, signal?: AbortSignal): Promise<void>;
}

export function openTenantFile(path: string, quotaBytes: number): TenantFile {
  const database = openDatabase(path, { migrations: MIGRATIONS, table: 'block' });
  try {
    return tenantFile(database, quotaBytes);
  } catch (error) {
    database.close();
    throw error;
  }
}

function tenantFile(database: Database, quota: number): TenantFile {
  const number = (pragma: string): number =>
    Object.values(database.prepare<Record<string, number>>(`PRAGMA ${pragma}`).get()!)[0]!;
  // Space of deleted blocks goes back to the disk. It can be said of an empty file only, and is written by VACUUM.
  if (number('auto_vacuum') !== 2) database.exec('PRAGMA auto_vacuum = INCREMENTAL; VACUUM');
  database.exec(`PRAGMA journal_size_limit = ${CHECKPOINT_BYTES}`);
  const pageBytes = number('page_size');
  let quotaBytes = quota;

  const insert = database.prepare<never, [Uint8Array, number, Uint8Array]>(
    'INSERT INTO block (id, size, bytes) VALUES (?, ?, ?)',
  );
  const has = database.prepare<{ size: number }, [Uint8Array]>('SELECT size FROM block WHERE id = ?');
  const read = database.prepare<{ bytes: Uint8Array }, [Uint8Array]>('SELECT bytes FROM block WHERE id = ?');
  const readPart = database.prepare<{ bytes: Uint8Array; size: number }, [number, number, Uint8Array]>(
    'SELECT substr(bytes, ?, ?) AS bytes, size FROM block WHERE id = ?',
  );
  const after = database.prepare<{ id: Uint8Array; size: number }, [Uint8Array, number]>(
    'SELECT id, size FROM block WHERE id > ? ORDER BY id LIMIT ?',
  );
  const drop = database.prepare<never, [Uint8Array]>('DELETE FROM block WHERE id = ?');
  const count = database.prepare<{ n: number }>('SELECT blocks AS n FROM counted');
  const readHead = database.prepare<HeadRow, [string]>('SELECT number, bytes FROM head WHERE name = ?');
  const writeHead = database.prepare<never, [string, number, Uint8Array]>(
    'INSERT INTO head VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET number = excluded.number, bytes = excluded.bytes',
  );
  const heads = database.prepare<{ n: number }>('SELECT count(*) AS n FROM head');
  const addRevoked = database.prepare<never, [string, number]>('INSERT OR IGNORE INTO revoked VALUES (?, ?)');
  const findRevoked = database.prepare<{ id: string }, [string]>('SELECT id FROM revoked WHERE id = ?');
  const allRevoked = database.prepare<RevokedRow>('SELECT id, at FROM revoked');
  const countRevoked = database.prepare<{ n: number }>('SELECT count(*) AS n FROM revoked');

  const usedBytes = () => number('page_count') * pageBytes + JOURNAL_BYTES;
  const roomBytes = () => quotaBytes - usedBytes() + number('freelist_count') * pageBytes;

  function bound(): void {
    const pages = Math.max(1, Math.floor((quotaBytes - JOURNAL_BYTES) / pageBytes));
    database.exec(`PRAGMA max_page_count = ${pages}`);
  }

  function requireRoom(bytes: number): void {
    if (bytes + OVERHEAD_BYTES > roomBytes()) throw full(quotaBytes, bytes);
  }

  /** Whatever writes: within the quota, and with a short journal afterwards. */
  function writing<T>(bytes: number, work: () => T): T {
    requireRoom(bytes);
    try {
      return database.transaction(work);
    } catch (error) {
      if (isKithError(error) && error.code === 'disk_full' && roomBytes() < bytes + OVERHEAD_BYTES * 4)
        throw full(quotaBytes, bytes);
      throw error;
    } finally {
      shorten();
    }
  }

  function shorten(atLeast = CHECKPOINT_BYTES): void {
    const { size } = statSync(`${database.path}-wal`, { throwIfNoEntry: false }) ?? { size: 0 };
    if (size > atLeast) database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  /** The file is cut when the journal is written back, not before. */
  function giveBack(): void {
    const enough = number('freelist_count') - GIVEN_BACK_BYTES / pageBytes;
    for (let left = number('freelist_count'); left > Math.max(0, enough); ) {
      database.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`);
      shorten();
      const now = number('freelist_count');
      if (now >= left) break;
      left = now;
    }
    shorten(0);
  }

  bound();
  return {
    get usedBytes() {
      return usedBytes();
    },
    get blocks() {
      return count.get()!.n;
    },
    get quotaBytes() {
      return quotaBytes;
    },
    set quotaBytes(bytes) {
      quotaBytes = bytes;
      bound();
    },
    put(block) {
      const id = blockId(block);
      const key = fromHex(id);
      if (has.get(key) !== undefined) return id;
      writing(block.length, () => insert.run(key, block.length, block));
      return id;
    },
    get(id, stretch) {
      if (stretch === null) return (read.get(fromHex(id)) ?? missing(id)).bytes;
      const { at, length } = stretch;
      const row = readPart.get(at + 1, length, fromHex(id)) ?? missing(id);
      if (length < 0 || at < 0 || at + length > row.size || length > BLOCK_MAX_BYTES)
        throw new KithError(
          'block_range',
          `The block has ${row.size} bytes; ${at} to ${at + length} is not in it.`,
          {
            status: 416,
          },
        );
      return row.bytes;
    },
    prove: (id, leaf) => proveLeaf((read.get(fromHex(id)) ?? missing(id)).bytes, leaf),
    list: (from) =>
      after
        .all(from === null ? new Uint8Array(0) : fromHex(from), TENANT_BOUNDS.page)
        .map(({ id, size }) => ({ id: toHex(id), bytes: size })),
    remove(ids) {
      const gone = database.transaction(() =>
        ids.reduce((sum, id) => sum + drop.run(fromHex(id)).changes, 0),
      );
      if (gone > 0) giveBack();
      return gone;
    },
    giveBack,
    head: (name) => readHead.get(name) ?? null,
    setHead(name, head, before) {
      writing(head.bytes.length, () => {
        const now = readHead.get(name);
        if (now?.number === head.number && Buffer.compare(now.bytes, head.bytes) === 0) return;
        if ((now?.number ?? 0) !== before || head.number <= before)
          throw moved(name, now?.number ?? 0, before);
        if (now === undefined && heads.get()!.n >= TENANT_BOUNDS.heads)
          throw new KithError('storage_heads', `A tenant has ${TENANT_BOUNDS.heads} heads at most.`, {
            status: 409,
          });
        writeHead.run(name, head.number, head.bytes);
      });
    },
    revoke(grant, at) {
      database.transaction(() => {
        if (findRevoked.get(grant) === undefined && countRevoked.get()!.n >= MAX_REVOKED)
          throw new KithError(
            'storage_revoked_full',
            `A tenant remembers ${MAX_REVOKED} revoked grants. Give shorter grants, or place the collection anew.`,
            { status: 409 },
          );
        addRevoked.run(grant, at);
      });
    },
    isRevoked: (grant) => findRevoked.get(grant) !== undefined,
    revoked: () => allRevoked.all(),
    check() {
      const found = database.prepare<{ quick_check: string }>('PRAGMA quick_check(1)').get()!.quick_check;
      if (found !== 'ok') throw new KithError('database_corrupt', `${database.path}: ${found}.`);
      using fresh = openDatabase(':memory:', { migrations: MIGRATIONS });
      if (shapeOf(database) !== shapeOf(fresh))
        throw new KithError('database_corrupt', `${database.path}: its tables are not those of a tenant.`);
    },
    backup: (target, signal) => database.backup(target, signal === undefined ? {} : { signal }),
    [Symbol.dispose]: () => database.close(),
  };
}

/** Tables, indices and triggers as they were said. */
const shapeOf = (database: Database): string =>
  database
    .prepare<{ type: string; name: string; sql: string | null }>(
      'SELECT type, name, sql FROM sqlite_schema ORDER BY type, name',
    )
    .all()
    .map(({ type, name, sql }) => `${type} ${name} ${sql?.replace(/\s+/g, ' ')}`)
    .join('\n');

function missing(id: string): never {
  throw new KithError(
    'storage_no_block',
    `There is no block ${id} in this tenant. Where others have it, kith vpk repair KB makes it again.`,
    { status: 404 },
  );
}

function full(quota: number, bytes: number): KithError {
  return new KithError(
    'storage_quota',
    `The tenant's space of ${formatBytes(quota)} has no room for ${formatBytes(bytes)} more. Its owner asks for more with kith vpk tenant resize KB SIZE, or takes further Eves (kith vpk rebalance KB --add PEER).`,
    { status: 507, details: { quota, bytes } },
  );
}

function moved(name: string, number: number, before: number): KithError {
  return new KithError(
    'storage_head_moved',
    `The head ${JSON.stringify(name)} has number ${number}, not ${before}: another writer was here. Read it, and do the change on top of it.`,
    { status: 409, details: { number, before } },
  );
}
