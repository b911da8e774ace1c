/**
 * Word documents of 1997 to 2003: their text in paragraphs. Headings and tables cannot be told from it.
 *
 * @module knowledge/parse/formats/doc
 */
import WordExtractor from 'word-extractor';
import type { ParsedDocument } from '../../types.ts';
import { DocumentWriter, tableLine } from '../document-writer.ts';
import { encrypted } from '../failures.ts';
import { isEncryptedWord } from '../ole.ts';
import type { ParserInput } from '../parser.ts';

export async function parseDoc({ name, bytes, limits }: ParserInput): Promise<ParsedDocument> {
  if (isEncryptedWord(bytes)) throw encrypted(name);
  const document = await new WordExtractor().extract(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  );
  const writer = new DocumentWriter(limits);
  writeParagraphs(writer, document.getBody());
  for (const [title, text] of [
    ['Footnotes', document.getFootnotes()],
    ['Endnotes', document.getEndnotes()],
    ['Comments', document.getAnnotations()],
    ['Text boxes', document.getTextboxes()],
  ] as const) {
    if (text.trim() === '') continue;
    writer.topLevel();
    writer.heading(1, title);
    writeParagraphs(writer, text);
  }
  return writer.finish();
}

/** Each line is a paragraph; cells of a table are parted by tabs. */
function writeParagraphs(writer: DocumentWriter, text: string): void {
  let rows: string[] = [];
  const flush = () => {
    if (rows.length > 0) writer.block('table', rows.join('\n'));
    rows = [];
  };
  for (const line of text.split('\n')) {
    if (writer.full) break;
    const cells = line.split('\t');
    if (cells.filter((cell) => cell.trim() !== '').length > 1) {
      rows.push(tableLine(cells));
      continue;
    }
    flush();
    writer.block('text', line);
  }
  flush();
}
