/**
 * XML dumps of MediaWiki as a stream: a document for each article, however large the dump.
 *
 * @module knowledge/parse/dump
 */
import { SaxesParser } from 'saxes';
import type { ParsedDocument } from '../types.ts';
import { encodingByMark } from './decode.ts';
import { DocumentWriter } from './document-writer.ts';
import { broken, wordsOf } from './failures.ts';
import { writeWikitext } from './formats/wikitext.ts';
import type { ParseLimits } from './types.ts';
import { localName } from './xml.ts';

export interface DumpPage {
  readonly title: string;
  readonly document: ParsedDocument;
}

interface RawPage {
  title: string;
  space: string;
  text: string;
  timestamp: string;
  redirect: string | null;
  cut: boolean;
}

/** Characters of one page; the rest is cut. */
const PAGE_CHARACTERS = 3_000_000;
const FIELD_CHARACTERS = 1_000;
/** Elements of a dump that are kept, and how much of each. */
const FIELDS = new Map<string, keyof Pick<RawPage, 'title' | 'space' | 'text' | 'timestamp'>>([
  ['title', 'title'],
  ['ns', 'space'],
  ['text', 'text'],
  ['timestamp', 'timestamp'],
]);

/** Pages as they stand in the dump; of several revisions the last. */
class PageReader {
  readonly pages: RawPage[] = [];
  readonly #parser: SaxesParser;
  #depth = 0;
  #page: RawPage | null = null;
  #field: keyof RawPage | null = null;

  constructor(name: string, limits: ParseLimits) {
    this.#parser = new SaxesParser({ fileName: name });
    this.#parser.on('opentag', (tag) => {
      this.#depth += 1;
      if (this.#depth > limits.depth) throw broken(name, 'its XML is nested deeper than a dump of a wiki is');
      this.#open(localName(tag.name), tag.attributes as Readonly<Record<string, string>>);
    });
    this.#parser.on('closetag', (tag) => {
      this.#depth -= 1;
      this.#field = null;
      if (localName(tag.name) !== 'page' || this.#page === null) return;
      this.pages.push(this.#page);
      this.#page = null;
    });
    this.#parser.on('text', (text) => this.#text(text));
    this.#parser.on('cdata', (text) => this.#text(text));
    this.#parser.on('error', (error) => {
      throw broken(name, `its XML is wrong (${wordsOf(error)})`);
    });
  }

  #open(name: string, attributes: Readonly<Record<string, string>>): void {
    if (name === 'page')
      this.#page = { title: '', space: '', text: '', timestamp: '', redirect: null, cut: false };
    const page = this.#page;
    if (page === null) return;
    if (name === 'redirect') page.redirect = attributes.title ?? null;
    this.#field = FIELDS.get(name) ?? null;
    // A new revision replaces the one before.
    if (name === 'text' || name === 'timestamp') page[name] = '';
  }

  #text(text: string): void {
    const page = this.#page;
    const field = this.#field;
    if (page === null || field === null || field === 'redirect' || field === 'cut') return;
    const limit = field === 'text' ? PAGE_CHARACTERS : FIELD_CHARACTERS;
    const room = limit - page[field].length;
    if (text.length > room) page.cut = true;
    page[field] += text.slice(0, Math.max(0, room));
  }

  write(text: string): void {
    this.#parser.write(text);
  }

  close(): void {
    this.#parser.close();
  }
}

function documentOf(name: string, page: RawPage, limits: ParseLimits): ParsedDocument {
  const writer = new DocumentWriter(limits);
  writer.title(page.title);
  if (page.timestamp !== '') writer.property('modified', page.timestamp);
  if (page.cut) writer.note('cut', `Only the first ${PAGE_CHARACTERS} characters of the page were read.`);
  if (page.redirect !== null) {
    writer.link('wiki', page.redirect);
    return writer.finish();
  }
  try {
    writeWikitext(writer, { name, title: page.title, text: page.text });
  } catch (thrown) {
    writer.note('part_failed', `A part of the page could not be read (${wordsOf(thrown)}).`);
  }
  return writer.finish();
}

/** @throws {InputError} `parse_broken` from the place on where the XML is wrong; pages before it have come by then. */
export async function* readDump(
  name: string,
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  limits: ParseLimits,
): AsyncGenerator<DumpPage> {
  const reader = new PageReader(name, limits);
  let decoder: InstanceType<typeof TextDecoder> | null = null;
  const ready = function* (): Generator<DumpPage> {
    for (let page = reader.pages.shift(); page !== undefined; page = reader.pages.shift()) {
      // Articles; the others are talk, templates and pictures.
      if (page.space !== '' && page.space !== '0') continue;
      yield { title: page.title, document: documentOf(name, page, limits) };
    }
  };
  let failure: unknown = null;
  try {
    for await (const piece of bytes) {
      decoder ??= new TextDecoder(encodingByMark(piece));
      reader.write(decoder.decode(piece, { stream: true }));
      yield* ready();
    }
    if (decoder !== null) reader.write(decoder.decode());
    reader.close();
  } catch (thrown) {
    failure = thrown;
  }
  yield* ready();
  if (failure !== null) throw failure;
}
