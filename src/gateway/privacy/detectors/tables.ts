/**
 * Names in columns: rows of CSV and Markdown tables below a heading such as "name".
 *
 * @module gateway/privacy/detectors/tables
 */
import type { Detector, Span } from '../types.ts';
import { BREAK, type TextView } from '../view.ts';
import { NO_NAMES } from './name-cues.ts';

const SEPARATORS = [';', '|', '\t', ','];
const HEADINGS =
  /^["' ]*(?:(?:full|first|last|customer|patient|employee|user|contact)[ _-]?name|name|surname|vorname|nachname|nombre|apellidos?|nom|pr[ée]nom|kunde|customer|patient|client|cliente|contact|owner|employee|mitarbeiter)["' ]*$/i;
const MAX_HEADING = 400;
const MAX_COLUMNS = 32;
const MAX_CELL = 80;

export const tables: Detector = {
  name: 'table',
  classes: ['name'],
  detect(view) {
    const spans: Span[] = [];
    let separator = '';
    let columns: ReadonlySet<number> = new Set();
    let start = 0;
    for (let token = 0; token <= view.tokens; token++) {
      view.steps++;
      if (token < view.tokens && view.kinds[token] !== BREAK) continue;
      const end = token < view.tokens ? view.starts[token]! : view.text.length;
      view.steps += Math.min(end - start, 4096);
      if (columns.size > 0 && view.text.slice(start, Math.min(end, start + 4096)).includes(separator)) {
        readRow(view, start, end, separator, columns, spans);
      } else {
        const heading = readHeading(view.text.slice(start, Math.min(end, start + MAX_HEADING)));
        view.steps += Math.min(end - start, MAX_HEADING) * SEPARATORS.length;
        separator = heading?.separator ?? '';
        columns = heading?.columns ?? new Set();
      }
      start = end + 1;
    }
    return spans;
  },
};

function readHeading(line: string): { separator: string; columns: Set<number> } | null {
  for (const separator of SEPARATORS) {
    if (!line.includes(separator)) continue;
    const cells = line.split(separator, MAX_COLUMNS);
    const columns = new Set(cells.keys().filter((i) => HEADINGS.test(cells[i]!)));
    // A heading has no sentence in it.
    if (columns.size > 0 && cells.length > 1 && cells.every((cell) => cell.trim().split(' ').length <= 4)) {
      return { separator, columns };
    }
  }
  return null;
}

function readRow(
  view: TextView,
  from: number,
  to: number,
  separator: string,
  columns: ReadonlySet<number>,
  spans: Span[],
): void {
  let column = 0;
  let start = from;
  for (let at = from; at <= to && column < MAX_COLUMNS; at++) {
    view.steps++;
    if (at < to && view.text[at] !== separator) continue;
    if (columns.has(column) && at - start <= MAX_CELL) {
      const cell = view.text.slice(start, at);
      view.steps += cell.length;
      const lead = /^["'\s]*/.exec(cell)![0].length;
      const name = cell.slice(lead).replace(/["'\s]+$/, '');
      // Words of letters, the first with a capital, none of them a heading.
      const isName = /^\p{Lu}[\p{L}\p{M}.'-]*(?: [\p{L}\p{M}.'-]+){0,5}$/u.test(name);
      if (isName && !NO_NAMES.has(name.toLowerCase())) {
        const place = start + lead;
        spans.push({
          class: 'name',
          start: place,
          end: place + name.length,
          confidence: 0.8,
          kind: 'column',
        });
      }
    }
    column++;
    start = at + 1;
  }
}
