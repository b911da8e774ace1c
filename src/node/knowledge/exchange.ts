/**
 * Knowledge bases of the node in folders and files of their owner's: notes for Obsidian, whole copies.
 *
 * @module node/knowledge/exchange
 */
import { copyFile, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import {
  InputError,
  isKithError,
  KithError,
  messageOf,
  oneAtATime,
  requireDiskSpace,
  syncFolder,
  toHex,
  writeError,
  writeFileAtomic,
} from '../../base/index.ts';
import { createKbView, exportNotes, importNotes, openKnowledgeStore } from '../../knowledge/index.ts';
import type { ExchangeDesk, KbView, NewKb } from '../../server/index.ts';
import { knowledgeFolder } from '../home-files.ts';
import type { AreaParts } from './areas.ts';
import { sceneOf } from './graph-scene.ts';
import { foldersOf, type OpenKb, setFolders } from './kbs.ts';

/** What a sync is to leave out, where the folder lies in one that is followed. */
const IGNORED = ['Entities/', 'Sources/', 'Index.md'];

/** @param create makes a knowledge base of the file that lies where its own is to be */
export function exchangeDesk(
  { clock, config, random, withKb }: AreaParts,
  create: (kb: NewKb, before: (path: string) => Promise<void>) => Promise<KbView>,
): ExchangeDesk {
  /** Two that write to one folder would each take the other's names. */
  const inTurn = oneAtATime();

  const viewOf = async (kb: OpenKb) => {
    const { facts: names } = await sceneOf(kb);
    return createKbView({ store: kb.store, graph: kb.graph, names, folders: foldersOf(kb.store) });
  };

  return {
    exportNotes: (name, { folder, ...order }, signal) =>
      inTurn(() =>
        withKb(name, async (kb) => {
          await keepOut(folder, foldersOf(kb.store));
          return exportNotes({ ...(await viewOf(kb)), name }, { folder, ...order, signal });
        }),
      ),
    importNotes: (name, order, signal) =>
      inTurn(() =>
        withKb(name, async (kb) =>
          importNotes({ ...(await viewOf(kb)), name }, kb.store, { ...order, clock, signal }),
        ),
      ),
    backup: (name, { file, replace }) =>
      withKb(name, async ({ store }, { registry }) => {
        const folder = dirname(file);
        if (!(await stat(folder).catch(() => null))?.isDirectory())
          throw new KithError(
            'folder_missing',
            `There is no folder ${folder}. Make it, or connect its drive.`,
            {
              status: 404,
              details: { path: folder },
            },
          );
        const there = await stat(file).catch(() => null);
        const isThere = there !== null;
        if (there?.isDirectory() || file.endsWith(sep))
          throw new InputError('file_invalid', `${file} is a folder: name a file in it.`, { param: 'file' });
        // By whatever way it is named: over a file in use, or its log, nothing is written.
        const real = await realOf(file);
        const used = await Promise.all(registry.all().map(({ path }) => realOf(path)));
        const isInUse = used.some((path) => ['', '-wal', '-shm'].some((end) => real === `${path}${end}`));
        if (isInUse || (isThere && !replace))
          throw new KithError(
            'export_exists',
            `There is a file ${file} already${isInUse ? ', which is a knowledge base in use' : ''}. Choose another name${isInUse ? '' : ', or say that it may be written over (--force)'}.`,
            { status: 409, details: { path: file } },
          );
        await requireDiskSpace(folder, store.counts().bytes);
        const beside = join(folder, `.${basename(file).slice(0, 100)}.${toHex(random.bytes(6))}.tmp`);
        try {
          await store.backup(beside);
          await rename(beside, file);
          await syncFolder(folder);
        } catch (error) {
          await remove(beside);
          throw isKithError(error) ? error : writeError(file, error);
        }
        return { file, bytes: (await stat(file)).size };
      }),
    restore: (name, { file, folder = knowledgeFolder(config) }) =>
      create({ name, folder }, async (path) => {
        const facts = await stat(file).catch(() => null);
        if (!facts?.isFile())
          throw new InputError('file_not_found', `There is no file at ${file}.`, {
            status: 404,
            param: 'file',
          });
        if (facts.size === 0)
          throw new KithError(
            'backup_invalid',
            `${file} is no sound copy of a knowledge base: it is empty.`,
            { status: 422, details: { path: file } },
          );
        if ((await stat(path).catch(() => null)) !== null)
          throw new KithError(
            'kb_exists',
            `There is a file ${path} already. To take that one as it is: kith rag init ${name} --folder ${dirname(path)}`,
            { status: 409, details: { path } },
          );
        await requireDiskSpace(path, facts.size);
        const beside = `${path}.${toHex(random.bytes(6))}.tmp`;
        try {
          // What another process still has in its log counts, too.
          await copyFile(file, beside);
          await copyFile(`${file}-wal`, `${beside}-wal`).catch(() => undefined);
          checkCopy(beside, file);
          await rename(beside, path);
          await syncFolder(dirname(path));
        } catch (error) {
          throw isKithError(error) ? error : writeError(path, error);
        } finally {
          await remove(beside);
        }
      }),
  };
}

/** Without links and dots. What is written replaces a link itself. */
async function realOf(file: string): Promise<string> {
  const folder = await realpath(dirname(file)).catch(() => dirname(file));
  return join(folder, basename(file));
}

async function remove(file: string): Promise<void> {
  for (const each of [file, `${file}-wal`, `${file}-shm`, `${file}-journal`]) await rm(each, { force: true });
}

/** @throws KithError `backup_invalid`; `database_newer` */
function checkCopy(copy: string, file: string): void {
  let problems: string[];
  try {
    using store = openKnowledgeStore({ path: copy });
    problems = store.check();
    // Whoever made the file must not say which folders of this machine are read.
    if (problems.length === 0) setFolders(store, []);
  } catch (error) {
    if (!isKithError(error) || error.code === 'database_newer' || error.code === 'disk_full') throw error;
    problems = [messageOf(error)];
  }
  if (problems.length === 0) return;
  throw new KithError(
    'backup_invalid',
    `${file} is no sound copy of a knowledge base: ${problems[0]!.replaceAll(copy, file)}`,
    { status: 422, details: { path: file } },
  );
}

/** Exported notes are no documents: a sync of the folder that they lie in is told to leave them out. */
async function keepOut(folder: string, followed: readonly { readonly folder: string }[]): Promise<void> {
  const isFollowed = followed.some((each) => {
    const path = relative(each.folder, folder);
    return path === '' || (path !== '..' && !path.startsWith(`..${sep}`) && path !== folder);
  });
  if (!isFollowed) return;
  const file = join(folder, '.kithignore');
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) return writeFileAtomic(file, `${IGNORED.join('\n')}\n`);
  const lines = new Set(text.split('\n').map((line) => line.trim()));
  if (lines.has('*') || IGNORED.every((line) => lines.has(line) || lines.has(`/${line}`))) return;
  throw new KithError(
    'export_ignored',
    `${folder} lies in a folder that is followed, so that exported notes would be taken in as documents. Add the lines ${IGNORED.join(', ')} to ${file}, or choose another folder.`,
    { status: 409, details: { path: file } },
  );
}
