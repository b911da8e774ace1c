/**
 * Slides of PowerPoint: titles, texts, tables, charts and speaker's notes in the order of the presentation.
 *
 * @module knowledge/parse/formats/pptx
 */
import type { Block, ParsedDocument, Place } from '../../types.ts';
import { DocumentWriter, tableLine } from '../document-writer.ts';
import { wordsOf } from '../failures.ts';
import { OfficeParts, type Relation } from '../opc.ts';
import type { ParserInput } from '../parser.ts';
import { unzip } from '../zip.ts';
import { writeChart, writeDiagram } from './drawings.ts';

const MAIN = 'ppt/presentation.xml';

interface Shape {
  kind: 'title' | 'text' | 'skipped' | 'table';
  readonly paragraphs: string[];
  bulleted: boolean;
}

/** Places for the number, the date and the footer are the same on every slide. */
const SKIPPED = new Set(['sldNum', 'dt', 'ftr', 'hdr', 'sldImg']);

function readShapes(parts: OfficeParts, part: string, onLink: (relation: Relation) => void): Shape[] {
  const relations = parts.relations(part);
  const shapes: Shape[] = [];
  let shape: Shape | null = null;
  let paragraph: string | null = null;
  let inText = false;
  let cells: string[] | null = null;
  let cell: string | null = null;
  const begin = (kind: Shape['kind']) => {
    shape = { kind, paragraphs: [], bulleted: false };
    shapes.push(shape);
  };
  const put = (text: string) => {
    if (cell !== null) cell += text;
    else if (paragraph !== null) paragraph += text;
  };
  parts.read(part, {
    open: (name, attributes) => {
      if (name === 'sp') begin('text');
      else if (name === 'tbl') begin('table');
      else if (name === 'ph' && shape !== null) {
        const type = attributes.type ?? 'body';
        if (type === 'title' || type === 'ctrTitle') shape.kind = 'title';
        else if (SKIPPED.has(type)) shape.kind = 'skipped';
      } else if (name === 'p') paragraph = '';
      else if (name === 't') inText = true;
      else if (name === 'br') put('\n');
      else if (name === 'tr') cells = [];
      else if (name === 'tc') cell = '';
      else if (name === 'hlinkClick') {
        const relation = relations.get(attributes['r:id'] ?? '');
        if (relation?.external === true) onLink(relation);
      }
    },
    text: (text) => {
      if (inText) put(text);
    },
    close: (name) => {
      if (name === 't') inText = false;
      else if (name === 'p') {
        if (cell !== null) cell += ' ';
        else if (paragraph !== null && paragraph.trim() !== '') shape?.paragraphs.push(paragraph.trim());
        paragraph = null;
      } else if (name === 'tc') {
        cells?.push(cell ?? '');
        cell = null;
      } else if (name === 'tr') {
        if (cells?.some((each) => each.trim() !== '')) shape?.paragraphs.push(tableLine(cells));
        cells = null;
      } else if (name === 'sp' || name === 'tbl') shape = null;
    },
  });
  return shapes;
}

function writeShape(writer: DocumentWriter, shape: Shape, place: Place): void {
  if (shape.paragraphs.length === 0 || shape.kind === 'skipped') return;
  let kind: Block['kind'] = 'text';
  if (shape.kind === 'table') kind = 'table';
  // The paragraphs of a slide's text are its points.
  else if (shape.paragraphs.length > 1) kind = 'list';
  const lines = kind === 'list' ? shape.paragraphs.map((line) => `- ${line}`) : shape.paragraphs;
  writer.block(kind, lines.join('\n'), place);
}

/** Slides in the order in which they are shown. */
function slideParts(parts: OfficeParts): string[] {
  const relations = parts.relations(MAIN);
  const slides: string[] = [];
  parts.read(MAIN, {
    open: (name, attributes) => {
      const target = relations.get(attributes['r:id'] ?? '')?.target;
      if (name === 'sldId' && target !== undefined) slides.push(target);
    },
  });
  return slides;
}

export function parsePptx({ name, bytes, limits }: ParserInput): ParsedDocument {
  const writer = new DocumentWriter(limits);
  const files = unzip(
    name,
    bytes,
    limits,
    (part) => /\.(?:xml|rels)$/.test(part) && /^(?:ppt|docProps)\//.test(part),
  );
  const parts = new OfficeParts(name, files, limits);
  const slides = slideParts(parts);
  parts.writeCore(writer);
  for (const [index, part] of slides.entries()) {
    if (writer.full) break;
    if (index >= limits.pages) {
      writer.cutPages('slides');
      break;
    }
    writeSlide(writer, parts, part, { page: index + 1 });
  }
  return writer.finish(slides.length);
}

const DRAWINGS = new Map([
  ['chart', writeChart],
  ['diagramData', writeDiagram],
]);

function writeDrawing(
  writer: DocumentWriter,
  parts: OfficeParts,
  type: string,
  target: string,
  place: Place,
): void {
  const write = DRAWINGS.get(type);
  if (write === undefined || !parts.has(target)) return;
  try {
    write(writer, parts, target, place);
  } catch (thrown) {
    // The slide's own text is of use without it.
    writer.note('part_failed', `A drawing of slide ${place.page} could not be read (${wordsOf(thrown)}).`);
  }
}

function writeSlide(writer: DocumentWriter, parts: OfficeParts, part: string, place: Place): void {
  if (!parts.has(part)) {
    writer.note('part_failed', `Slide ${place.page} is missing in the file.`);
    return;
  }
  const onLink = ({ target }: Relation) => writer.link('link', target);
  const shapes = readShapes(parts, part, onLink);
  const title = shapes.find(({ kind, paragraphs }) => kind === 'title' && paragraphs.length > 0);
  writer.topLevel();
  if (title !== undefined) {
    if (place.page === 1) writer.title(title.paragraphs.join(' '));
    writer.heading(1, title.paragraphs.join(' '));
  }
  for (const shape of shapes) if (shape !== title) writeShape(writer, shape, place);
  const related = [...parts.relations(part).values()];
  for (const { type, target } of related) writeDrawing(writer, parts, type, target, place);
  const notes = related.find(({ type }) => type === 'notesSlide')?.target;
  // A slide of a title alone would not be found: headings are no text by themselves.
  const isBare = shapes.every(
    (shape) => shape === title || shape.kind === 'skipped' || shape.paragraphs.length === 0,
  );
  if (title !== undefined && isBare && !related.some(({ type }) => DRAWINGS.has(type)))
    writer.block('text', title.paragraphs.join('\n'), place);
  if (notes === undefined || !parts.has(notes)) return;
  const said = readShapes(parts, notes, onLink).filter(({ kind }) => kind !== 'skipped');
  writer.block('text', said.flatMap(({ paragraphs }) => paragraphs).join('\n'), place);
}
