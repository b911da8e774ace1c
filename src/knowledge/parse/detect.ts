/**
 * What a file is: by its first bytes, then by its name, then by how its text begins. Names may be wrong.
 *
 * @module knowledge/parse/detect
 */
import { decodeText } from './decode.ts';
import { broken, encrypted, unsupported } from './failures.ts';
import { isOle, oleKind } from './ole.ts';
import type { DocumentType, ParseLimits } from './types.ts';
import { zipNames } from './zip.ts';

const EXTENSIONS: Readonly<Record<string, DocumentType>> = {
  txt: 'text',
  text: 'text',
  log: 'text',
  md: 'markdown',
  markdown: 'markdown',
  mdown: 'markdown',
  mkd: 'markdown',
  mdx: 'markdown',
  rst: 'rst',
  rest: 'rst',
  csv: 'csv',
  tsv: 'csv',
  json: 'json',
  jsonl: 'json',
  ndjson: 'json',
  geojson: 'json',
  ipynb: 'json',
  yaml: 'yaml',
  yml: 'yaml',
  toml: 'toml',
  html: 'html',
  htm: 'html',
  xhtml: 'html',
  xml: 'html',
  pdf: 'pdf',
  docx: 'docx',
  docm: 'docx',
  dotx: 'docx',
  doc: 'doc',
  dot: 'doc',
  pptx: 'pptx',
  pptm: 'pptx',
  ppsx: 'pptx',
  xlsx: 'xlsx',
  xlsm: 'xlsx',
  xltx: 'xlsx',
  epub: 'epub',
  eml: 'eml',
  wiki: 'wikitext',
  wikitext: 'wikitext',
  mediawiki: 'wikitext',
};

/** Types whose files are no text; a file of such a name that is none is broken. */
const BINARY: ReadonlySet<DocumentType> = new Set(['pdf', 'docx', 'doc', 'pptx', 'xlsx', 'epub']);

/** Bytes at the beginning that tell what a text is. */
const HEAD = 16 * 1024;

/** Extension in lower case without its dot; empty when there is none. */
export function extensionOf(name: string): string {
  const file = name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1);
  const dot = file.lastIndexOf('.');
  return dot <= 0 ? '' : file.slice(dot + 1).toLowerCase();
}

/** Type that a name promises; null where it promises none that is known. */
export function typeOfName(name: string): DocumentType | null {
  const extension = extensionOf(name);
  return Object.hasOwn(EXTENSIONS, extension) ? EXTENSIONS[extension]! : null;
}

/** Extensions of files that can be ingested, without dots. */
export const KNOWN_EXTENSIONS: readonly string[] = Object.keys(EXTENSIONS);

const startsWith = (bytes: Uint8Array, text: string): boolean =>
  text.length <= bytes.length && [...text].every((letter, at) => bytes[at] === letter.charCodeAt(0));

function zipType(name: string, bytes: Uint8Array, limits: ParseLimits): DocumentType {
  const names = new Set(zipNames(bytes, limits));
  if (names.has('word/document.xml') || names.has('word/document2.xml')) return 'docx';
  if (names.has('ppt/presentation.xml')) return 'pptx';
  if (names.has('xl/workbook.xml')) return 'xlsx';
  if (names.has('META-INF/container.xml') && !names.has('content.xml')) return 'epub';
  const promised = typeOfName(name);
  // A damaged one of these: its parser says in which way.
  if (promised !== null && BINARY.has(promised)) return promised;
  if (names.has('content.xml'))
    throw unsupported(name, 'a file of LibreOffice', 'Save it as DOCX, XLSX, PPTX or PDF.');
  throw unsupported(name, 'a zip archive', 'Unpack it and ingest the folder.');
}

function oleType(name: string, bytes: Uint8Array): DocumentType {
  switch (oleKind(bytes)) {
    case 'doc':
      return 'doc';
    case 'encrypted':
      throw encrypted(name);
    case 'xls':
      throw unsupported(name, 'a workbook of Excel 97 to 2003', 'Save it as XLSX.');
    case 'ppt':
      throw unsupported(name, 'a presentation of PowerPoint 97 to 2003', 'Save it as PPTX.');
    case 'msg':
      throw unsupported(name, 'a message of Outlook', 'Save it as EML.');
    case 'other':
      if (typeOfName(name) === 'doc') return 'doc';
      throw unsupported(name, 'a file of an old Office program', 'Save it in a newer format.');
  }
}

const isControl = (code: number): boolean =>
  // Tab, line ends, form feed, and the escape by which some encodings switch.
  code < 32 && code !== 9 && code !== 10 && code !== 13 && code !== 12 && code !== 27;

function isMostlyOdd(codes: Iterable<number>, length: number): boolean {
  let odd = 0;
  for (const code of codes) if (isControl(code) || code === 0xfffd) odd += 1;
  return odd > Math.max(2, 0.02 * length);
}

/** True for what no encoding of text has. UTF-16 and UTF-32 have zeros, in a pattern that decoding sees. */
function isBinary(head: Uint8Array): boolean {
  const { text, guess, wide } = decodeText(head);
  // Old encodings of East Asia make characters of nearly any bytes.
  if (guess !== null && !wide) return isMostlyOdd(head, head.length);
  return isMostlyOdd(
    [...text].map((letter) => letter.charCodeAt(0)),
    text.length,
  );
}

const MAIL_HEADERS =
  /^(?:from|to|date|subject|message-id|received|mime-version|return-path|delivered-to|content-type):/i;

/** Begins with lines of headers, of which so many are those of mails. A line of a mailbox may stand before them. */
function isMail(head: string, least: number): boolean {
  let known = 0;
  for (const line of head.replace(/^From \S.*\n/, '').split('\n', 100)) {
    if (line.trim() === '') break;
    if (MAIL_HEADERS.test(line)) known += 1;
    else if (!/^[\w-]{1,80}:|^[ \t]/.test(line)) return false;
  }
  return known >= least;
}

/** Type that a text's beginning shows; null when it could be anything. */
function typeOfText(head: string): DocumentType | null {
  const start = head
    .trimStart()
    .replace(/^<\?xml[^>]{0,500}\?>\s*/i, '')
    .replace(/^(?:<!--[^>]{0,1000}-->\s*){0,5}/, '');
  if (/^<mediawiki[\s>]/i.test(start)) return 'mediawiki';
  if (/^(?:<!doctype\s+html|<html[\s>]|<head[\s>]|<body[\s>])/i.test(start)) return 'html';
  return isMail(head, 3) ? 'eml' : null;
}

/** The name's promise where the text can be that, else what else it may be. */
function textType(name: string, head: string): DocumentType {
  const shown = typeOfText(head);
  const promised = typeOfName(name);
  if (shown !== null && promised !== 'markdown' && promised !== 'rst') return shown;
  const first = head.trimStart()[0] ?? '';
  switch (promised) {
    case null:
      return /^[{[]/.test(first) && /\.(?:\w*json\w*)$/i.test(name) ? 'json' : 'text';
    case 'json':
      return first === '' || /["{[\-\dtfn]/.test(first) ? 'json' : 'text';
    case 'html':
      return head.includes('<') ? 'html' : 'text';
    case 'eml':
      return isMail(head, 1) ? 'eml' : 'text';
    default:
      return BINARY.has(promised) ? 'text' : promised;
  }
}

/**
 * What the bytes of a file are.
 *
 * @throws {InputError} `parse_unsupported` for what has no parser, `parse_encrypted` where that shows already.
 */
export async function detectType(
  name: string,
  bytes: Uint8Array,
  limits: ParseLimits,
): Promise<DocumentType> {
  const promised = typeOfName(name);
  if (bytes.length === 0) {
    if (promised !== null && BINARY.has(promised)) throw broken(name, 'it is empty');
    return promised ?? 'text';
  }
  const head = bytes.subarray(0, HEAD);
  if (Buffer.from(head.subarray(0, 1_024)).includes('%PDF-')) return 'pdf';
  if (startsWith(bytes, 'PK\u0003\u0004') || startsWith(bytes, 'PK\u0005\u0006'))
    return zipType(name, bytes, limits);
  if (isOle(bytes)) return oleType(name, bytes);
  if (startsWith(bytes, '{\\rtf')) throw unsupported(name, 'a file in RTF', 'Save it as DOCX.');
  if (!isBinary(head)) return textType(name, decodeText(head).text);
  if (promised !== null && BINARY.has(promised)) return promised;
  throw unsupported(name, await kindOfBinary(bytes), 'Leave it out; an archive can be unpacked first.');
}

async function kindOfBinary(bytes: Uint8Array): Promise<string> {
  const { fileTypeFromBuffer } = await import('file-type');
  try {
    const kind = await fileTypeFromBuffer(bytes.subarray(0, HEAD));
    return kind === undefined ? 'neither text nor of a known kind' : `a file of the kind ${kind.mime}`;
  } catch {
    // It reads lengths that the bytes name; a damaged file has wrong ones.
    return 'neither text nor of a known kind';
  }
}
