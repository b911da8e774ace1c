/**
 * The list of what was exported to a folder, in the folder: what each note said when it was written, by which an owner's change is told
 * from one of the knowledge base.
 *
 * It is written before the notes with what they say before and after, and once more behind them: whenever a process dies, the list
 * knows what a note said that is as it was written.
 *
 * @module knowledge/exchange/exported-list
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isErrno, isKithError, KithError, readFileBounded, writeFileAtomic } from '../../base/index.ts';
import { kbMark } from './note.ts';
import { EXCHANGE_LIMITS, type Relation, type Taken, type Told } from './types.ts';

export interface Exported {
  /** Path in the folder, when it was written or last taken in. */
  readonly file: string;
  /** Hash in the seal, and what the note says then. */
  readonly written: Map<string, Written>;
}

export interface Written {
  readonly told: Told;
  /** What the note with this seal said when it was last taken in, where that is something else: the next change is one of this. */
  readonly taken: Taken | null;
}

/** By id. */
export type ExportedList = ReadonlyMap<string, Exported>;

const FORMAT = 1;

export const listFile = (folder: string, kb: string): string =>
  join(folder, '.kith', `exported-${kbMark(kb)}.json`);

const markFile = (folder: string, kb: string): string =>
  join(folder, '.kith', `unfinished-${kbMark(kb)}.txt`);

/** Says in the folder that what stands there is half an export, until its end. */
export async function markUnfinished(folder: string, kb: string): Promise<void> {
  await writeFileAtomic(
    markFile(folder, kb),
    'An export to this folder has begun and not ended. Unless it runs now, say it again (kith rag export): it goes on with what is missing.\n',
  );
}

export async function markFinished(folder: string, kb: string): Promise<void> {
  await rm(markFile(folder, kb), { force: true });
}

/** Of a write that a kill ended (`writeFileAtomic`). */
const HALF = /^\..+\.(?:md|json|txt)\.[0-9a-f]{12}\.tmp$/u;

/** Removes what an export that was killed left half, where the folder says that there was one. */
export async function sweepUnfinished(folder: string, kb: string, list: ExportedList | null): Promise<void> {
  if (!(await isUnfinished(folder, kb))) return;
  const places = new Set(['.', '.kith', 'Entities', 'Sources']);
  for (const { file } of list?.values() ?? []) places.add(dirname(file));
  for (const place of places)
    for (const name of await readdir(join(folder, place)).catch((): string[] => []))
      if (HALF.test(name)) await rm(join(folder, place, name), { force: true });
}

export async function isUnfinished(folder: string, kb: string): Promise<boolean> {
  return (await stat(markFile(folder, kb)).catch(() => null)) !== null;
}

/** Null where there is none. @throws KithError `export_list_broken` */
export async function readList(folder: string, kb: string): Promise<ExportedList | null> {
  const file = listFile(folder, kb);
  let bytes: Uint8Array;
  try {
    bytes = await readFileBounded(file, EXCHANGE_LIMITS.listBytes);
  } catch (error) {
    if (isKithError(error) && (error.code === 'file_not_found' || isErrno(error.cause, 'ENOTDIR')))
      return null;
    throw error;
  }
  try {
    return listOf(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)), kb);
  } catch (error) {
    throw new KithError(
      'export_list_broken',
      `${file}, which says what was exported to this folder, cannot be read. Remove it: then changes in the notes are only added to the knowledge base, and nothing is taken away.`,
      { status: 409, cause: error },
    );
  }
}

export async function writeList(folder: string, kb: string, list: ExportedList): Promise<boolean> {
  const file = listFile(folder, kb);
  const notes = [...list]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, { file: path, written }]) => [
      id,
      path,
      ...[...written].map(([hash, { told, taken }]) =>
        taken === null || isSame(told, taken)
          ? [hash, packed(told)]
          : [hash, packed(told), packed(taken), taken.title],
      ),
    ]);
  // One note a line: what changed is seen by those who keep the folder under version control.
  const text = `{"format":${FORMAT},"kb":${JSON.stringify(kbMark(kb))},"notes":[\n${notes.map((note) => JSON.stringify(note)).join(',\n')}\n]}\n`;
  const before = await readFileBounded(file, EXCHANGE_LIMITS.listBytes).catch(() => null);
  if (before !== null && Buffer.from(text).equals(before)) return false;
  await writeFileAtomic(file, text);
  return true;
}

const isSame = (told: Told, taken: Taken): boolean =>
  taken.title === told.name && JSON.stringify(packed(told)) === JSON.stringify(packed(taken));

const packed = ({ name, type, aliases, summary, relations }: Told) => [
  ...[name, type, aliases, summary],
  relations.map(({ property, target, value }) => [property, target, value]),
];

function listOf(value: unknown, kb: string): ExportedList {
  const { format, kb: mark, notes } = (value ?? {}) as Partial<Record<string, unknown>>;
  if (format !== FORMAT || mark !== kbMark(kb)) throw new TypeError('not a list of this knowledge base');
  const list = new Map<string, Exported>();
  for (const note of arrayOf(notes)) {
    const [id, file, ...written] = arrayOf(note);
    const path = textOf(file);
    if (path === '' || path.startsWith('/') || /(?:^|\/)\.\.(?:\/|$)|[\\\0]/u.test(path))
      throw new TypeError('a path that leads out of the folder');
    list.set(textOf(id), {
      file: path,
      written: new Map(
        written.map((each) => {
          const [hash, told, taken, title] = arrayOf(each);
          const last = taken === undefined ? null : { ...toldOf(taken), title: textOf(title) };
          return [textOf(hash), { told: toldOf(told), taken: last }] as const;
        }),
      ),
    });
  }
  return list;
}

function toldOf(value: unknown): Told {
  const [name, type, aliases, summary, relations] = arrayOf(value);
  return {
    ...{ name: textOf(name), type: textOrNull(type), summary: textOrNull(summary) },
    aliases: arrayOf(aliases).map(textOf),
    relations: arrayOf(relations).map((each): Relation => {
      const [property, target, given] = arrayOf(each);
      return { property: textOf(property), target: textOrNull(target), value: textOrNull(given) };
    }),
  };
}

function arrayOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  throw new TypeError('a list is missing');
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new TypeError('a text is missing');
}

const textOrNull = (value: unknown): string | null => (value === null ? null : textOf(value));
