/**
 * Titles of chunks: where in the document they stand.
 *
 * @module knowledge/chunk/titles
 */
import type { Embedder } from '../types.ts';
import { wholeAt } from './units.ts';

const BETWEEN = ' › ';
/** Characters of a title. */
const MOST = 300;
/** Share of the window that a title may take. */
const SHARE = 0.25;

/** The document's title and the headings; what is too much is left out in the middle. */
export function titleOf(title: string, headings: readonly string[]): string {
  const parts = [title, ...headings]
    .map((part) => part.replace(/\s+/gu, ' ').trim())
    .filter((part) => part !== '');
  // A file that begins with its title as a heading says it once.
  if (parts.length > 1 && parts[0] === parts[1]) parts.shift();
  while (parts.length > 2 && parts.join(BETWEEN).length > MOST) parts.splice(1, 1);
  const joined = parts.join(BETWEEN);
  return joined.slice(0, joined.length > MOST ? wholeAt(joined, MOST) : MOST).toWellFormed();
}

/** Titles as they are kept, by titles as they are: those that would take too much of the window are cut. */
export async function fitTitles(
  titles: Iterable<string>,
  embedder: Pick<Embedder, 'countTokens' | 'window'>,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const fitted = new Map([...titles].map((title) => [title, title]));
  const most = Math.max(1, Math.floor(embedder.window * SHARE));
  let open = [...fitted.keys()].filter((title) => title !== '');
  while (open.length > 0) {
    const counts = await embedder.countTokens(
      open.map((title) => fitted.get(title)!),
      signal,
    );
    open = open.filter((title, at) => {
      if (counts[at]! <= most) return false;
      const now = fitted.get(title)!;
      fitted.set(title, now.slice(0, wholeAt(now, now.length >>> 1)).trimEnd());
      return fitted.get(title) !== '';
    });
  }
  return fitted;
}
