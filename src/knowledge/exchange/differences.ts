/**
 * What a note says that the knowledge base does not know yet.
 *
 * @module knowledge/exchange/differences
 */
import { normalForm } from '../graph/normal.ts';
import { relationOf, TYPES } from '../store/vocabulary.ts';
import { conflictOf, editsOf, isOutstanding } from './edits.ts';
import { type Meanings, readTold, toldOf } from './entity-note.ts';
import type { Exported } from './exported-list.ts';
import { type FoundNote, nameOf } from './folder.ts';
import type { Edit, Relation, Taken, Told } from './types.ts';
import type { NotesView } from './view.ts';

export interface Differences {
  readonly edits: readonly Edit[];
  /** Of edits whose subject the knowledge base changed, too. `theirs`: what it says now. */
  readonly conflicts: readonly { readonly edit: Edit; readonly theirs: string | null }[];
  readonly unclear: readonly string[];
  /** All that the note says; null when it is as it was written or last taken in. */
  readonly told: Taken | null;
}

const NOTHING: Differences = { edits: [], conflicts: [], unclear: [], told: null };

/**
 * What the note says against what it said when it was last taken in, or else when it was written: what its owner takes back is a change,
 * too.
 *
 * @param exported what the list says of the note; null when it says nothing
 */
export function differencesOf(
  found: FoundNote,
  exported: Exported | null,
  view: NotesView,
  keyOf: (link: string) => string,
): Differences {
  const { id, note } = found;
  const name = nameOf(found.file);
  const isRenamed = exported !== null && name !== nameOf(exported.file);
  const isAsWritten = note === null || note.isAsWritten;
  const { told: written = null, taken = null } = exported?.written.get(found.hash) ?? {};
  // Nearly all are as they were written.
  if (!isRenamed && isAsWritten && taken === null) return NOTHING;
  const current = toldOf(view.facts(view.standsFor(id)));
  const last = taken ?? written;
  const base = last === null ? null : inForce(last, view);
  let told = written === null ? null : { ...inForce(written, view), title: written.name };
  const unclear: string[] = [];
  if (!isAsWritten) {
    const read = readTold(note, base, meaningsOf(keyOf));
    told = { ...inForce(read.told, view), title: read.told.name };
    unclear.push(...read.unclear);
  }
  // A heading that is as it was says nothing of the name, which may have come of the file's.
  if (told !== null && base !== null && told.title === (taken?.title ?? base.name))
    told = { ...told, name: base.name };
  const all = told === null ? [] : editsOf(id, base, told, current);
  if (isRenamed) {
    const wasOther = taken !== null && normalForm(taken.name) !== id;
    const renamed = renaming(id, name, base ?? current, wasOther, view);
    if (renamed !== null) {
      const other = all.findIndex(({ kind }) => kind === 'name');
      if (other >= 0) all.splice(other, 1);
      all.push(renamed);
      if (told !== null) told = { ...told, name };
    }
  }
  const edits = all.filter((edit) => isOutstanding(edit, current));
  if (edits.length === 0 && unclear.length === 0) return { ...NOTHING, told };
  const conflicts = edits.flatMap((edit) => {
    const theirs = conflictOf(edit, base, current);
    return theirs === undefined ? [] : [{ edit, theirs }];
  });
  return { edits, conflicts, unclear, told };
}

/** A note that was given the name of another entity says that both are one; one that got its own again, that they are not. */
function renaming(
  key: string,
  name: string,
  { name: from }: Told,
  wasOther: boolean,
  view: NotesView,
): Edit | null {
  const form = normalForm(name);
  const into = form === '' ? '' : view.standsFor(form);
  if (form !== '' && into !== view.standsFor(key) && view.has(into)) return { kind: 'merge', key, into };
  // It was merged before, into what its file is named by.
  if (view.standsFor(key) !== key && into === view.standsFor(key))
    return wasOther && form === key ? { kind: 'part', key } : null;
  return name === from ? null : { kind: 'name', key, from, to: name };
}

/** Relations to what stands for another now are to that. */
function inForce(told: Told, view: NotesView): Told {
  const relations = told.relations.map(
    (each): Relation => (each.target === null ? each : { ...each, target: view.standsFor(each.target) }),
  );
  return toldOf({ ...told, relations });
}

const KNOWN_TYPES: ReadonlyMap<string, string> = new Map(
  Object.keys(TYPES).map((name) => [name.toLowerCase(), name]),
);
/** What notes say in other ways. */
const TAKEN: ReadonlySet<string> = new Set(['type', 'summary', 'weight', 'relation', 'alias', 'name']);

/** A relation that schema.org has no word for. */
const OWN_WORD = /^\p{L}(?:[\p{L}\p{N}._-]{0,62}[\p{L}\p{N}])?$/u;

function meaningsOf(keyOf: (link: string) => string): Meanings {
  return {
    keyOf,
    typeOf(word) {
      const plain = word.replace(/[^\p{L}\p{N}]+/gu, ' ').trim();
      const known = KNOWN_TYPES.get(plain.replaceAll(' ', '').toLowerCase());
      if (known !== undefined) return known;
      const joined = plain
        .replace(/(?:^| )(\p{L})/gu, (_, letter: string) => letter.toUpperCase())
        .replaceAll(' ', '');
      return /^[A-Z][A-Za-z0-9]{0,63}$/.test(joined) ? joined : null;
    },
    propertyOf(words, isLink) {
      const joined = words
        .normalize('NFC')
        .trim()
        .replace(/[ ]+(.)/gu, (_, letter: string) => letter.toUpperCase());
      if (isLink) {
        const known = relationOf(words);
        // A word of the owner's own is kept; what has none is only related.
        const isOwn = known === 'relatedTo' && OWN_WORD.test(joined) && !TAKEN.has(joined);
        return isOwn && joined.toLowerCase() !== 'relatedto' ? joined : known;
      }
      return /^[A-Za-z][A-Za-z0-9._-]{0,63}$/.test(joined) && !TAKEN.has(joined) ? joined : null;
    },
  };
}
