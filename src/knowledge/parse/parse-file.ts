/**
 * A file to its documents: reads it within bounds, finds out what it is, and runs its parser. Takes as long and as much memory as
 * it takes: `pool.ts` runs it where both end.
 *
 * @module knowledge/parse/parse-file
 */
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { ParsedDocument } from '../types.ts';
import { encodingByMark } from './decode.ts';
import { detectType } from './detect.ts';
import { asFailure, broken, tooLarge, unreadable } from './failures.ts';
import { parserFor } from './parser.ts';
import type { DocumentType, Parsed, ParseLimits, ParseSource } from './types.ts';

const PIECE = 256 * 1024;
/** Files in files: a mail's attachments are read, and theirs are not. */
const INNER = 1;

/** Name of a source, for messages and its extension. */
export function nameOf(source: ParseSource): string {
  if (source.name !== undefined) return source.name;
  return 'path' in source
    ? source.path.slice(Math.max(source.path.lastIndexOf('/'), source.path.lastIndexOf('\\')) + 1)
    : '';
}

async function parseSingle(
  name: string,
  bytes: Uint8Array,
  type: DocumentType,
  limits: ParseLimits,
  depth: number,
): Promise<ParsedDocument> {
  if (type === 'mediawiki') throw broken(name, 'a dump of a wiki cannot be inside another file');
  const parser = await parserFor(type);
  const inner =
    depth >= INNER
      ? null
      : async (part: string, content: Uint8Array) =>
          parseSingle(part, content, await detectType(part, content, limits), limits, depth + 1);
  return parser({ name, bytes, limits, inner });
}

async function* readDocuments(
  name: string,
  bytes: Uint8Array,
  type: DocumentType,
  limits: ParseLimits,
): AsyncGenerator<Parsed> {
  if (type === 'mediawiki') yield* pagesOf(name, [bytes], limits);
  else yield { type, page: null, document: await parseSingle(name, bytes, type, limits, 0) };
}

async function* pagesOf(
  name: string,
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  limits: ParseLimits,
): AsyncGenerator<Parsed> {
  // With the libraries for wikis, which few files need.
  const { readDump } = await import('./dump.ts');
  for await (const { title, document } of readDump(name, bytes, limits))
    yield { type: 'mediawiki', page: title, document };
}

async function* piecesOf(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (let at = 0; ; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(PIECE), 0, PIECE, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** The whole file. Its length is what is there while it is read: it may grow. */
async function readWhole(name: string, file: FileHandle, size: number, limit: number): Promise<Uint8Array> {
  const tooMuch = () => tooLarge(name, `has more than ${limit} bytes`);
  if (size > limit) throw tooMuch();
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of piecesOf(file)) {
    length += piece.length;
    if (length > limit) throw tooMuch();
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

async function openFile(
  name: string,
  path: string,
): Promise<{ readonly file: FileHandle; readonly size: number }> {
  try {
    // Opening a pipe would wait for somebody to write to it.
    const before = await stat(path);
    if (!before.isFile()) throw new Error('it is not a regular file');
    return { file: await open(path, 'r'), size: before.size };
  } catch (thrown) {
    throw unreadable(name, thrown);
  }
}

async function* readPath(
  name: string,
  path: string,
  limits: ParseLimits,
  type: DocumentType | undefined,
): AsyncGenerator<Parsed> {
  const { file, size } = await openFile(name, path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(PIECE), 0, PIECE, 0);
    const head = buffer.subarray(0, bytesRead);
    const isDump = type === 'mediawiki' || (type === undefined && looksLikeDump(head));
    if (isDump) return yield* pagesOf(name, piecesOf(file), limits);
    const bytes = await readWhole(name, file, size, limits.bytes);
    yield* readDocuments(name, bytes, type ?? (await detectType(name, bytes, limits)), limits);
  } finally {
    await file.close();
  }
}

function looksLikeDump(head: Uint8Array): boolean {
  return /^\uFEFF?\s*(?:<\?xml[^>]{0,500}\?>)?\s*<mediawiki[\s>]/.test(
    new TextDecoder(encodingByMark(head)).decode(head.subarray(0, 4_096)),
  );
}

/**
 * The documents of a file.
 *
 * @throws {InputError} with a `ParseErrorCode`, whatever the parser threw.
 */
export async function* parseFile(
  source: ParseSource,
  limits: ParseLimits,
  type?: DocumentType,
): AsyncGenerator<Parsed> {
  const name = nameOf(source);
  try {
    if ('path' in source) return yield* readPath(name, source.path, limits, type);
    if (source.bytes.length > limits.bytes) throw tooLarge(name, `has more than ${limits.bytes} bytes`);
    yield* readDocuments(name, source.bytes, type ?? (await detectType(name, source.bytes, limits)), limits);
  } catch (thrown) {
    throw asFailure(name, thrown);
  }
}
