/**
 * Texts whose script leaves no spaces between words (Chinese, Japanese, and Korean, where endings stick to them): the index of words
 * takes a run of such characters for one word. Two characters that follow each other are looked up instead, in an index of their own,
 * which has rows only of chunks with such text.
 *
 * @module knowledge/store/grams
 */
import type { Database } from '../../base/index.ts';

const SCRIPT =
  '[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\u{3005}\\u{3006}\\u{30FC}]';
const RUN = new RegExp(`${SCRIPT}+`, 'gu');
/** Apart, since one that is global remembers where it was. */
const ANY = new RegExp(SCRIPT, 'u');

export const CREATE_GRAMS =
  "CREATE VIRTUAL TABLE grams USING fts5 (text, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 0')";

export const hasRuns = (text: string): boolean => ANY.test(text);

/** Of each run of such characters all pairs that follow each other; of one alone itself. Empty where there is none. */
export function gramsOf(text: string): string[] {
  const grams: string[] = [];
  for (const [run] of text.normalize('NFKC').matchAll(RUN)) {
    const characters = [...run];
    if (characters.length === 1) grams.push(run);
    for (let at = 1; at < characters.length; at++) grams.push(characters[at - 1]! + characters[at]!);
  }
  return grams;
}

/** A word as what is compared of it: pairs where its script leaves no spaces, and what else it has. */
export function piecesOfWord(word: string): string[] {
  return hasRuns(word) ? [...word.split(RUN).filter((piece) => piece !== ''), ...gramsOf(word)] : [word];
}

/** Indexes all chunks anew. */
export function fillGrams(database: Database): void {
  database.exec('DELETE FROM grams');
  const page = database.prepare<{ row: number; title: string; text: string }, [number]>(
    'SELECT row, title, text FROM chunk WHERE row > ? ORDER BY row LIMIT 500',
  );
  const add = addGrams(database);
  for (let last = 0; ; ) {
    const chunks = page.all(last);
    for (const { row, title, text } of chunks) add(row, title, text);
    if (chunks.length < 500) return;
    last = chunks.at(-1)!.row;
  }
}

/** Titles count twice, as they do among words. */
export function addGrams(database: Database): (row: number, title: string, text: string) => void {
  const add = database.prepare<never, [number, string]>('INSERT INTO grams (rowid, text) VALUES (?, ?)');
  return (row, title, text) => {
    const own = hasRuns(title) ? gramsOf(title) : [];
    const grams = hasRuns(text) ? gramsOf(text) : [];
    if (own.length + grams.length > 0) add.run(row, [...own, ...own, ...grams].join(' '));
  };
}

/** What is looked up of words that hold such runs; null when none does. */
export function gramQuery(words: readonly string[], most: number): string | null {
  const grams = new Set(words.filter(hasRuns).flatMap(gramsOf));
  if (grams.size === 0) return null;
  // One character alone is looked for in pairs that begin with it, too.
  return [...grams]
    .slice(0, most)
    .map((gram) => ([...gram].length === 1 ? `"${gram}" *` : `"${gram}"`))
    .join(' OR ');
}
