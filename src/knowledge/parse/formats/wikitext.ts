/**
 * A page of MediaWiki's markup. Infoboxes become properties and lines of text, categories links.
 *
 * @module knowledge/parse/formats/wikitext
 */
import wtf from 'wtf_wikipedia';
import type { ParsedDocument } from '../../types.ts';
import { textOf } from '../decode.ts';
import { DocumentWriter } from '../document-writer.ts';
import { tooLarge } from '../failures.ts';
import type { ParserInput } from '../parser.ts';
import { TableBlocks } from '../table-blocks.ts';

/** The parts of the library's documents that are used; its own types say `object` for most. */
interface WikiLink {
  json(): {
    readonly type?: string;
    readonly page?: string;
    readonly text?: string;
    readonly site?: string;
    readonly anchor?: string;
  };
}
interface WikiText {
  text(): string;
}
interface WikiSection {
  title(): string;
  depth(): number;
  paragraphs(): { sentences(): WikiText[]; lists(): { lines(): WikiText[] }[] }[];
  tables(): { json(): Readonly<Record<string, { readonly text?: string }>>[] }[];
  infoboxes(): { keyValue(): Readonly<Record<string, string>> }[];
}
interface WikiDocument {
  sections(): WikiSection[];
  links(): WikiLink[];
  categories(): string[];
  isRedirect(): boolean;
  redirectTo(): { readonly page?: string } | null;
}

/** Templates and links in each other: the library calls itself for each. */
const NESTING = 60;
/** The library's patterns take time that grows faster than a page. */
const PAGE_CHARACTERS = 4_000_000;

function nestingOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [mark] of text.matchAll(/\{\{|\}\}|\[\[|\]\]/g)) {
    depth = mark === '{{' || mark === '[[' ? depth + 1 : Math.max(0, depth - 1);
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

/** Before a template that ends a cell's attributes by itself, the library takes them for its text. */
const CELL_ATTRIBUTES =
  /^\s*(?:(?:bgcolor|colspan|rowspan|style|class|v?align|width|height|scope|id|abbr|data-[\w-]{1,40})\s?=\s?(?:"[^"]*"|'[^']*'|[^\s"'|]+)\s*)+\|?\s*/i;

export interface WikiPage {
  readonly name: string;
  readonly title: string | null;
  readonly text: string;
}

export function writeWikitext(writer: DocumentWriter, page: WikiPage): void {
  const { name, text, title } = page;
  if (text.length > PAGE_CHARACTERS)
    throw tooLarge(name, `has a wiki page of more than ${PAGE_CHARACTERS} characters`);
  if (nestingOf(text) > NESTING) throw tooLarge(name, `has templates or links nested deeper than ${NESTING}`);
  const document = wtf(text, title === null ? {} : { title }) as unknown as WikiDocument;
  if (title !== null) writer.title(title);
  if (document.isRedirect()) {
    const to = document.redirectTo()?.page;
    if (to !== undefined) writer.link('wiki', to);
    return;
  }
  for (const section of document.sections()) {
    if (writer.full) break;
    writeSection(writer, section);
  }
  for (const link of document.links()) writeLink(writer, link);
  for (const category of document.categories()) writer.link('category', category);
}

function writeSection(writer: DocumentWriter, section: WikiSection): void {
  if (section.title() !== '') writer.heading(section.depth() + 1, section.title());
  for (const box of section.infoboxes()) {
    const lines = Object.entries(box.keyValue()).filter(([, value]) => value !== '');
    for (const [key, value] of lines) writer.property(key, value);
    writer.block('table', lines.map(([key, value]) => `${key.replaceAll('_', ' ')} | ${value}`).join('\n'));
  }
  for (const paragraph of section.paragraphs()) {
    writer.block(
      'text',
      paragraph
        .sentences()
        .map((sentence) => sentence.text())
        .join(' '),
    );
    for (const list of paragraph.lists())
      writer.block(
        'list',
        list
          .lines()
          .map((line) => `- ${line.text()}`)
          .join('\n'),
      );
  }
  for (const table of section.tables()) {
    const rows = table.json();
    const columns = Object.keys(rows[0] ?? {});
    const blocks = new TableBlocks(writer);
    blocks.row(
      columns.map((column) => (/^col\d+$/.test(column) ? '' : column)),
      {},
    );
    for (const row of rows)
      blocks.row(
        columns.map((column) => (row[column]?.text ?? '').replace(CELL_ATTRIBUTES, '')),
        {},
      );
    blocks.end();
  }
}

function writeLink(writer: DocumentWriter, link: WikiLink): void {
  const { type, page, text, site, anchor } = link.json();
  if (type === 'external') {
    if (site !== undefined) writer.link('link', site, text ?? null);
  } else if (page !== undefined && page !== '' && !/^(?:file|image):/i.test(page))
    writer.link('wiki', anchor === undefined || anchor === '' ? page : `${page}#${anchor}`, text ?? null);
}

export function parseWikitext({ name, bytes, limits }: ParserInput): ParsedDocument {
  const writer = new DocumentWriter(limits);
  const text = textOf(bytes, writer).replace(/\r\n?/g, '\n');
  writeWikitext(writer, { name, title: null, text });
  return writer.finish();
}
