/**
 * Sheets of Excel as tables: shown values, dates as dates, formulas by their last result.
 *
 * @module knowledge/parse/formats/xlsx
 */
import type { ParsedDocument } from '../../types.ts';
import { DocumentWriter } from '../document-writer.ts';
import { OfficeParts } from '../opc.ts';
import type { ParserInput } from '../parser.ts';
import { TableBlocks } from '../table-blocks.ts';
import type { ParseLimits } from '../types.ts';
import { END_WALK } from '../xml.ts';
import { unzip } from '../zip.ts';

const MAIN = 'xl/workbook.xml';
/** Cells of a row that are kept. */
const COLUMNS = 1_000;
const STRINGS = 2_000_000;
const STYLES = 100_000;

interface Book {
  readonly sheets: readonly { readonly name: string; readonly part: string | undefined }[];
  readonly strings: readonly string[];
  /** By style: whether its numbers are dates. */
  readonly dates: readonly boolean[];
  /** Days are counted from 1904. */
  readonly from1904: boolean;
}

function readBook(parts: OfficeParts): Book {
  const relations = parts.relations(MAIN);
  const sheets: { name: string; part: string | undefined }[] = [];
  let from1904 = false;
  parts.read(MAIN, {
    open: (name, attributes) => {
      if (name === 'sheet')
        sheets.push({ name: attributes.name ?? '', part: relations.get(attributes['r:id'] ?? '')?.target });
      else if (name === 'workbookPr') from1904 = /^(?:1|true)$/.test(attributes.date1904 ?? '');
    },
  });
  return { sheets, strings: readStrings(parts), dates: readDateStyles(parts), from1904 };
}

function readStrings(parts: OfficeParts): string[] {
  const strings: string[] = [];
  let text = '';
  let inText = false;
  // How a word is pronounced stands beside it.
  let phonetic = 0;
  if (!parts.has('xl/sharedStrings.xml')) return strings;
  parts.read('xl/sharedStrings.xml', {
    open: (name) => {
      if (name === 'si') text = '';
      else if (name === 'rPh') phonetic += 1;
      else if (name === 't') inText = phonetic === 0;
    },
    text: (piece) => {
      if (inText) text += piece;
    },
    close: (name) => {
      if (name === 't') inText = false;
      else if (name === 'rPh') phonetic -= 1;
      else if (name === 'si' && strings.length < STRINGS) strings.push(text);
    },
  });
  return strings;
}

function isDateFormat(id: number, custom: ReadonlyMap<number, string>): boolean {
  if ((id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 47)) return true;
  const code = custom.get(id)?.replace(/"[^"]{0,200}"|\[[^\]]{0,200}\]|\\./g, '');
  return code !== undefined && /[ymdhs]/i.test(code) && !/[#0?]/.test(code.replace(/\.0+/g, ''));
}

function readDateStyles(parts: OfficeParts): boolean[] {
  const custom = new Map<number, string>();
  const dates: boolean[] = [];
  let inCells = false;
  if (!parts.has('xl/styles.xml')) return dates;
  parts.read('xl/styles.xml', {
    open: (name, attributes) => {
      if (name === 'numFmt')
        custom.set(Number(attributes.numFmtId), (attributes.formatCode ?? '').slice(0, 500));
      else if (name === 'cellXfs') inCells = true;
      else if (name === 'xf' && inCells && dates.length < STYLES)
        dates.push(isDateFormat(Number(attributes.numFmtId), custom));
    },
    close: (name) => {
      if (name === 'cellXfs') inCells = false;
    },
  });
  return dates;
}

const DAY_MS = 86_400_000;

/** A day number as a date, with the time where it has one. Excel counts a 29 February 1900 that never was. */
export function dateOf(days: number, from1904: boolean): string | null {
  const start = from1904 ? Date.UTC(1904, 0, 1) : Date.UTC(1899, 11, days < 60 ? 31 : 30);
  if (!(days >= 0 && days < 2_958_466)) return null;
  const iso = new Date(Math.round((start + days * DAY_MS) / 1000) * 1000).toISOString();
  const time = iso.slice(11, 19);
  if (days < 1) return time;
  return time === '00:00:00' ? iso.slice(0, 10) : `${iso.slice(0, 10)} ${time}`;
}

/** `AB12` is column 27. */
function columnOf(reference: string): number {
  let column = 0;
  for (const letter of reference.slice(0, 4)) {
    const value = letter.charCodeAt(0) - 64;
    if (value < 1 || value > 26) break;
    column = column * 26 + value;
  }
  return column - 1;
}

interface Cell {
  readonly type: string;
  readonly style: number;
  text: string;
}

function shownValue({ type, style, text }: Cell, book: Book): string {
  switch (type) {
    case 's':
      return book.strings[Number(text)] ?? '';
    case 'b':
      return text === '1' ? 'true' : 'false';
    case 'n': {
      const value = Number(text);
      if (text === '' || Number.isNaN(value)) return text;
      const date = book.dates[style] === true ? dateOf(value, book.from1904) : null;
      // Halves of cents are how the file has them, not what was typed.
      return date ?? (Number.isInteger(value) ? text : String(Number(value.toPrecision(15))));
    }
    default:
      return text;
  }
}

function readSheet(
  parts: OfficeParts,
  part: string,
  sheet: string,
  book: Book,
  writer: DocumentWriter,
  rows: RowBudget,
): void {
  const table = new TableBlocks(writer);
  let number = 0;
  let cells: string[] = [];
  let cell: Cell | null = null;
  let column = -1;
  let inValue = false;
  parts.read(part, {
    open: (name, attributes) => {
      if (name === 'row') {
        number = Number(attributes.r) || number + 1;
        cells = [];
        column = -1;
      } else if (name === 'c') {
        const said = attributes.r === undefined ? -1 : columnOf(attributes.r);
        column = said >= 0 ? said : column + 1;
        cell = { type: attributes.t ?? 'n', style: Number(attributes.s ?? -1), text: '' };
      } else if (name === 'v' || name === 't') inValue = cell !== null;
    },
    text: (text) => {
      if (inValue && cell !== null) cell.text += text;
    },
    close: (name) => {
      if (name === 'v' || name === 't') inValue = false;
      else if (name === 'c' && cell !== null) {
        if (column < COLUMNS) {
          while (cells.length < column) cells.push('');
          cells[column] = shownValue(cell, book);
        }
        cell = null;
      } else if (name === 'row') {
        if (cells.length > 0 && rows.left === 0) {
          writer.cutRows();
          throw END_WALK;
        }
        if (cells.length > 0) rows.left -= 1;
        table.row(cells, { sheet, line: number });
        if (writer.full) throw END_WALK;
      }
    },
  });
  table.end();
}

interface RowBudget {
  left: number;
}

export function parseXlsx({ name, bytes, limits }: ParserInput): ParsedDocument {
  const writer = new DocumentWriter(limits);
  const files = unzip(
    name,
    bytes,
    limits,
    (part) => /\.(?:xml|rels)$/.test(part) && /^(?:xl|docProps)\//.test(part),
  );
  const parts = new OfficeParts(name, files, limits);
  const book = readBook(parts);
  parts.writeCore(writer);
  writeSheets(writer, parts, book, limits);
  return writer.finish();
}

function writeSheets(writer: DocumentWriter, parts: OfficeParts, book: Book, limits: ParseLimits): void {
  const rows: RowBudget = { left: limits.rows };
  for (const [index, { name, part }] of book.sheets.entries()) {
    if (writer.full) return;
    if (index >= limits.pages) {
      writer.cutPages('sheets');
      return;
    }
    writer.topLevel();
    if (part === undefined || !parts.has(part)) {
      writer.note('part_failed', `The sheet ${JSON.stringify(name)} is missing in the file.`);
      continue;
    }
    // Sheets of charts have no cells.
    if (!part.includes('worksheets/')) continue;
    writer.heading(1, name);
    readSheet(parts, part, name, book, writer, rows);
  }
}
