/**
 * The files of Eve's tenants: few are open at a time, and each is held against where it should be. A file that is gone or damaged is its
 * tenant's misfortune alone; a disk that is gone is not taken for an empty one.
 *
 * @module vault/eve/tenant-files
 */
import { closeSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes, isKithError, KithError, type Logger, messageOf } from '../../base/index.ts';
import { notLent } from './refusals.ts';
import type { Register, TenantRow } from './register.ts';
import { openTenantFile, type RevokedRow, type TenantFile } from './tenant-file.ts';

export interface TenantFiles extends Disposable {
  /** @throws KithError `storage_damaged`, `storage_away`, what SQLite says */
  of(row: TenantRow): TenantFile;
  /** Whether nothing that was kept in it can be read any more. */
  isLost(row: TenantRow): boolean;
  remove(row: TenantRow): void;
  /**
   * Puts a copy of another file in the place of the tenant's; what was there is gone, but for the grants that were revoked.
   *
   * @throws KithError `storage_no_tenant`: it was deleted meanwhile; `storage_backup`: it is no whole file of a tenant, or larger than its quota; what was there stays then
   */
  replace(row: TenantRow, source: string): Promise<void>;
  /** Gives the disk what is free in files that are open. */
  giveBack(): void;
  /** @throws KithError `storage_away` when the disk below is another than at the start */
  requireThere(): void;
}

/** What SQLite says of a file that is none of its own, or not whole. */
const DAMAGED: readonly string[] = ['database_corrupt', 'database_foreign', 'migration_failed'];

interface OpenFile {
  readonly file: TenantFile;
  readonly mark: string | null;
}

/** Which file it is, whatever its name; null: there is none. */
function markOf(path: string): string | null {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? null : `${found.dev}:${found.ino}`;
}

export function createTenantFiles({
  folder,
  most,
  register,
  registerPath,
  log,
}: {
  readonly folder: string;
  readonly most: number;
  readonly register: Pick<Register, 'filed' | 'find'>;
  readonly registerPath: string;
  readonly log: Logger;
}): TenantFiles {
  const open = new Map<string, OpenFile>();
  const registerMark = markOf(registerPath);
  const pathOf = ({ file }: TenantRow) => join(folder, file);

  function close(name: string): void {
    open.get(name)?.file[Symbol.dispose]();
    open.delete(name);
  }

  function requireThere(): void {
    if (markOf(registerPath) !== registerMark) throw away();
  }

  function openFile(row: TenantRow): OpenFile {
    requireThere();
    const path = pathOf(row);
    if (row.filed === 1 && markOf(path) === null) {
      log.error('The file of a tenant is gone.', { owner: row.owner, label: row.label });
      throw damaged();
    }
    try {
      const file = openTenantFile(path, row.quota);
      if (row.filed === 0) register.filed(row.owner, row.label);
      return { file, mark: markOf(path) };
    } catch (error) {
      if (!isKithError(error) || !DAMAGED.includes(error.code)) throw error;
      log.error('The file of a tenant is damaged.', {
        owner: row.owner,
        label: row.label,
        why: error.message,
      });
      throw damaged(error);
    }
  }

  return {
    requireThere,
    of(row) {
      const known = open.get(row.file);
      // Deleted or exchanged below us, it would take what nobody finds again.
      if (known !== undefined && markOf(pathOf(row)) !== known.mark) close(row.file);
      const one = open.get(row.file) ?? openFile(row);
      open.delete(row.file);
      open.set(row.file, one);
      if (open.size > most) close(open.keys().next().value!);
      return one.file;
    },
    isLost(row) {
      try {
        this.of(row);
        return false;
      } catch (error) {
        if (isKithError(error) && error.code === 'storage_damaged') return true;
        throw error;
      }
    },
    remove(row) {
      close(row.file);
      for (const end of ['', '-wal', '-shm']) rmSync(`${pathOf(row)}${end}`, { force: true });
    },
    async replace(row, source) {
      requireThere();
      const path = pathOf(row);
      const copy = `${path}.brought`;
      try {
        await copyFile(source, copy);
        if (register.find(row.owner, row.label)?.file !== row.file) throw notLent();
        checkBackup(copy, source, row, this.isLost(row) ? [] : this.of(row).revoked());
        close(row.file);
        for (const end of ['-wal', '-shm']) rmSync(`${path}${end}`, { force: true });
        renameSync(copy, path);
        if (row.filed === 0) register.filed(row.owner, row.label);
      } finally {
        for (const end of ['', '-wal', '-shm']) rmSync(`${copy}${end}`, { force: true });
      }
    },
    giveBack() {
      for (const { file } of open.values())
        try {
          file.giveBack();
        } catch (error) {
          log.warn('Space of a tenant was not given back.', { cause: messageOf(error) });
        }
    },
    [Symbol.dispose]() {
      for (const { file } of open.values()) file[Symbol.dispose]();
      open.clear();
    },
  };
}

/** As its first page says (https://sqlite.org/fileformat.html); 0: it has none, as an empty file, which would be made one. */
function schemaVersion(path: string): number {
  const header = Buffer.alloc(100);
  const file = openSync(path, 'r');
  try {
    const read = readSync(file, header, 0, header.length, 0);
    return read === header.length ? header.readInt32BE(60) : 0;
  } finally {
    closeSync(file);
  }
}

/** @throws KithError `storage_backup` */
function checkBackup(copy: string, source: string, row: TenantRow, revoked: readonly RevokedRow[]): void {
  const refuse = (why: string, cause?: unknown): KithError =>
    new KithError('storage_backup', `${source} cannot be brought back: ${why}.`, { status: 400, cause });
  try {
    if (schemaVersion(copy) < 1) throw refuse('there is nothing in it');
    using file = openTenantFile(copy, row.quota);
    file.check();
    if (file.usedBytes > row.quota)
      throw refuse(`it takes ${formatBytes(file.usedBytes)}, and the tenant has ${formatBytes(row.quota)}`);
    for (const { id, at } of revoked) file.revoke(id, at);
  } catch (error) {
    if (isKithError(error) && error.code === 'storage_backup') throw error;
    if (isKithError(error) && error.code.startsWith('disk_')) throw error;
    throw refuse('it is no whole file that kith storage backup made', error);
  }
}

/** For the owner of the tenant. */
export function damaged(cause?: unknown): KithError {
  return new KithError(
    'storage_damaged',
    'The file of this tenant at this Eve is gone or damaged, and what she kept in it with it. Copies at other Eves are not touched: kith vpk repair KB begins an empty one and copies from them, unless her owner brings a backup back first.',
    { status: 503, ...(cause === undefined ? {} : { cause }) },
  );
}

/** For who asks. */
export function away(): KithError {
  return new KithError(
    'storage_away',
    'The disk of this Eve is not there now: nothing can be read or kept before it is back. Ask again later.',
    { status: 503 },
  );
}
