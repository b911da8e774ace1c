/**
 * What a parser is: bytes in, a document out.
 *
 * @module knowledge/parse/parser
 */
import type { ParsedDocument } from '../types.ts';
import type { DocumentType, ParseLimits } from './types.ts';

export interface ParserInput {
  /** File name, for messages. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly limits: ParseLimits;
  /** Parses a file that is inside this one; null where it is too deep in others for that. */
  readonly inner: ((name: string, bytes: Uint8Array) => Promise<ParsedDocument>) | null;
}

/** @throws whatever its library throws; `parseBytes` makes typed errors of that. */
export type Parser = (input: ParserInput) => ParsedDocument | Promise<ParsedDocument>;

/** Types whose files are documents; a dump of a wiki is many. */
export type SingleType = Exclude<DocumentType, 'mediawiki'>;

/** Loads the parser of a type and its libraries, which nobody needs before. */
export async function parserFor(type: SingleType): Promise<Parser> {
  switch (type) {
    case 'text':
      return (await import('./formats/text.ts')).parseText;
    case 'markdown':
      return (await import('./formats/markdown.ts')).parseMarkdown;
    case 'rst':
      return (await import('./formats/rst.ts')).parseRst;
    case 'csv':
      return (await import('./formats/csv.ts')).parseCsv;
    case 'json':
      return (await import('./formats/json.ts')).parseJson;
    case 'yaml':
      return (await import('./formats/yaml.ts')).parseYaml;
    case 'toml':
      return (await import('./formats/toml.ts')).parseToml;
    case 'html':
      return (await import('./formats/html.ts')).parseHtml;
    case 'pdf':
      return (await import('./formats/pdf.ts')).parsePdf;
    case 'docx':
      return (await import('./formats/docx.ts')).parseDocx;
    case 'doc':
      return (await import('./formats/doc.ts')).parseDoc;
    case 'pptx':
      return (await import('./formats/pptx.ts')).parsePptx;
    case 'xlsx':
      return (await import('./formats/xlsx.ts')).parseXlsx;
    case 'epub':
      return (await import('./formats/epub.ts')).parseEpub;
    case 'eml':
      return (await import('./formats/eml.ts')).parseEml;
    case 'wikitext':
      return (await import('./formats/wikitext.ts')).parseWikitext;
  }
}
