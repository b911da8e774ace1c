/**
 * Where a passage stands, in words.
 *
 * @module web/pages/knowledge/places
 */
import { count } from '../../i18n/index.ts';
import type { ChunkView } from './desk.ts';
import { k } from './words/index.ts';

export function placeWords({ page, line, sheet, part }: ChunkView['place']): string {
  return [
    part,
    sheet === undefined ? undefined : k('where.sheet', { sheet }),
    page === undefined ? undefined : k('where.page', { page: count(page) }),
    line === undefined ? undefined : k('where.line', { line: count(line) }),
  ]
    .filter((words) => words !== undefined)
    .join(', ');
}

/** Title and headings, the outermost first. */
export const headingsOf = (title: string): string[] => title.split(' › ');

export const fileName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

export const passagesOf = (chunks: number): string =>
  chunks === 1 ? k('list.passagesOne') : k('list.passages', { count: count(chunks) });
