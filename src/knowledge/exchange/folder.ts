/**
 * The notes in a folder: ours, and the names that others have.
 *
 * @module knowledge/exchange/folder
 */
import type { BigIntStats } from 'node:fs';
import { type FileHandle, lstat, open, opendir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isErrno, KithError, LimitError, messageOf, throwIfAborted } from '../../base/index.ts';
import { kbMark, type ReadNote, readNote, SEAL_WITHIN } from './note.ts';
import { EXCHANGE_LIMITS } from './types.ts';

export interface FoundNote {
  /** In the folder, parts joined by `/`. */
  readonly file: string;
  readonly id: string;
  /** Of its seal. */
  readonly hash: string;
  /** The same as long as nobody wrote the file. */
  readonly stamp: string;
  /** Null when it is as it was written and has nothing of its owner. */
  readonly note: ReadNote | null;
}

export interface FoundFolder {
  /** Notes of this knowledge base by id; more than one is a copy. */
  readonly ours: ReadonlyMap<string, readonly FoundNote[]>;
  /** All other files that end in `.md`, in the folder. */
  readonly others: readonly string[];
  /** Files that could not be read. */
  readonly unread: readonly { readonly file: string; readonly message: string }[];
}

const MOST_DEPTH = 32;

/** Links are not followed, and folders with a dot are left out. A folder that is not there has nothing. */
export async function readFolder(folder: string, kb: string, signal?: AbortSignal): Promise<FoundFolder> {
  const ours = new Map<string, FoundNote[]>();
  const others: string[] = [];
  const unread: { file: string; message: string }[] = [];
  const below: { path: string; depth: number }[] = [{ path: '', depth: 0 }];
  let looked = 0;
  while (below.length > 0) {
    throwIfAborted(signal);
    const { path, depth } = below.pop()!;
    const names: { name: string; isFolder: boolean; isFile: boolean }[] = [];
    try {
      for await (const entry of await opendir(join(folder, path)))
        if (!entry.name.startsWith('.'))
          names.push({ name: entry.name, isFolder: entry.isDirectory(), isFile: entry.isFile() });
    } catch (error) {
      if (path === '' && isErrno(error, 'ENOENT')) break;
      if (path === '')
        throw new KithError(
          'folder_unreadable',
          `The folder ${folder} cannot be read: ${messageOf(error)}.`,
          {
            status: 403,
            details: { path: folder },
            cause: error,
          },
        );
      unread.push({ file: path, message: messageOf(error) });
      continue;
    }
    names.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const { name, isFolder, isFile } of names) {
      const file = `${path}${name}`;
      if (isFolder && depth < MOST_DEPTH) below.push({ path: `${file}/`, depth: depth + 1 });
      if (!/\.md$/iu.test(name)) continue;
      if (++looked > EXCHANGE_LIMITS.notes)
        throw new LimitError(
          'knowledge.notes',
          EXCHANGE_LIMITS.notes,
          `${folder} has more than ${EXCHANGE_LIMITS.notes} notes (limit knowledge.notes): choose a folder of its own for the export.`,
          { status: 413 },
        );
      // Links and what else there is have their names, too.
      if (!isFile) {
        others.push(file);
        continue;
      }
      try {
        const found = await readOurs(join(folder, file), kb);
        if (found === null) others.push(file);
        else ours.set(found.id, [...(ours.get(found.id) ?? []), { file, ...found }]);
      } catch (error) {
        // Nobody knows whose it is.
        others.push(file);
        unread.push({ file, message: messageOf(error) });
      }
    }
  }
  return { ours, others, unread };
}

async function readOurs(full: string, kb: string): Promise<Omit<FoundNote, 'file'> | null> {
  const file = await open(full, 'r');
  try {
    const facts = await file.stat({ bigint: true });
    const size = Number(facts.size);
    const head = await bytesOf(file, Math.min(size, SEAL_WITHIN));
    if (!head.includes('kith-seal:')) return null;
    if (size > EXCHANGE_LIMITS.noteBytes)
      throw new LimitError(
        'knowledge.noteBytes',
        EXCHANGE_LIMITS.noteBytes,
        `it is larger than ${EXCHANGE_LIMITS.noteBytes} bytes (limit knowledge.noteBytes)`,
      );
    const whole = size > head.length ? await bytesOf(file, size) : head;
    const note = readNote(whole.toString('utf8'));
    if (note === null || note.kb !== kbMark(kb)) return null;
    const { foreign, isAsWritten } = note;
    const hasForeign =
      foreign.head !== '' || foreign.tail !== '' || foreign.properties !== '' || foreign.tags.length > 0;
    return {
      id: note.id,
      hash: note.hash,
      stamp: stampOf(facts),
      note: isAsWritten && !hasForeign ? null : note,
    };
  } finally {
    await file.close();
  }
}

const stampOf = ({ ino, mtimeNs, size }: BigIntStats): string => `${ino} ${mtimeNs} ${size}`;

/** Whether a note is still as it was found; null: whether there is still nothing. */
export async function isStill(full: string, found: FoundNote | null): Promise<boolean> {
  const facts = await lstat(full, { bigint: true }).catch(() => null);
  return found === null ? facts === null : facts !== null && stampOf(facts) === found.stamp;
}

async function bytesOf(file: FileHandle, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  let read = 0;
  while (read < bytes) {
    const { bytesRead } = await file.read(buffer, read, bytes - read, read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return buffer.subarray(0, read);
}

/** The vault that a folder is in: the nearest folder above it, or itself, that Obsidian keeps its settings in. */
export async function vaultOf(folder: string): Promise<string | null> {
  for (let at = folder; ; at = dirname(at)) {
    const facts = await stat(join(at, '.obsidian')).catch(() => null);
    if (facts?.isDirectory()) return at;
    if (dirname(at) === at) return null;
  }
}

/** Name of a note without folder and ending, composed. */
export function nameOf(file: string): string {
  return basename(file).replace(/\.md$/iu, '').normalize('NFC');
}
