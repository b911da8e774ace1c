/**
 * PDF: the text layer page by page. Pages without one are said to need OCR.
 *
 * @module knowledge/parse/formats/pdf
 */
import { getDocumentProxy } from 'unpdf';
import type { ParsedDocument } from '../../types.ts';
import { DocumentWriter } from '../document-writer.ts';
import { broken, encrypted, wordsOf } from '../failures.ts';
import type { ParserInput } from '../parser.ts';
import { bodySize, linesOf, type PdfLine, type PdfPiece, partsOf } from '../pdf-lines.ts';
import type { ParseLimits } from '../types.ts';

/** A page with fewer characters is a picture, or empty. */
const PAGE_CHARACTERS = 50;
/** Sizes of headings that are told apart. */
const LEVELS = 4;
/** Pieces of text on a page that are looked at. */
const PIECES = 200_000;

const OPTIONS = {
  verbosity: 0,
  isEvalSupported: false,
  disableFontFace: true,
  useSystemFonts: false,
  useWorkerFetch: false,
  enableXfa: false,
  stopAtErrors: false,
  maxImageSize: 1_000_000,
};

type Pdf = Awaited<ReturnType<typeof getDocumentProxy>>;

async function open(name: string, bytes: Uint8Array): Promise<Pdf> {
  try {
    // It takes the bytes away from who gives them.
    return await getDocumentProxy(Uint8Array.from(bytes), OPTIONS);
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'PasswordException') throw encrypted(name);
    throw broken(name, `its structure is damaged (${wordsOf(thrown)})`, thrown);
  }
}

interface Item {
  readonly str?: string;
  readonly transform?: readonly number[];
  readonly width?: number;
  readonly height?: number;
  readonly hasEOL?: boolean;
}

function pieceOf({ str = '', transform = [], width = 0, height = 0, hasEOL = false }: Item): PdfPiece {
  const [, b = 0, , d = 0, x = 0, y = 0] = transform;
  return { text: str, x, y, width, size: Math.hypot(b, d) || height, ends: hasEOL };
}

interface Page {
  readonly number: number;
  readonly lines: readonly PdfLine[];
}

async function readPage(pdf: Pdf, number: number, writer: DocumentWriter): Promise<Page> {
  const page = await pdf.getPage(number);
  try {
    const { items } = await page.getTextContent({ includeMarkedContent: false });
    const annotations = (await page.getAnnotations().catch(() => [])) as readonly {
      readonly url?: unknown;
    }[];
    for (const { url } of annotations) if (typeof url === 'string') writer.link('link', url);
    return { number, lines: linesOf((items as readonly Item[]).slice(0, PIECES).map(pieceOf)) };
  } finally {
    page.cleanup();
  }
}

/** Lines that stand on most pages, numbers aside: running heads and feet. */
function runningLines(pages: readonly Page[]): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const withText = pages.filter(({ lines }) => lines.length > 3);
  for (const { lines } of withText)
    for (const key of new Set([...lines.slice(0, 2), ...lines.slice(-2)].map(runningKey)))
      seen.set(key, (seen.get(key) ?? 0) + 1);
  const often = Math.max(4, 0.6 * withText.length);
  return new Set([...seen].filter(([key, count]) => count >= often && key.length < 200).map(([key]) => key));
}

const runningKey = ({ text }: PdfLine): string => text.replace(/\d+/g, '#');

async function writeProperties(pdf: Pdf, writer: DocumentWriter): Promise<void> {
  const { info } = (await pdf.getMetadata().catch(() => ({ info: {} }))) as {
    readonly info: Readonly<Record<string, unknown>>;
  };
  const text = (key: string): string => (typeof info[key] === 'string' ? info[key] : '');
  // What programs put there by themselves is no title.
  if (!/^(?:untitled|microsoft word\b|.*\.(?:docx?|tex|dvi|indd|pdf)$)/i.test(text('Title').trim()))
    writer.title(text('Title'));
  writer.property('author', text('Author'));
  writer.property('subject', text('Subject'));
  for (const tag of text('Keywords').split(/[,;]\s*/)) writer.tag(tag);
  const created = /^D:(\d{4})(\d{2})(\d{2})/.exec(text('CreationDate'));
  if (created !== null) writer.property('created', created.slice(1, 4).join('-'));
}

/** Numbers as people write them: 1, 3–5. */
export function ranges(numbers: readonly number[]): string {
  const out: [number, number][] = [];
  for (const number of numbers) {
    const last = out.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else out.push([number, number]);
  }
  const said = out.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`));
  return said.length > 20 ? `${said.slice(0, 20).join(', ')} and more` : said.join(', ');
}

export async function parsePdf({ name, bytes, limits }: ParserInput): Promise<ParsedDocument> {
  const pdf = await open(name, bytes);
  try {
    const writer = new DocumentWriter(limits);
    await writeProperties(pdf, writer);
    await writePages(pdf, writer, limits);
    return writer.finish(pdf.numPages);
  } finally {
    await pdf.loadingTask.destroy();
  }
}

async function writePages(pdf: Pdf, writer: DocumentWriter, limits: ParseLimits): Promise<void> {
  const pages: Page[] = [];
  const bare: number[] = [];
  let left = limits.characters;
  for (let number = 1; number <= pdf.numPages && left > 0; number += 1) {
    if (number > limits.pages) {
      writer.cutPages('pages');
      break;
    }
    try {
      const page = await readPage(pdf, number, writer);
      const characters = page.lines.reduce((sum, { text }) => sum + text.length, 0);
      if (characters < PAGE_CHARACTERS) bare.push(number);
      left -= Math.max(64, characters);
      pages.push(page);
    } catch (thrown) {
      writer.note('part_failed', `Page ${number} could not be read (${wordsOf(thrown)}).`);
    }
  }
  const body = bodySize(pages.flatMap(({ lines }) => lines));
  const running = runningLines(pages);
  const kept = pages.map(({ number, lines }) => ({
    number,
    lines: lines.filter((line) => !running.has(runningKey(line))),
  }));
  const levels = headingLevels(kept, body);
  for (const { number, lines } of kept)
    for (const part of partsOf(lines, body)) {
      if (part.kind === 'heading') {
        // Where the properties have no title, the largest line of the first page is it.
        if (number === 1 && levels(part.size) === 1) writer.title(part.text);
        writer.heading(levels(part.size), part.text);
      } else writer.block('text', part.text, { page: number });
    }
  if (bare.length > 0)
    writer.note(
      'needs_ocr',
      `${bare.length === 1 ? 'Page' : 'Pages'} ${ranges(bare)} of ${pdf.numPages} ${bare.length === 1 ? 'has' : 'have'} next to no text: scanned pages need OCR first.`,
    );
}

/** Larger fonts are higher levels; what is smaller than the few largest has the lowest of theirs. */
function headingLevels(pages: readonly Page[], body: number): (size: number) => number {
  const sizes = new Set<number>();
  for (const { lines } of pages)
    for (const part of partsOf(lines, body)) if (part.kind === 'heading') sizes.add(Math.round(part.size));
  const order = [...sizes].sort((a, b) => b - a).slice(0, LEVELS);
  return (size) => {
    const at = order.indexOf(Math.round(size));
    return at === -1 ? LEVELS : at + 1;
  };
}
