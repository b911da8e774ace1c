/**
 * What an owner changed in a note: what it says now against what it said when it was written.
 *
 * @module knowledge/exchange/edits
 */
import type { Edit, Relation, Taken, Told } from './types.ts';

const isSame = (a: Relation, b: Relation): boolean =>
  a.property === b.property && a.target === b.target && a.value === b.value;

/** @param before null when nobody knows: then nothing counts as taken away */
export function editsOf(key: string, before: Told | null, now: Told, current: Told): Edit[] {
  const base = before ?? current;
  const edits: Edit[] = [];
  if (now.name !== base.name && now.name !== '')
    edits.push({ kind: 'name', key, from: base.name, to: now.name });
  for (const kind of ['type', 'summary'] as const)
    if (now[kind] !== base[kind]) edits.push({ kind, key, from: base[kind], to: now[kind] });
  for (const alias of now.aliases)
    if (!base.aliases.includes(alias)) edits.push({ kind: 'alias', key, alias, holds: true });
  for (const alias of base.aliases)
    if (!now.aliases.includes(alias)) edits.push({ kind: 'alias', key, alias, holds: false });
  for (const relation of now.relations)
    if (!base.relations.some((each) => isSame(each, relation)))
      edits.push({ kind: 'relation', key, relation, holds: true });
  for (const relation of base.relations)
    if (!now.relations.some((each) => isSame(each, relation)))
      edits.push({ kind: 'relation', key, relation, holds: false });
  return before === null ? edits.filter(addsOnly) : edits;
}

function addsOnly(edit: Edit): boolean {
  if (edit.kind === 'alias' || edit.kind === 'relation') return edit.holds;
  return edit.kind === 'merge' || edit.kind === 'part' || edit.to !== null;
}

/** What the note said for the next import, when these of its edits were not taken. @param before what it said at the last one */
export function withoutEdits(now: Taken, before: Told, failed: readonly Edit[]): Taken {
  let told = now;
  for (const edit of failed) {
    if (edit.kind === 'type' || edit.kind === 'summary') told = { ...told, [edit.kind]: before[edit.kind] };
    else if (edit.kind === 'alias') {
      const others = told.aliases.filter((alias) => alias !== edit.alias);
      told = { ...told, aliases: edit.holds ? others : [...others, edit.alias] };
    } else if (edit.kind === 'relation') {
      const others = told.relations.filter((each) => !isSame(each, edit.relation));
      told = { ...told, relations: edit.holds ? others : [...others, edit.relation] };
    } else told = { ...told, name: before.name, title: before.name };
  }
  return told;
}

/** Whether the knowledge base does not say so yet. */
export function isOutstanding(edit: Edit, current: Told): boolean {
  switch (edit.kind) {
    case 'name':
    case 'type':
    case 'summary':
      return current[edit.kind] !== edit.to;
    case 'alias':
      return current.aliases.includes(edit.alias) !== edit.holds;
    case 'relation':
      return current.relations.some((each) => isSame(each, edit.relation)) !== edit.holds;
    case 'merge':
    case 'part':
      return true;
  }
}

/** What the knowledge base came to say of the same meanwhile; undefined when it did not. */
export function conflictOf(edit: Edit, before: Told | null, current: Told): string | null | undefined {
  if (before === null) return undefined;
  if (edit.kind !== 'name' && edit.kind !== 'type' && edit.kind !== 'summary') return undefined;
  return current[edit.kind] === before[edit.kind] || current[edit.kind] === edit.to
    ? undefined
    : current[edit.kind];
}
