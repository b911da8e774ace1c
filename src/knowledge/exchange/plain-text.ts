/**
 * Plain text as Markdown that shows it and does nothing else: what documents say is quoted in notes, and programs that read notes run
 * queries, fetch pictures and follow links.
 *
 * @module knowledge/exchange/plain-text
 */
import { wikilinksIn } from '../parse/wikilinks.ts';

const ACTIVE = /[\\`*_[\]<>#$~|%&^{}]/gu;
/** Of programs that make links of addresses by themselves. */
const ADDRESS = /:(?=\/\/)/gu;

/** Line by line; lines are kept. */
export function escaped(text: string): string {
  return text
    .split('\n')
    .map((line) =>
      line
        .replace(ACTIVE, '\\$&')
        .replace(ADDRESS, '\\:')
        .replace(/^[-+=]/u, '\\$&')
        .replace(/^(\d{1,9})([.)])/u, '$1\\$2'),
    )
    .join('\n');
}

/** What a reader sees of a line: links by what they show. */
export function unescaped(markdown: string): string {
  let out = '';
  let from = 0;
  for (const { target, label, span } of wikilinksIn(markdown)) {
    out += withoutMarks(markdown.slice(from, span[0])) + (label ?? target);
    from = span[1];
  }
  return out + withoutMarks(markdown.slice(from));
}

function withoutMarks(markdown: string): string {
  return markdown.replace(/\\([!-/:-@[-`{-~])/gu, '$1');
}

/** Text as it can be told in one line. */
export function oneLine(text: string): string {
  return text
    .toWellFormed()
    .normalize('NFC')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
}

/** Text in paragraphs, as a note keeps it; null when there is none. */
export function paragraphs(text: string, most: number): string | null {
  const lines = text
    .toWellFormed()
    .normalize('NFC')
    .replace(/\r\n?/gu, '\n')
    .split('\n')
    .map((line) => oneLine(line));
  const plain = lines
    .join('\n')
    .replace(/\n{3,}/gu, '\n\n')
    .trim();
  const cut = plain.length > most ? plain.slice(0, most).toWellFormed().trim() : plain;
  return cut === '' ? null : cut;
}
