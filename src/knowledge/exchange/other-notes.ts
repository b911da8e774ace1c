/**
 * The notes of documents, and the index.
 *
 * @module knowledge/exchange/other-notes
 */
import { pathToFileURL } from 'node:url';
import type { Links } from './entity-note.ts';
import { HEADINGS, type NoteParts } from './note.ts';
import { escaped, oneLine } from './plain-text.ts';
import type { SourceFacts } from './types.ts';
import type { NotesView } from './view.ts';

/** No form of a name has these characters. */
export const INDEX_ID = '#index';
const SOURCE = '#source ';
export const sourceId = (path: string): string => `${SOURCE}${path}`;
export const isEntityId = (id: string): boolean => !id.startsWith('#');

/** Entities of one type that the index lists; what is more is counted. */
const MOST_LISTED = 2000;

export function sourceNote({ path, title, type, file }: SourceFacts, kb: string): NoteParts {
  const where = escaped(oneLine(path));
  return {
    ...{ id: sourceId(path), kb, title: escaped(oneLine(title) || path) },
    frontmatter: { type: 'Source', source: path, tags: ['kith/source', `kith/source/${type}`] },
    intro: file === null ? where : `[${where}](<${pathToFileURL(file).href}>)`,
    sections: [],
  };
}

export function indexNote(view: NotesView, keys: readonly string[], links: Links): NoteParts {
  const byType = new Map<string | null, { key: string; mentions: number }[]>();
  for (const key of keys) {
    const { type, mentions } = view.basics(key);
    const list = byType.get(type) ?? [];
    list.push({ key, mentions });
    byType.set(type, list);
  }
  const types = [...byType].sort(([a], [b]) => (a === null ? 1 : b === null ? -1 : a < b ? -1 : 1));
  const body = types.map(([type, entries]) => {
    entries.sort((a, b) => b.mentions - a.mentions || (a.key < b.key ? -1 : 1));
    const lines = entries
      .slice(0, MOST_LISTED)
      .map(({ key, mentions }) => `- ${links.entity(key)} (${mentions})`);
    const more = entries.length - lines.length;
    return [
      `### ${type ?? 'Of unknown type'} (${entries.length})`,
      '',
      ...lines,
      ...(more > 0 ? [`- and ${more} more`] : []),
    ].join('\n');
  });
  return {
    ...{ id: INDEX_ID, kb: view.id, title: escaped(oneLine(view.name)) },
    frontmatter: { tags: ['kith/index'] },
    intro: `${keys.length} names in this knowledge base, with the number of passages that have each.`,
    sections: [[HEADINGS.types, body.join('\n\n')]],
  };
}
