/**
 * Drawings of Office that say something: the numbers that a chart shows, and the texts of a diagram.
 *
 * @module knowledge/parse/formats/drawings
 */
import type { Place } from '../../types.ts';
import type { DocumentWriter } from '../document-writer.ts';
import type { OfficeParts } from '../opc.ts';
import { TableBlocks } from '../table-blocks.ts';

interface Series {
  name: string;
  readonly values: Map<number, string>;
}

/** Series of a chart, and points of all of them. */
const MOST_SERIES = 200;
const MOST_POINTS = 50_000;
/** Of a series: what its points are called, and what they are worth. */
const LABELS = new Set(['cat', 'xVal']);
const VALUES = new Set(['val', 'yVal']);

/** What is kept in the part beside the workbook that it was made of, since that may lie elsewhere. */
export function writeChart(writer: DocumentWriter, parts: OfficeParts, part: string, place: Place): void {
  const titles: string[] = [];
  const series: Series[] = [];
  const labels = new Map<number, string>();
  let now: Series | null = null;
  let field: 'name' | 'label' | 'value' | null = null;
  let point = 0;
  let points = 0;
  let text: string | null = null;
  parts.read(part, {
    open: (name, { idx }) => {
      if (name === 'ser' && series.length < MOST_SERIES) {
        now = { name: '', values: new Map() };
        series.push(now);
      } else if (name === 'title') titles.push('');
      else if (name === 'tx' && now !== null) field = 'name';
      else if (LABELS.has(name)) field = 'label';
      else if (VALUES.has(name)) field = 'value';
      else if (name === 'pt') point = Number(idx ?? 0);
      else if (name === 'v' || name === 't') text = '';
    },
    text: (piece) => {
      if (text !== null) text += piece;
    },
    close: (name) => {
      if (name === 'ser') now = null;
      else if (name === 'tx' || LABELS.has(name) || VALUES.has(name)) field = null;
      else if (name === 't') {
        if (now === null && titles.length > 0) titles.push(`${titles.pop()}${text ?? ''}`);
        text = null;
      } else if (name === 'v') {
        const said = text ?? '';
        text = null;
        if (now === null || field === null || !Number.isSafeInteger(point) || ++points > MOST_POINTS) return;
        if (field === 'name') now.name = [now.name, said].filter((part) => part !== '').join(' ');
        else if (field === 'value') now.values.set(point, said);
        // Of every series the same; of categories in groups the inner one comes first.
        else if (now === series[0])
          labels.set(point, labels.has(point) ? `${said} ${labels.get(point)}` : said);
      }
    },
  });
  for (const title of titles) writer.block('text', title, place);
  if (series.length === 0) return;
  const table = new TableBlocks(writer);
  table.row(['', ...series.map(({ name }) => name)], place);
  const places = new Set([...labels.keys(), ...series.flatMap(({ values }) => [...values.keys()])]);
  for (const at of [...places].sort((a, b) => a - b))
    table.row([labels.get(at) ?? '', ...series.map(({ values }) => values.get(at) ?? '')], place);
  table.end();
}

/** Texts of SmartArt, in the order in which they were written. */
export function writeDiagram(writer: DocumentWriter, parts: OfficeParts, part: string, place: Place): void {
  const lines: string[] = [];
  let line: string | null = null;
  let inText = false;
  parts.read(part, {
    open: (name) => {
      if (name === 'p') line = '';
      else if (name === 't') inText = line !== null;
    },
    text: (piece) => {
      if (inText && line !== null) line += piece;
    },
    close: (name) => {
      // Elements of two vocabularies have this name: the inner one ends first.
      if (name === 't') inText = false;
      else if (name === 'p') {
        if (line !== null && line.trim() !== '') lines.push(`- ${line.trim()}`);
        line = null;
      }
    },
  });
  writer.block('list', lines.join('\n'), place);
}
