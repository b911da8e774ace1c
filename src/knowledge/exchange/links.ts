/**
 * Where notes lie in a folder, and how they are linked to.
 *
 * @module knowledge/exchange/links
 */
import { basename, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Links } from './entity-note.ts';
import type { ExportedList } from './exported-list.ts';
import { FileNames, fileNameOf, foldName } from './file-names.ts';
import { type FoundFolder, type FoundNote, nameOf } from './folder.ts';
import { INDEX_ID, sourceId } from './other-notes.ts';
import { escaped, oneLine } from './plain-text.ts';
import type { NotesView } from './view.ts';

export interface LinkParts {
  readonly view: NotesView;
  readonly here: FoundFolder;
  readonly before: ExportedList | null;
  /** Of the entities that get a note. */
  readonly keys: readonly string[];
  readonly sources: 'notes' | 'files';
  /** Absolute. */
  readonly vault: string | null;
}

export interface NoteLinks extends Links {
  readonly index: string;
  /** File of an entity that gets a note. */
  fileOf(key: string): string;
  /** Documents that were linked to and get a note, by path. */
  sourceNotes(): [path: string, file: string][];
}

/** Of several copies the one that was written; nobody can tell by the notes. */
export function chosenNote(
  notes: readonly FoundNote[] | undefined,
  id: string,
  before: ExportedList | null,
): FoundNote | null {
  const file = before?.get(id)?.file;
  return notes?.find((note) => note.file === file) ?? notes?.[0] ?? null;
}

export function createLinks({ view, here, before, keys, sources, vault }: LinkParts): NoteLinks {
  const names = new FileNames();
  const wanted = new Set([...keys, INDEX_ID]);
  const files = new Map<string, string>();
  for (const file of here.others) names.take(nameOf(file));
  const count = new Map<string, number>();
  for (const [id, notes] of here.ours) {
    // What will be removed keeps no name from others.
    const stays = wanted.has(id) || id.startsWith('#') || notes.some(({ note }) => note !== null);
    if (!stays) continue;
    for (const { file } of notes) {
      const name = foldName(nameOf(file));
      count.set(name, (count.get(name) ?? 0) + 1);
      names.take(nameOf(file));
    }
    files.set(id, chosenNote(notes, id, before)!.file);
  }
  for (const file of here.others) {
    const name = foldName(nameOf(file));
    count.set(name, (count.get(name) ?? 0) + 1);
  }
  const place = (id: string, folder: string, name: string): string => {
    let file = files.get(id);
    if (file === undefined) {
      file = `${folder}${names.give(name, id)}.md`;
      files.set(id, file);
    }
    return file;
  };
  const index = place(INDEX_ID, '', 'Index');
  const shown = new Map<string, string>();
  for (const key of keys) {
    const { name } = view.basics(key);
    shown.set(key, name);
    place(key, 'Entities/', name);
  }
  const linkTo = (file: string, label: string): string => {
    const name = nameOf(file);
    const target = (count.get(foldName(name)) ?? 0) > 1 ? file.replace(/\.md$/iu, '') : name;
    const text = plainLabel(label);
    return text === target || text === '' ? `[[${target}]]` : `[[${target}|${text}]]`;
  };
  const toSources = new Map<string, string | null>();
  const noted = new Set<string>();
  const sourceLink = (path: string): string | null => {
    const source = view.source(path);
    if (source === null) return null;
    const title = oneLine(source.title) || path;
    const inVault = vault === null || source.file === null ? null : inside(vault, source.file);
    if (inVault !== null) return `[[${inVault.replace(/\.md$/iu, '')}|${plainLabel(title)}]]`;
    if (sources === 'files')
      return source.file === null ? null : `[${escaped(title)}](<${pathToFileURL(source.file).href}>)`;
    noted.add(path);
    return linkTo(place(sourceId(path), 'Sources/', basename(path).replace(/\.md$/iu, '')), title);
  };
  return {
    index,
    fileOf: (key) => files.get(key)!,
    entity(key) {
      const stands = view.standsFor(key);
      const name = shown.get(stands);
      return name === undefined ? null : linkTo(files.get(stands)!, name);
    },
    source(path) {
      let link = toSources.get(path);
      if (link === undefined) {
        link = sourceLink(path);
        toSources.set(path, link);
      }
      return link;
    },
    sourceNotes: () => [...noted].sort().map((path): [string, string] => [path, files.get(sourceId(path))!]),
  };
}

/** What a link shows: nothing that ends it, and nothing that programs run. */
function plainLabel(text: string): string {
  return oneLine(text.replace(/[[\]|`<>$%\\{}*_~#^]/gu, ' '))
    .slice(0, 200)
    .toWellFormed();
}

/** From the vault on, where a link can name it. */
function inside(vault: string, file: string): string | null {
  const path = relative(vault, file).split(sep).join('/');
  const isBelow = path !== '' && !path.startsWith('../') && path !== '..' && !/^(?:[a-z]:)?\//iu.test(path);
  return isBelow &&
    !/[[\]|#^\n]/u.test(path) &&
    path.split('/').every((part) => !part.startsWith('.') && fileNameOf(part) === part)
    ? path
    : null;
}

/** Which entity a link leads to: by the notes that are there, else by what it says. */
export function createKeyOf(
  here: FoundFolder,
  view: NotesView,
  formOf: (name: string) => string,
): (link: string) => string {
  const byPath = new Map<string, string>();
  const byName = new Map<string, string>();
  for (const [id, notes] of here.ours) {
    if (id.startsWith('#')) continue;
    for (const { file } of notes) {
      byPath.set(foldName(file.replace(/\.md$/iu, '')), id);
      if (!byName.has(foldName(nameOf(file)))) byName.set(foldName(nameOf(file)), id);
    }
  }
  return (link) => {
    const path = link
      .replace(/[#^].*$/su, '')
      .replace(/\.md$/iu, '')
      .trim();
    const name = path.slice(path.lastIndexOf('/') + 1);
    const id = byPath.get(foldName(path)) ?? byName.get(foldName(name));
    if (id !== undefined) return view.standsFor(id);
    // A key is a form already, and not every form is the form of itself.
    const form = view.has(name) ? name : formOf(name);
    return form === '' ? '' : view.standsFor(form);
  };
}
