/**
 * The file of a knowledge base when it comes to this home: made new, or taken as it is after it was checked. Whoever made a file must
 * not say which folders of this machine are read.
 *
 * @module node/knowledge/admitting
 */
import { constants } from 'node:fs';
import { access, open, rm, stat } from 'node:fs/promises';
import { isErrno, isKithError, KithError, messageOf, pathError } from '../../base/index.ts';
import { openKnowledgeStore, type StoreOptions } from '../../knowledge/index.ts';
import type { FolderView } from '../../server/index.ts';
import { foldersOf } from './kbs.ts';

export interface Admitting {
  readonly create: NonNullable<StoreOptions['create']>;
  /** The owner says that the folders are theirs. */
  readonly keepFolders: boolean;
  /** Puts a file at the path. */
  readonly before: (path: string) => Promise<void>;
}

/**
 * Makes the file, or takes the one that is there. Nothing is left of one that cannot be made.
 *
 * @returns folders that it followed, and follows no longer
 * @throws KithError `path_unusable`, `disk_full`, `backup_invalid`, `database_newer`, `database_foreign`
 */
export async function admitFile(
  path: string,
  { create, keepFolders, before }: Admitting,
): Promise<readonly FolderView[]> {
  const size = await sizeOf(path);
  if (size !== null && size > 0) {
    await before(path);
    return checkKb(path, path, keepFolders);
  }
  try {
    await before(path);
    // SQLite does not say what is wrong with a path.
    await (await open(path, 'a', 0o600)).close();
    openKnowledgeStore({ path, create }).close();
    return [];
  } catch (error) {
    // It is of no use to anybody; an empty one that was there before is left.
    const now = await sizeOf(path).catch(() => null);
    if (size === null && now !== null) await removeDatabase(path);
    throw pathError(path, error);
  }
}

/** @throws KithError `folder_missing` (404), `path_unusable` unless it is a folder that this user may write to */
export async function checkWritableFolder(folder: string): Promise<void> {
  const facts = await stat(folder).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return null;
    throw pathError(folder, error);
  });
  if (facts === null)
    throw new KithError('folder_missing', `There is no folder ${folder}. Make it, or connect its drive.`, {
      status: 404,
      details: { path: folder },
    });
  if (!facts.isDirectory()) throw pathError(folder, Object.assign(new Error('a file'), { code: 'ENOTDIR' }));
  await access(folder, constants.W_OK).catch((error: unknown) => {
    throw pathError(folder, error);
  });
}

/** With what SQLite keeps beside it. */
export async function removeDatabase(file: string): Promise<void> {
  for (const end of ['', '-wal', '-shm', '-journal']) await rm(`${file}${end}`, { force: true });
}

/**
 * What is from elsewhere is a sound knowledge base, and says of this machine nothing any more: neither folders that it follows nor
 * files that it was made of.
 *
 * @param shown how errors call it
 * @returns the folders that it followed
 * @throws KithError `backup_invalid`; `database_newer`, `disk_full`
 */
export function checkKb(path: string, shown: string, keepFolders = false): readonly FolderView[] {
  let problems: string[];
  let folders: readonly FolderView[] = [];
  try {
    using store = openKnowledgeStore({ path });
    problems = store.check();
    if (problems.length === 0 && !keepFolders) {
      folders = foldersOf(store);
      const { chunking } = store.settings;
      store.setSettings(chunking === undefined ? {} : { chunking });
    }
  } catch (error) {
    if (!isKithError(error) || AS_THEY_ARE.has(error.code)) throw error;
    problems = [messageOf(error)];
  }
  if (problems.length === 0) return folders;
  throw new KithError(
    'backup_invalid',
    `${shown} is no sound knowledge base: ${problems[0]!.replaceAll(path, shown)}`,
    { status: 422, details: { path: shown } },
  );
}

const AS_THEY_ARE: ReadonlySet<string> = new Set([
  ...['database_newer', 'database_foreign', 'database_busy', 'database_read_only'],
  ...['disk_full', 'disk_failed', 'kb_lost'],
]);

async function sizeOf(path: string): Promise<number | null> {
  try {
    const facts = await stat(path);
    if (facts.isFile()) return facts.size;
    throw Object.assign(new Error('it is no file'), { code: 'EISDIR' });
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null;
    throw pathError(path, error);
  }
}
