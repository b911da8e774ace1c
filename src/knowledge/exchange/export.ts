/**
 * Notes of a knowledge base in a folder: one for each entity, one for each document that they refer to, and an index.
 *
 * What is there already is written only where it would differ; what somebody changed and the knowledge base does not know yet is left as
 * it is. Files without our seal are never touched.
 *
 * @module knowledge/exchange/export
 */
import { lstat, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { isErrno, KithError, throwIfAborted, writeError, writeFileAtomic } from '../../base/index.ts';
import { normalForm } from '../graph/normal.ts';
import { type Differences, differencesOf } from './differences.ts';
import { entityNote, toldOf } from './entity-note.ts';
import {
  type Exported,
  markFinished,
  markUnfinished,
  readList,
  sweepUnfinished,
  type Written,
  writeList,
} from './exported-list.ts';
import { foldName } from './file-names.ts';
import { type FoundNote, isStill, readFolder, vaultOf } from './folder.ts';
import { createKeyOf, createLinks } from './links.ts';
import { NOTHING_FOREIGN, type NoteParts, writeNote } from './note.ts';
import { INDEX_ID, indexNote, isEntityId, sourceId, sourceNote } from './other-notes.ts';
import type { Told } from './types.ts';
import type { NotesView } from './view.ts';

export interface ExportOptions {
  /** Absolute; made when it is not there, in a folder that is. */
  readonly folder: string;
  /** Entities that fewer chunks name get no note. @default 3 */
  readonly least?: number;
  /** Whether documents get notes, or the notes of entities lead to the files themselves. @default 'notes' */
  readonly sources?: 'notes' | 'files';
  readonly signal?: AbortSignal;
  /** How many notes were looked at (`of` is null), and then how many stand there as they are to be. */
  readonly told?: (done: number, of: number | null) => void;
}

export interface ExportReport {
  readonly folder: string;
  readonly entities: number;
  readonly sources: number;
  readonly written: number;
  readonly unchanged: number;
  readonly removed: number;
  /** Notes that were left as they are, the first 100, and why. */
  readonly left: readonly { readonly file: string; readonly why: string }[];
  readonly leftCount: number;
}

export const LEAST_MENTIONS = 3;
const MOST_LEFT = 100;
/** Notes between which others get their turn. */
const SLICE = 64;
/** Files that are written at once: each waits for the disk. */
const AT_ONCE = 8;
const OWN_FOLDERS = ['.kith', 'Entities', 'Sources'];
const NOBODY: Told = { name: '', type: null, aliases: [], summary: null, relations: [] };

interface Planned {
  readonly id: string;
  readonly file: string;
  readonly found: FoundNote | null;
  /** Of the text that is to be written. */
  hash: string;
  readonly make: () => { readonly parts: NoteParts; readonly told: Told };
}

/** The last folder alone: making all of them never ends where the system takes none (Linux's /proc). */
async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder).catch((error: unknown) => {
    if (isErrno(error, 'EEXIST')) return;
    if (!isErrno(error, 'ENOENT')) throw writeError(folder, error);
    const path = dirname(folder);
    throw new KithError('folder_missing', `There is no folder ${path}. Make it, or connect its drive.`, {
      status: 404,
      details: { path },
    });
  });
}

/** @throws KithError `folder_missing`, `folder_unreadable`, `export_linked`, `export_list_broken`, `disk_full`, `write_failed`; LimitError `knowledge.notes` */
export async function exportNotes(view: NotesView, options: ExportOptions): Promise<ExportReport> {
  const { folder, least = LEAST_MENTIONS, sources = 'notes', signal, told: tell } = options;
  await makeFolder(folder);
  for (const name of OWN_FOLDERS) await refuseLink(join(folder, name));
  const here = await readFolder(folder, view.id, signal);
  const before = await readList(folder, view.id);
  await sweepUnfinished(folder, view.id, before);
  const keys = view.keys(least);
  const links = createLinks({ view, here, before, keys, sources, vault: await vaultOf(folder) });
  const keyOf = createKeyOf(here, view, normalForm);
  const left: { file: string; why: string }[] = here.unread.map(({ file, message }) => ({
    file,
    why: message,
  }));
  /** What each note says, by the hash of its text. */
  const list = new Map<string, Exported>();
  const changed: Planned[] = [];
  let unchanged = 0;
  let count = 0;

  async function look(id: string, file: string, make: Planned['make']): Promise<void> {
    if (++count % SLICE === 0) await setImmediate();
    throwIfAborted(signal);
    tell?.(count, null);
    const copies = here.ours.get(id) ?? [];
    const found = copies.find((note) => note.file === file) ?? null;
    for (const copy of copies)
      if (copy !== found) left.push({ file: copy.file, why: `It is a copy of ${file}.` });
    const exported = before?.get(id) ?? null;
    const old = found === null ? undefined : exported?.written.get(found.hash);
    const why =
      found === null || !isEntityId(id) ? null : whyNot(differencesOf(found, exported, view, keyOf));
    const { parts, told } = make();
    if (why !== null) {
      left.push({ file, why });
      if (exported !== null) list.set(id, exported);
      return;
    }
    const { hash } = writeNote(parts, found?.note?.foreign ?? NOTHING_FOREIGN);
    const isSame = found !== null && found.hash === hash && (found.note?.isAsWritten ?? true);
    if (isSame) unchanged++;
    else changed.push({ id, file, found, hash, make });
    // Until it is written the note says what it said before.
    const written = new Map<string, Written>([[hash, { told, taken: null }]]);
    if (old !== undefined) written.set(found!.hash, old);
    list.set(id, { file, written });
  }

  for (const key of keys)
    await look(key, links.fileOf(key), () => {
      const facts = view.facts(key);
      return { parts: entityNote(facts, view.id, links), told: toldOf(facts) };
    });
  const noted = links.sourceNotes();
  for (const [path, file] of noted) {
    const source = view.source(path);
    if (source !== null)
      await look(sourceId(path), file, () => ({ parts: sourceNote(source, view.id), told: NOBODY }));
  }
  await look(INDEX_ID, links.index, () => ({ parts: indexNote(view, keys, links), told: NOBODY }));

  const gone = [...here.ours].flatMap(([id, notes]) => (list.has(id) ? [] : notes));
  const goneToo = gone.flatMap(({ id }): [string, Exported][] => {
    const exported = before?.get(id);
    return exported === undefined ? [] : [[id, exported]];
  });
  if (changed.length > 0 || gone.length > 0) {
    // Whoever finds the folder after a kill can see that it is half an export.
    await markUnfinished(folder, view.id);
    await writeList(folder, view.id, new Map([...list, ...goneToo]));
  }

  const freed = new Map(
    gone.flatMap((each) => (each.note === null ? [[foldName(each.file), each] as const] : [])),
  );
  let written = 0;
  const turns = changed.values();
  const write = async (isOver: () => boolean): Promise<void> => {
    for (const { id, file, found, hash, make } of turns) {
      if (isOver()) return;
      throwIfAborted(signal);
      const { parts, told } = make();
      const note = writeNote(parts, found?.note?.foreign ?? NOTHING_FOREIGN);
      if (note.hash !== hash) {
        left.push({ file, why: 'The knowledge base changed meanwhile. Export again.' });
        list.get(id)!.written.delete(hash);
        continue;
      }
      // One that another note of ours had is given away.
      if (!(await isStill(join(folder, file), found ?? freed.get(foldName(file)) ?? null))) {
        left.push({ file, why: 'Somebody wrote it meanwhile. Export again.' });
        list.get(id)!.written.delete(hash);
        continue;
      }
      await writeFileAtomic(join(folder, file), note.text);
      // What was taken in of the note before says nothing of this one.
      list.get(id)!.written.set(hash, { told, taken: null });
      if (found !== null && found.hash !== hash) list.get(id)!.written.delete(found.hash);
      written++;
      tell?.(unchanged + written, unchanged + changed.length);
    }
  };
  // Whoever hears that it failed may export again at once: nothing of this one writes any more then.
  let failed = false;
  const ends = await Promise.allSettled(
    Array.from({ length: AT_ONCE }, () =>
      write(() => failed).catch((error: unknown) => {
        failed = true;
        throw error;
      }),
    ),
  );
  for (const end of ends) if (end.status === 'rejected') throw end.reason;

  const planned = new Set([...list.values()].map(({ file }) => foldName(file)));
  let removed = 0;
  for (const each of gone) {
    const { id, file, note } = each;
    // Its place may be another's by now, or its own under other capitals.
    if (planned.has(foldName(file))) continue;
    if (note === null && (await isStill(join(folder, file), each))) {
      await rm(join(folder, file), { force: true });
      removed++;
      continue;
    }
    left.push({
      file,
      why: `The knowledge base has nothing for it any more; it stays for what you ${note?.isAsWritten ? 'wrote in' : 'changed in'} it.`,
    });
    const exported = before?.get(id);
    if (exported !== undefined) list.set(id, exported);
  }
  await writeList(folder, view.id, list);
  await markFinished(folder, view.id);
  return {
    ...{ folder, entities: keys.length, sources: noted.length },
    ...{ written, unchanged, removed },
    left: left.slice(0, MOST_LEFT),
    leftCount: left.length,
  };
}

/** Why a note is not to be written over; null when it may be. */
function whyNot({ edits, unclear }: Differences): string | null {
  if (unclear.length > 0) return `It has a line that Kith does not understand: ${unclear[0]!}`;
  return edits.length > 0 ? 'It was changed and not imported yet (kith rag import).' : null;
}

/** Links are not followed when notes are read, so that notes behind one would never be found again. */
async function refuseLink(path: string): Promise<void> {
  const facts = await lstat(path).catch(() => null);
  if (!facts?.isSymbolicLink()) return;
  throw new KithError(
    'export_linked',
    `${path} is a link, and notes are written behind none: make it a folder, or choose another one for the export.`,
    { status: 409, details: { path } },
  );
}
