/**
 * E-books: the chapters in the order in which they are read.
 *
 * @module knowledge/parse/formats/epub
 */
import type { ParsedDocument } from '../../types.ts';
import { decodeText } from '../decode.ts';
import { DocumentWriter } from '../document-writer.ts';
import { broken, encrypted, wordsOf } from '../failures.ts';
import { writeHtmlBlocks } from '../html-blocks.ts';
import { findElement, parseDom } from '../html-dom.ts';
import { resolvePart } from '../opc.ts';
import type { ParserInput } from '../parser.ts';
import type { ParseLimits } from '../types.ts';
import { readXml } from '../xml.ts';
import { unzip, type ZipFiles } from '../zip.ts';

const CONTAINER = 'META-INF/container.xml';
const RIGHTS = 'META-INF/encryption.xml';
const TEXT = /\.(?:x?html?|xml|opf)$/i;

interface Book {
  /** Files of the chapters, in order. */
  readonly chapters: readonly string[];
}

function packageOf(name: string, files: ZipFiles, limits: ParseLimits): string {
  const container = files.get(CONTAINER);
  if (container === undefined) throw broken(name, 'it says nowhere where its book is');
  let path: string | null = null;
  readXml(name, container, limits, {
    open: (tag, attributes) => {
      if (tag === 'rootfile') path ??= attributes['full-path'] ?? null;
    },
  });
  if (path === null || !files.has(path)) throw broken(name, 'its list of chapters is missing');
  return path;
}

/** Fonts may be scrambled in books that everybody may read; chapters are only where the book is sold encrypted. */
function refuseEncrypted(name: string, files: ZipFiles, limits: ParseLimits): void {
  const rights = files.get(RIGHTS);
  if (rights === undefined) return;
  readXml(name, rights, limits, {
    open: (tag, attributes) => {
      if (tag === 'CipherReference' && /\.x?html?$/i.test(attributes.URI ?? '')) throw encrypted(name);
    },
  });
}

function decodePath(path: string): string {
  const plain = path.replace(/#.*$/s, '');
  try {
    return decodeURIComponent(plain);
  } catch {
    // A percent sign that stands for itself.
    return plain;
  }
}

function readPackage(
  name: string,
  path: string,
  files: ZipFiles,
  writer: DocumentWriter,
  limits: ParseLimits,
): Book {
  const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
  const items = new Map<string, string>();
  const chapters: string[] = [];
  let field = '';
  let text = '';
  readXml(name, files.get(path)!, limits, {
    open: (tag, attributes) => {
      field = tag;
      text = '';
      if (tag === 'item' && attributes.id !== undefined && attributes.href !== undefined)
        items.set(attributes.id, resolvePart(folder, decodePath(attributes.href)));
      else if (tag === 'itemref') {
        const chapter = items.get(attributes.idref ?? '');
        if (chapter !== undefined) chapters.push(chapter);
      }
    },
    text: (piece) => {
      if (text.length < 10_000) text += piece;
    },
    close: (tag) => {
      if (tag !== field) return;
      field = '';
      if (tag === 'title') writer.title(text);
      else if (tag === 'creator') writer.property('author', text);
      else if (tag === 'subject') writer.tag(text);
      else if (tag === 'language' || tag === 'publisher' || tag === 'date') writer.property(tag, text);
    },
  });
  return { chapters };
}

export function parseEpub({ name, bytes, limits }: ParserInput): ParsedDocument {
  const writer = new DocumentWriter(limits);
  const files = unzip(name, bytes, limits, (part) => TEXT.test(part));
  refuseEncrypted(name, files, limits);
  const { chapters } = readPackage(name, packageOf(name, files, limits), files, writer, limits);
  for (const [index, part] of chapters.entries()) {
    if (writer.full) break;
    if (index >= limits.pages) {
      writer.cutPages('chapters');
      break;
    }
    const chapter = files.get(part);
    if (chapter === undefined) {
      writer.note('part_failed', `The chapter ${part} is missing in the file.`);
      continue;
    }
    try {
      const { root } = parseDom(decodeText(chapter).text.replace(/^\s*<\?xml[^>]{0,200}\?>/, ''));
      writer.topLevel();
      writeHtmlBlocks(findElement(root, 'body') ?? root, writer, { place: { part } });
    } catch (thrown) {
      writer.note('part_failed', `The chapter ${part} could not be read (${wordsOf(thrown)}).`);
    }
  }
  return writer.finish();
}
