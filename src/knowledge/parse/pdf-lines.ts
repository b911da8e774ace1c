/**
 * Pieces of text on a page of a PDF as lines, paragraphs and headings. A PDF says where glyphs stand, and nothing of what they
 * are: lines are what shares a base line, paragraphs end at gaps, headings are set larger than the rest.
 *
 * @module knowledge/parse/pdf-lines
 */

/** A run of glyphs, in points from the lower left corner of the page. */
export interface PdfPiece {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  /** Size of the font. */
  readonly size: number;
  /** The line ends after it. */
  readonly ends: boolean;
}

export interface PdfLine {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly right: number;
  readonly size: number;
}

/** Lines in the order of the file, which is the order of reading in what programs write, columns included. */
export function linesOf(pieces: readonly PdfPiece[]): PdfLine[] {
  const lines: PdfLine[] = [];
  let parts: string[] = [];
  let first: PdfPiece | null = null;
  let last: PdfPiece | null = null;
  let size = 0;
  const flush = () => {
    const text = parts
      .join('')
      .replace(/\s+/g, ' ')
      // What leads the eye from a title to its page.
      .replace(/(?:[.·…] ?){5,}/g, ' … ')
      .trim();
    if (first !== null && last !== null && text !== '')
      lines.push({ text, x: first.x, y: first.y, right: last.x + last.width, size });
    parts = [];
    first = null;
    last = null;
    size = 0;
  };
  for (const piece of pieces) {
    if (piece.text.trim() !== '') {
      const before: PdfPiece | null = last;
      if (before !== null) {
        const height = Math.max(before.size, piece.size, 1);
        if (Math.abs(piece.y - before.y) > 0.6 * height) flush();
        else if (piece.x - (before.x + before.width) > 0.2 * height) parts.push(' ');
      }
      first ??= piece;
      last = piece;
      size = Math.max(size, piece.size);
      parts.push(piece.text);
    } else if (piece.text !== '' && last !== null) parts.push(' ');
    if (piece.ends) flush();
  }
  flush();
  return lines;
}

/** The size of most of the text. */
export function bodySize(lines: Iterable<PdfLine>): number {
  const characters = new Map<number, number>();
  for (const { size, text } of lines) {
    const rounded = Math.round(2 * size) / 2;
    characters.set(rounded, (characters.get(rounded) ?? 0) + text.length);
  }
  let best = 0;
  let most = -1;
  for (const [size, count] of characters) {
    if (count <= most) continue;
    best = size;
    most = count;
  }
  return best;
}

export type PdfPart =
  | { readonly kind: 'heading'; readonly size: number; readonly text: string }
  | { readonly kind: 'text'; readonly text: string };

const HEADING_CHARACTERS = 150;
const HEADING_LINES = 3;

/** Two lines as one text: a word that was parted at the line's end is whole again. */
export function joinLines(before: string, next: string): string {
  const parted = /[\p{L}]{2}[-\u2010\u00ad]$/u.test(before) && /^\p{Ll}/u.test(next);
  if (parted) return before.slice(0, -1) + next;
  return `${before} ${next}`;
}

function isHeading({ text, size }: PdfLine, body: number): boolean {
  return size >= 1.15 * body && text.length <= HEADING_CHARACTERS && /\p{L}/u.test(text);
}

/** Paragraphs and headings of a page. */
export function partsOf(lines: readonly PdfLine[], body: number): PdfPart[] {
  const parts: PdfPart[] = [];
  let text = '';
  let count = 0;
  let before: PdfLine | null = null;
  let heading = false;
  const flush = () => {
    if (before !== null && text !== '') {
      const asHeading = heading && count <= HEADING_LINES && text.length <= HEADING_CHARACTERS;
      parts.push(asHeading ? { kind: 'heading', size: before.size, text } : { kind: 'text', text });
    }
    text = '';
    count = 0;
  };
  for (const line of lines) {
    const isNew = before === null || beginsPart(before, line, heading, body);
    if (isNew) flush();
    heading = isHeading(line, body);
    text = text === '' ? line.text : joinLines(text, line.text);
    count += 1;
    before = line;
  }
  flush();
  return parts;
}

function beginsPart(before: PdfLine, line: PdfLine, heading: boolean, body: number): boolean {
  if (isHeading(line, body) !== heading || Math.abs(line.size - before.size) > 0.2 * before.size) return true;
  const gap = before.y - line.y;
  const height = Math.max(before.size, line.size);
  // Upwards: the next column. The text flows on unless a sentence ended.
  if (gap < -height) return /[.!?:]["')\]]?$/.test(before.text);
  if (gap > 1.75 * height) return true;
  // The first line of a paragraph is set in, or the last one before is short.
  const ended = /[.!?:]["')\]]?$/.test(before.text);
  return ended && (line.x - before.x > 0.8 * height || line.right - before.right > 6 * height);
}
