/**
 * What the jobs of knowledge bases do.
 *
 * @module node/knowledge/work
 */
import { opendir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Clock, InputError, isErrno, isKithError, messageOf } from '../../base/index.ts';
import {
  type Embedder,
  type IngestOptions,
  ingest,
  type KnowledgeStore,
  mentionsOf,
  type ParserPool,
  recipeOf,
  reembed,
  type SourceFile,
  type SyncEvent,
  sync,
  walk,
} from '../../knowledge/index.ts';
import type { JobProgress, Trouble } from '../../server/index.ts';
import {
  type ChunkSettings,
  chunkingOf,
  filesCutOtherwise,
  noteTaken,
  noteWindow,
  sameFiles,
  takenOf,
} from './chunking.ts';
import type { Embedders } from './embedders.ts';
import { foldersOf, type OpenKb } from './kbs.ts';
import { forget } from './places.ts';
import type { Work } from './registry.ts';
import { noProgress, type Telling } from './telling.ts';

export { noProgress, type Telling } from './telling.ts';

export interface WorkParts {
  readonly embedders: Embedders;
  readonly pool: ParserPool;
  readonly clock: Clock;
  readonly chunking: ChunkSettings;
  /** Where uploaded bytes wait. */
  readonly uploads: string;
}

/** Failures that a job remembers. */
const MOST_FAILURES = 50;

export async function doWork(
  work: Exclude<Work, { readonly kind: 'dream' | 'notes' | 'copy' | 'vault' | 'engine' }>,
  { store, stamps }: OpenKb,
  parts: WorkParts,
  telling: Telling,
): Promise<void> {
  const { signal } = telling;
  if (work.kind === 'forget') return forget(work, store, telling);
  if (work.kind === 'rebuild') return rebuild(work, store, parts, telling);
  const { pool, clock, embedders } = parts;
  const embedder = await embedders.of(store);
  const options: IngestOptions = {
    ...{ store, pool, clock, signal, embedder, mentions: mentionsOf },
    chunking: chunkingOf(store, parts.chunking),
  };
  noteWindow(store, embedder);
  if (work.kind === 'sync') {
    const { folder, under: prefix, allowEmpty } = work;
    // It was asked for before somebody said that the folder is followed no longer.
    if (!foldersOf(store).some((each) => each.folder === folder && each.under === prefix)) return;
    const events = sync({ ...options, folder, prefix, allowEmpty, stamps: stamps(prefix) });
    await follow(events, telling, null);
    return;
  }
  if (work.kind === 'upload') {
    const { path } = work;
    const file = join(parts.uploads, work.file);
    // The job was done when the process died before it could say so.
    if ((await stat(file).catch(() => null)) === null) return;
    const source = { path, source: { path: file, name: basename(path) } };
    await follow(ingest([source], { ...options, retryFailed: true }), telling, 1);
    await rm(file, { force: true });
    return;
  }
  const unread: { path: string; message: string }[] = [];
  const files: SourceFile[] = [];
  for (const path of work.paths)
    for await (const file of filesAt(path, work.under, unread, signal)) files.push(file);
  const failures = unread.map(({ path, message }) => ({ path, code: 'folder_unreadable', message }));
  noteTaken(store, work.paths, work.under);
  await follow(ingest(files, { ...options, retryFailed: work.retry }), telling, files.length, failures);
}

async function* filesAt(
  path: string,
  under: string,
  unread: { path: string; message: string }[],
  signal: AbortSignal,
): AsyncGenerator<SourceFile> {
  const facts = await stat(path).catch(() => null);
  if (facts?.isDirectory()) {
    const prefix = `${under}${basename(path)}/`;
    for await (const found of walk(path, signal)) {
      if ('unread' in found) unread.push({ path: prefix + found.unread, message: found.message });
      else yield { path: prefix + found.path, source: { path: found.full }, modified: found.modified };
    }
    return;
  }
  // What is gone meanwhile is a failure of that file.
  yield { path: `${under}${basename(path)}`.normalize('NFC'), source: { path } };
}

async function follow(
  events: AsyncIterable<SyncEvent>,
  { tell }: Telling,
  of: number | null,
  before: readonly (Trouble & { readonly path: string })[] = [],
): Promise<JobProgress> {
  let progress: JobProgress = { ...noProgress, of, failures: before.slice(-MOST_FAILURES) };
  const fail = (path: string, code: string, message: string): void => {
    progress = {
      ...progress,
      failures: [...progress.failures, { path, code, message }].slice(-MOST_FAILURES),
    };
  };
  tell(progress);
  for await (const event of events) {
    switch (event.kind) {
      case 'renamed':
        progress = { ...progress, renamed: progress.renamed + 1 };
        break;
      case 'removed':
        progress = { ...progress, removed: progress.removed + 1 };
        break;
      case 'listed':
        progress = { ...progress, of: event.files };
        break;
      case 'unread':
        fail(event.path, 'folder_unreadable', event.message);
        break;
      case 'file':
        if (event.stage === 'failed')
          fail(event.path, event.code ?? 'ingest_failed', event.message ?? 'It could not be taken in.');
        progress = { ...progress, totals: event.totals };
        break;
      default:
        progress = { ...progress, totals: event.totals };
    }
    tell(progress);
  }
  return progress;
}

/** The vectors of before are dropped once: a run that goes on after a kill keeps those it made. */
async function rebuild(
  { begun, only }: Extract<Work, { readonly kind: 'rebuild' }>,
  store: KnowledgeStore,
  parts: WorkParts,
  telling: Telling,
): Promise<void> {
  const { embedders, clock } = parts;
  const { signal, tell, become } = telling;
  const embedder = only === 'chunks' ? await embedders.of(store) : await embedders.configured();
  const began = clock.monotonic();
  if (only === undefined && (!begun || store.embedder?.hash !== embedder.hash)) {
    store.changeEmbedder(embedder);
    become({ kind: 'rebuild', begun: true });
  }
  const cut = await cutAnew(store, embedder, parts, telling);
  if (only === 'chunks') return;
  const { chunks, vectors } = store.counts();
  const progress = (done: number): JobProgress => ({
    ...cut,
    of: chunks,
    totals: {
      ...cut.totals,
      chunks: vectors + done,
      embedded: cut.totals.embedded + done,
      elapsedMs: clock.monotonic() - began,
    },
  });
  tell(progress(0));
  for await (const done of reembed(store, embedder, signal)) tell(progress(done));
}

/** Documents that were cut by other settings, as far as their files are at hand. */
async function cutAnew(
  store: KnowledgeStore,
  embedder: Embedder,
  { pool, clock, chunking: settings }: WorkParts,
  telling: Telling,
): Promise<JobProgress> {
  const { signal } = telling;
  const chunking = chunkingOf(store, settings);
  const recipe = recipeOf(chunking, embedder);
  const wanted = filesCutOtherwise(store, recipe);
  noteWindow(store, embedder);
  if (wanted.size === 0) return noProgress;
  const options: IngestOptions = { store, pool, clock, signal, embedder, chunking, mentions: mentionsOf };
  const files = sameFiles(store, wanted, filesAgain(store, signal), signal);
  const done = await follow(ingest(files, options), telling, wanted.size);
  const left = [...filesCutOtherwise(store, recipe)].filter((path) => wanted.has(path));
  const failures = left.slice(0, MOST_FAILURES).map((path) => ({
    ...{ path, code: 'file_away' },
    message:
      'It stays cut as it was: its file is not where it was taken from, or changed since. Take it in again.',
  }));
  const progress = { ...done, failures: [...done.failures, ...failures].slice(-MOST_FAILURES) };
  telling.tell(progress);
  return progress;
}

/** All files that documents may have come of, where they are now. */
async function* filesAgain(store: KnowledgeStore, signal: AbortSignal): AsyncGenerator<SourceFile> {
  const roots = [
    ...foldersOf(store).map(({ folder, under }) => ({ path: folder, prefix: under, under: '' })),
    ...takenOf(store).map((each) => ({ ...each, prefix: null })),
  ];
  for (const { path, prefix, under } of roots) {
    try {
      if (prefix === null) yield* filesAt(path, under, [], signal);
      else
        for await (const found of walk(path, signal))
          if (!('unread' in found))
            yield { path: prefix + found.path, source: { path: found.full }, modified: found.modified };
    } catch (error) {
      // A drive that is away: what came from there stays as it is, and is named.
      if (!isKithError(error) || !error.code.startsWith('folder_')) throw error;
    }
  }
}

/** Removes uploads that no job waits for: a process died between writing one and noting its job. */
export async function sweepUploads(folder: string, wanted: ReadonlySet<string>): Promise<void> {
  try {
    for await (const { name } of await opendir(folder))
      if (!wanted.has(name)) await rm(join(folder, name), { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** @throws InputError `path_invalid` unless there is something readable at an absolute path */
export async function checkSource(path: string): Promise<void> {
  const facts = await stat(path).catch((error: unknown) => {
    const why = isErrno(error, 'ENOENT') ? 'there is no such file or folder.' : messageOf(error);
    throw new InputError('path_invalid', `${path.slice(0, 500)} cannot be taken in: ${why}`, {
      param: 'paths',
    });
  });
  if (!facts.isFile() && !facts.isDirectory())
    throw new InputError(
      'path_invalid',
      `${path.slice(0, 500)} cannot be taken in: it is neither a file nor a folder.`,
      { param: 'paths' },
    );
}
