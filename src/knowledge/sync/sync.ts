/**
 * A folder and what a knowledge base has of it, made equal: new and changed files are taken in, moved ones keep their chunks,
 * those that are gone go.
 *
 * What cannot be seen is not gone: nothing is removed of a folder that is missing or cannot be read.
 *
 * @module knowledge/sync/sync
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename, extname } from 'node:path';
import { KithError, throwIfAborted } from '../../base/index.ts';
import { type IngestEvent, type IngestOptions, ingest, recipeOf, type SourceFile } from '../ingest/index.ts';
import type { KnowledgeStore, StoredDocument } from '../store/index.ts';
import { type FoundFile, walk } from './walk.ts';

export interface SyncOptions extends IngestOptions {
  /** Folder on the disk. */
  readonly folder: string;
  /** Where its files stand in the KB: a path ending in `/`, or empty for the whole KB. @default '' */
  readonly prefix?: string;
  /** Removes everything when the folder is there and has no files. @default false: a drive that is away leaves an empty folder */
  readonly allowEmpty?: boolean;
  /** Stamps of files that were taken in before, by path; those of equal stamps are not read again. Kept up to date. */
  readonly stamps?: Map<string, string>;
}

export type SyncEvent =
  | IngestEvent
  /** How many files will be looked at: all but those whose stamps are as they were. Comes before the first of them. */
  | { readonly kind: 'listed'; readonly files: number }
  | { readonly kind: 'renamed'; readonly from: string; readonly to: string }
  | { readonly kind: 'removed'; readonly path: string }
  /** A part of the folder that could not be read; what the KB has of it stays. */
  | { readonly kind: 'unread'; readonly path: string; readonly message: string };

/** ms that a file must have been left alone for its stamp to be trusted: times of file systems are coarse. */
const STILL_MS = 2000;

/** @throws KithError `folder_missing`, `folder_unreadable`, `folder_empty`; what `ingest` throws */
export async function* sync(options: SyncOptions): AsyncGenerator<SyncEvent, void, undefined> {
  const { store, folder, prefix = '', dryRun = false, signal, clock, stamps } = options;
  const here = new Map<string, FoundFile>();
  const unread: string[] = [];
  for await (const found of walk(folder, signal)) {
    if ('unread' in found) {
      unread.push(prefix + found.unread);
      yield { kind: 'unread', path: prefix + found.unread, message: found.message };
    } else here.set(prefix + found.path, found);
  }
  if (here.size === 0 && options.allowEmpty !== true && !documentsUnder(store, prefix).next().done) {
    throw new KithError(
      'folder_empty',
      `The folder ${folder} has no files, and the knowledge base has documents of it. If its drive is away, connect it; if all are to be removed, say so.`,
      { status: 409, details: { path: folder } },
    );
  }
  const gone = new Map<string, StoredDocument[]>();
  for (const document of documentsUnder(store, prefix)) {
    const owner = ownerOf(store, document.path, here);
    if (here.has(owner) || unread.some((part) => owner.startsWith(part))) continue;
    gone.set(owner, [...(gone.get(owner) ?? []), document]);
  }

  for await (const { from, to } of movesOf(gone, here, options)) {
    throwIfAborted(signal);
    if (!dryRun) store.rename(from, to);
    gone.delete(from);
    yield { kind: 'renamed', from, to };
  }

  const now = clock.now();
  const recipe = recipeOf(options.chunking ?? {}, options.embedder);
  const files: SourceFile[] = [];
  for (const [path, { full, modified, stamp }] of here) {
    if (stamps?.get(path) === stamp) {
      const state = store.file(path);
      if (state?.stage === 'done' && state.recipe === recipe) continue;
    }
    files.push({ path, source: { path: full }, modified });
  }
  yield { kind: 'listed', files: files.length };
  for await (const event of ingest(files, options)) {
    if (event.kind === 'end') {
      // Last, so that what moved and changed at once finds its vectors.
      for (const [path, documents] of gone) {
        for (const document of dryRun ? [] : documents) store.remove(document.path);
        stamps?.delete(path);
        yield { kind: 'removed', path };
      }
      // After their documents: pages without the file that they are of would be taken for files, after a kill in between.
      for (const path of dryRun ? [] : staleFiles(store, prefix, here, unread)) store.forgetFile(path);
    } else if (event.kind === 'file' && (event.stage === 'done' || event.stage === 'skipped') && !dryRun) {
      const found = here.get(event.path);
      if (found !== undefined && now - found.modified > STILL_MS) stamps?.set(event.path, found.stamp);
    }
    yield event;
  }
}

function* documentsUnder(store: KnowledgeStore, prefix: string): Generator<StoredDocument> {
  for (let after = ''; ; ) {
    const page = store.documents({ after, limit: 1000 }, prefix === '' ? undefined : { paths: [prefix] });
    if (page.length === 0) return;
    yield* page;
    after = page.at(-1)!.path;
  }
}

/** The file that a document came of: for a page of a dump the dump. */
function ownerOf(store: KnowledgeStore, path: string, here: ReadonlyMap<string, FoundFile>): string {
  if (here.has(path) || store.file(path) !== null) return path;
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    const above = path.slice(0, end);
    if (here.has(above) || store.file(above) !== null) return above;
  }
  return path;
}

/** What is said of files that are not here and have no document: they failed, or waited, and went. */
function staleFiles(
  store: KnowledgeStore,
  prefix: string,
  here: ReadonlyMap<string, FoundFile>,
  unread: readonly string[],
): string[] {
  const stale: string[] = [];
  for (let after = ''; ; ) {
    const page = store.files({ after, limit: 1000 });
    if (page.length === 0) return stale;
    for (const { path } of page)
      if (path.startsWith(prefix) && !here.has(path) && !unread.some((part) => path.startsWith(part)))
        stale.push(path);
    after = page.at(-1)!.path;
  }
}

/**
 * Files that are somewhere else with the bytes that they had. Not those whose chunks would be others there: when the kind of
 * file is told by another ending, or the title was the name and is another.
 */
async function* movesOf(
  gone: ReadonlyMap<string, readonly StoredDocument[]>,
  here: ReadonlyMap<string, FoundFile>,
  { store, signal }: SyncOptions,
): AsyncGenerator<{ readonly from: string; readonly to: string }> {
  const lost = new Map<number, StoredDocument[]>();
  for (const [path, documents] of gone) {
    const document = documents.length === 1 && documents[0]!.path === path ? documents[0]! : null;
    // A page without its file is no file, whatever its bytes are said to be.
    if (document === null || store.file(path) === null) continue;
    lost.set(document.bytes, [...(lost.get(document.bytes) ?? []), document]);
  }
  if (lost.size === 0) return;
  for (const [to, { full, bytes }] of here) {
    const candidates = lost.get(bytes)?.filter((document) => keepsChunks(document, to)) ?? [];
    if (candidates.length === 0 || store.document(to) !== null || store.file(to) !== null) continue;
    const hash = await hashOf(full, signal);
    const match = candidates.find((document) => hash !== null && Buffer.compare(document.hash, hash) === 0);
    if (match === undefined) continue;
    lost.set(
      bytes,
      lost.get(bytes)!.filter((document) => document !== match),
    );
    yield { from: match.path, to };
  }
}

function keepsChunks({ path, titled }: StoredDocument, to: string): boolean {
  const kind = extname(to).toLowerCase() === extname(path).toLowerCase();
  return kind && (titled || basename(to, extname(to)) === basename(path, extname(path)));
}

/** Null for a file that cannot be read: what that means is said when it is taken in. */
async function hashOf(full: string, signal: AbortSignal | undefined): Promise<Uint8Array | null> {
  const hash = createHash('sha256');
  try {
    for await (const part of createReadStream(full, { highWaterMark: 1 << 18, signal }))
      hash.update(part as Buffer);
  } catch (error) {
    if (signal?.aborted) throw error;
    return null;
  }
  return new Uint8Array(hash.digest());
}
