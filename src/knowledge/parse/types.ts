/**
 * What parsers are given and give, and the pool of processes in which they run.
 *
 * @module knowledge/parse/types
 */
import type { ParsedDocument } from '../types.ts';

/** What a file is, whatever its name says. */
export const DOCUMENT_TYPES = [
  'text',
  'markdown',
  'rst',
  'csv',
  'json',
  'yaml',
  'toml',
  'html',
  'pdf',
  'docx',
  'doc',
  'pptx',
  'xlsx',
  'epub',
  'eml',
  /** One page of MediaWiki's markup. */
  'wikitext',
  /** An XML dump of a wiki: a document for each page. */
  'mediawiki',
] as const;

export type DocumentType = (typeof DOCUMENT_TYPES)[number];

/** A file by its path, which the parser's process reads, or its bytes. */
export type ParseSource =
  | {
      readonly path: string;
      /** File name, for its extension. @default the last part of the path */
      readonly name?: string;
    }
  | { readonly bytes: Uint8Array; readonly name: string };

/** Bounds of one file. Where reading can end early, the document has a note `cut`; elsewhere it is an error. */
export interface ParseLimits {
  /** Bytes of a file; larger ones are refused with `parse_too_large`. Dumps of wikis are read as a stream and may be larger. */
  readonly bytes: number;
  /** Characters of text that come out; the rest is cut. */
  readonly characters: number;
  /** Nesting of JSON, YAML, XML and HTML elements, lists in lists. */
  readonly depth: number;
  /** Files in a zip. */
  readonly entries: number;
  /** Bytes that a zip may inflate to, all its files together. */
  readonly inflatedBytes: number;
  /** Inflated bytes for each packed byte, from the first inflated MB on. */
  readonly ratio: number;
  /** Pages of a PDF, slides, sheets, chapters; the rest is cut. */
  readonly pages: number;
  /** Rows of a table file or sheet; the rest is cut. */
  readonly rows: number;
  /** Links of a document; the rest is left out. */
  readonly links: number;
}

/** A document out of a file. */
export interface Parsed {
  readonly type: DocumentType;
  /** Title of the page in a dump of a wiki; null where the file is the document. */
  readonly page: string | null;
  readonly document: ParsedDocument;
}

export interface ParseOptions {
  /** What the file is, when that is known better than its bytes tell. */
  readonly type?: DocumentType;
  readonly signal?: AbortSignal;
}

export interface ParserPoolOptions {
  /** Files parsed at once, each in a process of its own. @default 2 */
  readonly processes?: number;
  /** ms for one file; for a dump, for each batch of its pages. @default 30000 */
  readonly timeMs?: number;
  /** Resident memory of a parser's process in MB, of which Node itself takes about 80; at least 256. @default 512 */
  readonly memoryMb?: number;
  readonly limits?: Partial<ParseLimits>;
}

/** Codes of the errors of a file. Each is a `KithError` whose message names the file. */
export type ParseErrorCode =
  | 'parse_timeout'
  | 'parse_memory'
  | 'parse_encrypted'
  | 'parse_broken'
  | 'parse_unsupported'
  | 'parse_too_large'
  | 'parse_unreadable';

export interface ParserPool extends AsyncDisposable {
  /**
   * The documents of a file: one, or one for each page of a dump, in the order of the file. Waits for a free process. Leaving
   * the loop early ends the work.
   *
   * @throws {InputError} with a `ParseErrorCode`, from any step of the iteration; the pool stays usable.
   * @throws {AbortedError} when the signal fires.
   */
  parse(source: ParseSource, options?: ParseOptions): AsyncIterable<Parsed>;
}
