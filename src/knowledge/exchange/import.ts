/**
 * What an owner changed in exported notes, taken into the knowledge base: as assertions of the owner, and as merges.
 *
 * @module knowledge/exchange/import
 */
import { setImmediate } from 'node:timers/promises';
import { type Clock, isKithError, KithError, messageOf, throwIfAborted } from '../../base/index.ts';
import { normalForm } from '../graph/normal.ts';
import type { KnowledgeStore } from '../store/index.ts';
import { applyEdits } from './apply.ts';
import { differencesOf } from './differences.ts';
import { withoutEdits } from './edits.ts';
import { type Exported, isUnfinished, readList, writeList } from './exported-list.ts';
import { type FoundNote, readFolder } from './folder.ts';
import { chosenNote, createKeyOf } from './links.ts';
import { isEntityId } from './other-notes.ts';
import type { Edit, Taken } from './types.ts';
import type { NotesView } from './view.ts';

export interface ImportOptions {
  /** Absolute. */
  readonly folder: string;
  /** Tells what would be taken in, and does nothing. @default false */
  readonly dryRun?: boolean;
  readonly clock: Pick<Clock, 'now'>;
  readonly signal?: AbortSignal;
}

export interface ImportedChange {
  readonly file: string;
  readonly kind: Edit['kind'];
  /** For people: what is said now. */
  readonly what: string;
}

export interface ImportReport {
  readonly folder: string;
  /** Notes of entities that were looked at, and those of them that say something new. */
  readonly notes: number;
  readonly changed: number;
  /** The first 1000. */
  readonly changes: readonly ImportedChange[];
  readonly changeCount: number;
  /** Where the knowledge base changed, too, since the export. The note's word was taken. */
  readonly conflicts: readonly (ImportedChange & { readonly instead: string | null })[];
  /** What was not taken, and why. */
  readonly left: readonly { readonly file: string; readonly why: string }[];
  /** False when the folder has no list of what was exported: then nothing counts as taken away. */
  readonly hasList: boolean;
  /** False when an export to the folder did not come to its end: say it again. */
  readonly isWhole: boolean;
  /** The run by which all of it can be undone; null when there was nothing. */
  readonly run: number | null;
}

const MOST_TOLD = 1000;
const SLICE = 64;

/** @throws KithError `folder_unreadable`, `export_missing`, `export_list_broken`; LimitError `knowledge.notes` */
export async function importNotes(
  view: NotesView,
  store: KnowledgeStore,
  options: ImportOptions,
): Promise<ImportReport> {
  const { folder, dryRun = false, clock, signal } = options;
  const here = await readFolder(folder, view.id, signal);
  if (here.ours.size === 0)
    throw new KithError(
      'export_missing',
      `There are no notes of the knowledge base ${view.name} in ${folder}. They come there with \`kith rag export ${view.name} FOLDER --obsidian\`.`,
      { status: 404, details: { path: folder } },
    );
  const list = await readList(folder, view.id);
  const keyOf = createKeyOf(here, view, normalForm);
  const changes: ImportedChange[] = [];
  const conflicts: (ImportedChange & { instead: string | null })[] = [];
  const left = here.unread.map(({ file, message }) => ({ file, why: message }));
  const found: {
    readonly file: string;
    readonly edits: readonly Edit[];
    readonly aliases: readonly string[];
    readonly failed: Edit[];
  }[] = [];
  /** What notes say now: the next import compares with that. */
  const taken: {
    readonly note: FoundNote;
    readonly told: Taken;
    readonly exported: Exported;
    readonly failed: Edit[];
  }[] = [];
  let notes = 0;
  for (const id of [...here.ours.keys()].sort()) {
    if (!isEntityId(id)) continue;
    if (++notes % SLICE === 0) await setImmediate();
    throwIfAborted(signal);
    const copies = here.ours.get(id)!;
    const note = chosenNote(copies, id, list)!;
    for (const { file } of copies)
      if (file !== note.file) left.push({ file, why: `It is a copy of ${note.file}: that one counts.` });
    const exported = list?.get(id) ?? null;
    const { edits, conflicts: mine, unclear, told } = differencesOf(note, exported, view, keyOf);
    const failed: Edit[] = [];
    if (told !== null && exported?.written.has(note.hash)) taken.push({ note, told, exported, failed });
    for (const line of unclear) left.push({ file: note.file, why: `This is not understood: ${line}` });
    if (edits.length > 0) found.push({ file: note.file, edits, aliases: told?.aliases ?? [], failed });
    for (const { edit, theirs } of mine)
      conflicts.push({ file: note.file, kind: edit.kind, what: wordsOf(edit), instead: theirs });
  }
  let run: number | null = null;
  let changeCount = 0;
  if (found.length > 0 && !dryRun) run = store.beginRun('import', { folder }, clock.now());
  for (const { file, edits, aliases, failed } of found) {
    throwIfAborted(signal);
    for (const edit of edits) {
      try {
        if (!dryRun) applyEdits(edit, { store, view, aliases, run: run!, at: clock.now() });
      } catch (error) {
        if (!isKithError(error) || error.status >= 500) throw error;
        left.push({ file, why: messageOf(error) });
        failed.push(edit);
        continue;
      }
      changeCount++;
      if (changes.length < MOST_TOLD) changes.push({ file, kind: edit.kind, what: wordsOf(edit) });
    }
  }
  if (run !== null) store.noteRun(run, { folder, changes: changeCount }, clock.now());
  if (list !== null && taken.length > 0 && !dryRun) {
    const next = new Map(list);
    for (const each of taken) next.set(each.note.id, afterImport(each));
    try {
      await writeList(folder, view.id, next);
    } catch (error) {
      left.push({
        file: '.kith',
        why: `What was taken in is in the knowledge base, and could not be noted here: ${messageOf(error)}`,
      });
    }
  }
  return {
    ...{ folder, notes, changed: found.length, changes, changeCount },
    conflicts: conflicts.slice(0, MOST_TOLD),
    left: left.slice(0, MOST_TOLD),
    ...{ hasList: list !== null, isWhole: !(await isUnfinished(folder, view.id)), run },
  };
}

/** What the list says of a note whose edits, but for those that failed, are in the knowledge base. */
function afterImport({
  note: { file, hash },
  told,
  exported,
  failed,
}: {
  readonly note: FoundNote;
  readonly told: Taken;
  readonly exported: Exported;
  readonly failed: readonly Edit[];
}): Exported {
  const { told: before, taken } = exported.written.get(hash)!;
  const isNameTaken = failed.every(({ kind }) => kind !== 'name' && kind !== 'merge' && kind !== 'part');
  const next = withoutEdits(told, taken ?? before, failed);
  return {
    file: isNameTaken ? file : exported.file,
    written: new Map(exported.written).set(hash, { told: before, taken: next }),
  };
}

function wordsOf(edit: Edit): string {
  const short = (text: string | null): string =>
    text === null ? 'nothing' : text.length > 80 ? `${text.slice(0, 79).toWellFormed()}…` : text;
  switch (edit.kind) {
    case 'name':
    case 'type':
    case 'summary':
      return `${edit.kind}: ${short(edit.to)}`;
    case 'alias':
      return `${edit.holds ? 'alias' : 'no alias'}: ${short(edit.alias)}`;
    case 'relation': {
      const { property, target, value } = edit.relation;
      return `${edit.holds ? '' : 'not '}${property}: ${short(target ?? value)}`;
    }
    case 'merge':
      return `is one with ${edit.into}`;
    case 'part':
      return 'is one of its own again';
  }
}
