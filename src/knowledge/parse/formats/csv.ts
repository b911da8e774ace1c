/**
 * Tables as text with separators; the first row is taken for the head.
 *
 * @module knowledge/parse/formats/csv
 */
import Papa from 'papaparse';
import type { ParsedDocument } from '../../types.ts';
import { textOf } from '../decode.ts';
import { DocumentWriter } from '../document-writer.ts';
import type { ParserInput } from '../parser.ts';
import { TableBlocks } from '../table-blocks.ts';

const SEPARATORS = [',', ';', '\t', '|'];

const lineEnds = (cell: string): number => cell.split('\n').length - 1;

export function parseCsv({ bytes, limits }: ParserInput): ParsedDocument {
  const writer = new DocumentWriter(limits);
  const text = textOf(bytes, writer).replace(/\r\n?/g, '\n');
  // The head, the rows, and one more to see that there are more.
  const { data } = Papa.parse(text, { delimitersToGuess: SEPARATORS, preview: limits.rows + 2 });
  const table = new TableBlocks(writer);
  let line = 1;
  for (const [index, row] of data.entries()) {
    if (writer.full) break;
    if (index > limits.rows) {
      writer.cutRows();
      break;
    }
    table.row(row, { line });
    line += 1;
    for (const cell of row) line += lineEnds(cell);
  }
  table.end();
  return writer.finish();
}
