/**
 * Jobs that write knowledge bases out: notes into a folder, whole copies into a file. What would fail at once is refused when they are
 * asked for; a job that was killed is gone on with, and writes nothing twice.
 *
 * @module node/knowledge/exporting
 */
import { mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import {
  InputError,
  isErrno,
  isKithError,
  KithError,
  pathError,
  type Random,
  requireDiskSpace,
  syncFolder,
  throwIfAborted,
  toHex,
  writeFileAtomic,
} from '../../base/index.ts';
import { exportNotes, type NotesView } from '../../knowledge/index.ts';
import type { BackupOrder, FolderView, JobProgress } from '../../server/index.ts';
import { checkWritableFolder, removeDatabase } from './admitting.ts';
import type { OpenKb } from './kbs.ts';
import type { KbEntry, Work } from './registry.ts';
import { NOTHING, noProgress, type Telling } from './telling.ts';

type NotesWork = Extract<Work, { readonly kind: 'notes' }>;
type CopyWork = Extract<Work, { readonly kind: 'copy' }>;

/** What a sync is to leave out, where the folder lies in one that is followed. */
const IGNORED = ['Entities/', 'Sources/', 'Index.md'];

const progressOf = (done: number, of: number | null): JobProgress => ({
  ...noProgress,
  of,
  totals: { ...NOTHING, files: done, done },
});

/** @throws KithError `export_ignored`, `folder_missing`, `path_unusable` */
export async function checkNotes(folder: string, followed: readonly FolderView[]): Promise<void> {
  await checkTarget(folder);
  await keepOut(folder, followed, false);
}

/** @throws what `exportNotes` does */
export async function writeNotes(
  { folder, least, sources }: NotesWork,
  followed: readonly FolderView[],
  view: () => Promise<NotesView>,
  { signal, tell }: Telling,
): Promise<void> {
  throwIfAborted(signal);
  try {
    await keepOut(folder, followed, true);
    const notes = await exportNotes(await view(), {
      ...{ folder, signal, told: (done, of) => tell(progressOf(done, of)) },
      ...(least === undefined ? {} : { least }),
      ...(sources === undefined ? {} : { sources }),
    });
    const left = notes.left.map(({ file, why }) => ({ path: file, code: 'note_left', message: why }));
    const all = notes.written + notes.unchanged;
    tell({ ...progressOf(all, all), removed: notes.removed, failures: left.slice(0, 50), notes });
  } catch (error) {
    // A fault of this program is told as what it is.
    throw isKithError(error) || isOfSystem(error) ? pathError(folder, error) : error;
  }
}

const isOfSystem = (error: unknown): boolean =>
  typeof (error as Partial<NodeJS.ErrnoException> | null)?.code === 'string';

/** @throws KithError `export_exists`, `folder_missing`, `path_unusable`, `disk_full`; InputError `file_invalid` */
export async function copyWork(
  { file, replace }: BackupOrder,
  { store }: OpenKb,
  all: readonly KbEntry[],
  random: Random,
): Promise<CopyWork> {
  await checkFile(file, replace, all);
  await requireDiskSpace(dirname(file), store.counts().bytes);
  const beside = join(dirname(file), `.${basename(file).slice(0, 60)}.${toHex(random.bytes(6))}.tmp`);
  await checkWritable(beside);
  return { kind: 'copy', file, replace, beside };
}

/** @throws as `copyWork`; of the disk */
export async function writeCopy(
  work: CopyWork,
  { store }: OpenKb,
  all: readonly KbEntry[],
  { signal, tell, become }: Telling,
): Promise<void> {
  const { file, replace, beside, isWhole } = work;
  // A process died behind the renaming, and before it could say so.
  const isDone = isWhole === true && !(await isThere(beside)) && (await isThere(file));
  try {
    if (!isDone) {
      await checkFile(file, replace, all);
      await requireDiskSpace(dirname(file), store.counts().bytes);
      await removeDatabase(beside);
      await store.backup(beside, { signal, told: (done, of) => tell(progressOf(done, of)) });
      throwIfAborted(signal);
      become({ ...work, isWhole: true });
      await rename(beside, file);
      await syncFolder(dirname(file));
    }
    const { size } = await stat(file);
    tell({ ...progressOf(1, 1), copy: { file, bytes: size } });
  } catch (error) {
    // A node that stops goes on with it, from its beginning.
    await removeDatabase(beside);
    throw pathError(file, error);
  }
}

const isThere = async (path: string): Promise<boolean> => (await stat(path).catch(() => null)) !== null;

/** A folder, or a name in one that is there. */
async function checkTarget(folder: string): Promise<void> {
  const isNew = await stat(folder).then(
    () => false,
    (error: unknown) => {
      if (isErrno(error, 'ENOENT')) return true;
      throw pathError(folder, error);
    },
  );
  await checkWritableFolder(isNew ? dirname(folder) : folder);
}

/** By making the file. */
async function checkWritable(file: string): Promise<void> {
  try {
    await (await open(file, 'wx', 0o600)).close();
    await rm(file, { force: true });
  } catch (error) {
    throw pathError(file, error);
  }
}

async function checkFile(file: string, replace: boolean, all: readonly KbEntry[]): Promise<void> {
  const there = await stat(file).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return null;
    throw pathError(file, error);
  });
  if (there?.isDirectory() || file.endsWith(sep))
    throw new InputError('file_invalid', `${file} is a folder: name a file in it.`, { param: 'file' });
  await checkWritableFolder(dirname(file));
  // By whatever way it is named: over a file in use, or its log, nothing is written.
  const real = await realOf(file);
  const used = await Promise.all(all.map(({ path }) => realOf(path)));
  const isInUse = used.some((path) => ['', '-wal', '-shm'].some((end) => real === `${path}${end}`));
  if (isInUse || (there !== null && !replace))
    throw new KithError(
      'export_exists',
      `There is a file ${file} already${isInUse ? ', which is a knowledge base in use' : ''}. Choose another name${isInUse ? '' : ', or say that it may be written over (--force)'}.`,
      { status: 409, details: { path: file } },
    );
}

/** Without links and dots. What is written replaces a link itself. */
async function realOf(file: string): Promise<string> {
  const folder = await realpath(dirname(file)).catch(() => dirname(file));
  return join(folder, basename(file));
}

/** Exported notes are no documents: a sync of the folder that they lie in is told to leave them out. */
async function keepOut(folder: string, followed: readonly FolderView[], writes: boolean): Promise<void> {
  const isFollowed = followed.some((each) => {
    const path = relative(each.folder, folder);
    return path === '' || (path !== '..' && !path.startsWith(`..${sep}`) && path !== folder);
  });
  if (!isFollowed) return;
  const file = join(folder, '.kithignore');
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) {
    if (!writes) return;
    // The last folder alone: as the export itself makes it.
    await mkdir(folder).catch(() => undefined);
    return writeFileAtomic(file, `${IGNORED.join('\n')}\n`);
  }
  const lines = new Set(text.split('\n').map((line) => line.trim()));
  if (lines.has('*') || IGNORED.every((line) => lines.has(line) || lines.has(`/${line}`))) return;
  throw new KithError(
    'export_ignored',
    `${folder} lies in a folder that is followed, so that exported notes would be taken in as documents. Add the lines ${IGNORED.join(', ')} to ${file}, or choose another folder.`,
    { status: 409, details: { path: file } },
  );
}
