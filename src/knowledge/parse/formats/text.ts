/**
 * Plain text: paragraphs between empty lines. Lines that books begin their chapters with are headings.
 *
 * @module knowledge/parse/formats/text
 */
import type { ParsedDocument } from '../../types.ts';
import { textOf } from '../decode.ts';
import { DocumentWriter } from '../document-writer.ts';
import type { ParserInput } from '../parser.ts';

export interface Paragraph {
  readonly text: string;
  /** Line of the file, from 1. */
  readonly line: number;
}

/** Stretches of lines between empty ones. */
export function* paragraphs(text: string, firstLine = 1): Generator<Paragraph> {
  let line = firstLine;
  let from = -1;
  let fromLine = 0;
  for (let at = 0; at <= text.length; ) {
    const next = text.indexOf('\n', at);
    const end = next === -1 ? text.length : next;
    if (isBlank(text, at, end)) {
      if (from !== -1) yield { text: text.slice(from, at), line: fromLine };
      from = -1;
    } else if (from === -1) {
      from = at;
      fromLine = line;
    }
    line += 1;
    at = end + 1;
  }
  if (from !== -1) yield { text: text.slice(from), line: fromLine };
}

function isBlank(text: string, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) {
    const code = text.charCodeAt(at);
    if (code !== 32 && code !== 9 && code !== 13 && code !== 12) return false;
  }
  return true;
}

const CHAPTER =
  /^(?:chapter|part|book|volume|section|appendix|act|scene|canto|letter)\s+(?:[ivxlcdm]+|\d+|[a-z])\b/i;
const CHAPTER_CHARACTERS = 80;
const OUTER = /^(?:part|book|volume|act)\b/i;

/** Level of a paragraph that is a chapter's heading; null for others. */
function headingLevel({ text }: Paragraph): number | null {
  const trimmed = text.trim();
  if (trimmed.length > CHAPTER_CHARACTERS || trimmed.includes('\n') || !CHAPTER.test(trimmed)) return null;
  // A sentence that begins so is no heading.
  if (/[,;]$|[a-z]\.$/.test(trimmed)) return null;
  return OUTER.test(trimmed) ? 1 : 2;
}

/** Plain text into an open document; also for the text of mails. */
export function writePlain(writer: DocumentWriter, text: string): void {
  for (const paragraph of paragraphs(text.replaceAll('\f', '\n'))) {
    if (writer.full) {
      writer.block('text', paragraph.text, { line: paragraph.line });
      return;
    }
    const level = headingLevel(paragraph);
    if (level === null) writer.block('text', paragraph.text, { line: paragraph.line });
    else writer.heading(level, paragraph.text);
  }
}

export function parseText({ bytes, limits }: ParserInput): ParsedDocument {
  const writer = new DocumentWriter(limits);
  writePlain(writer, textOf(bytes, writer));
  return writer.finish();
}
