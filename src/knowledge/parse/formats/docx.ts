/**
 * Word documents by way of HTML. The zip is unpacked here within bounds, and packed again without its pictures for the
 * converter, which knows no bounds.
 *
 * @module knowledge/parse/formats/docx
 */
import { zipSync } from 'fflate';
import mammoth from 'mammoth';
import type { ParsedDocument } from '../../types.ts';
import { DocumentWriter } from '../document-writer.ts';
import { broken } from '../failures.ts';
import { writeHtmlBlocks } from '../html-blocks.ts';
import { parseDom } from '../html-dom.ts';
import { OfficeParts } from '../opc.ts';
import type { ParserInput } from '../parser.ts';
import { readXml } from '../xml.ts';
import { unzip } from '../zip.ts';

const isPart = (name: string): boolean =>
  /\.(?:xml|rels)$/i.test(name) &&
  !/^(?:word\/(?:theme|glossary|diagrams|charts|embeddings)|customXml)\//i.test(name);

const NO_IMAGES = mammoth.images.imgElement(async () => ({ src: '' }));
/** Word's own names for what HTML has elements for. */
const STYLES = [
  "p[style-name='Title'] => h1:fresh",
  "p[style-name='Subtitle'] => h2:fresh",
  "p[style-name='Quote'] => blockquote > p:fresh",
];

export async function parseDocx({ name, bytes, limits }: ParserInput): Promise<ParsedDocument> {
  const writer = new DocumentWriter(limits);
  const files = unzip(name, bytes, limits, isPart);
  const body = [...files.keys()].find((part) => /^word\/document\d*\.xml$/.test(part));
  if (body === undefined) throw broken(name, 'the part with its text is missing');
  // The converter calls itself for each level: refuse what is too deep before it does.
  for (const [part, content] of files)
    if (/^word\/[^/]+\.xml$/.test(part)) readXml(name, content, { ...limits, depth: 4 * limits.depth }, {});
  new OfficeParts(name, files, limits).writeCore(writer);
  const packed = zipSync(Object.fromEntries(files), { level: 0 });
  const { value } = await mammoth.convertToHtml(
    { buffer: Buffer.from(packed) },
    { convertImage: NO_IMAGES, styleMap: STYLES },
  );
  writeHtmlBlocks(parseDom(`<html><body>${value}</body></html>`).root, writer);
  return writer.finish();
}
