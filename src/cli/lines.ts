/**
 * Entries of lists as lines of a terminal: what came from outside stays in its line.
 *
 * @module cli/lines
 */
import { stripVTControlCharacters } from 'node:util';
import { plain } from './output.ts';

/** Text from outside within one line: what breaks a line, or moves or hides what is written, is shown and not sent. */
export function inLine(text: string): string {
  return plain(text.toWellFormed()).replace(
    /[\t\n\u200b-\u200f\u2028\u2029\u2060\ufeff]/gu,
    (c) => ESCAPES[c] ?? `\\u${c.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  );
}

const ESCAPES: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n' };

/** What a terminal draws over two columns, and what over none. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const NONE = /^\p{Mn}|^\p{Me}/u;
const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Columns that a text takes; colours take none. */
export function widthOf(text: string): number {
  let width = 0;
  for (const { segment } of GRAPHEMES.segment(stripVTControlCharacters(text)))
    width += NONE.test(segment) ? 0 : WIDE.test(segment) ? 2 : 1;
  return width;
}

const LEAST_COLUMNS = 20;

/**
 * Lines of at most so many columns, between words where that can be; those behind the first begin with the indent.
 *
 * @param columns of the terminal; undefined where none is: then the line is left whole, for programs
 */
export function wrapped(line: string, columns: number | undefined, indent = '    '): string {
  if (columns === undefined || columns < LEAST_COLUMNS || widthOf(line) <= columns) return line;
  const lines: string[] = [];
  let now = '';
  let width = 0;
  const end = (): void => {
    lines.push(now.trimEnd());
    now = indent;
    width = indent.length;
  };
  for (const word of line.split(/(?<= )/u)) {
    let rest = word;
    if (width + widthOf(word.trimEnd()) > columns && now.trim() !== '') end();
    // A word that is wider than the terminal.
    while (width + widthOf(rest.trimEnd()) > columns) {
      let part = '';
      for (const { segment } of GRAPHEMES.segment(rest)) {
        if (width + widthOf(part + segment) > columns) break;
        part += segment;
      }
      if (part === '') break;
      now += part;
      rest = rest.slice(part.length);
      end();
    }
    now += rest;
    width += widthOf(rest);
  }
  lines.push(now.trimEnd());
  return lines.join('\n');
}
