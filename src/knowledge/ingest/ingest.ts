/**
 * Files to documents of a knowledge base: several are read and parsed while the chunks of others are embedded, and each is put
 * whole. What was told to be put stays, whatever happens next: a run that is killed is simply begun again.
 *
 * @module knowledge/ingest/ingest
 */
import { AbortedError, throwIfAborted } from '../../base/index.ts';
import { passageOf } from '../chunk/index.ts';
import { mentionsOf } from '../graph/mentions.ts';
import { checkPath, type FileStage, type FileState, isPath } from '../store/index.ts';
import { Channel } from './channel.ts';
import { type Failure, failureOf, isFatal } from './failure.ts';
import { inTurn } from './listing.ts';
import { type Look, look, pathOf, type Read, readDocument, recipeOf } from './reading.ts';
import type { IngestEvent, IngestOptions, IngestTotals, SourceFile } from './types.ts';

/** Chunks that are embedded with one call, of one document or several. */
const EMBED_CHUNKS = 128;
const PARALLEL = 3;
const AHEAD_CHARACTERS = 8_000_000;
/** ms between notes of how far files are that are on their way. */
const NOTE_MS = 1000;

type Vectors = ReadonlyMap<string, Float32Array>;

type Item =
  | { readonly kind: 'stage'; readonly path: string; readonly stage: FileStage; readonly look: Look | null }
  | { readonly kind: 'failed'; readonly path: string; readonly look: Look | null; readonly error: unknown }
  | { readonly kind: 'document'; readonly read: Read }
  /** All documents of a file were given, and it is not the one document of it that says so by being put. */
  | { readonly kind: 'read'; readonly file: SourceFile; readonly look: Look; readonly pages: boolean };

/**
 * Failures of a file are events, and the run goes on. It ends with an error where nothing more could be put: when the KB cannot
 * be written or the embedder does not answer. Leaving the loop early ends the work.
 *
 * @throws KithError of the store or the embedder; InputError `embedder_mismatch`, `chunking_invalid`; AbortedError
 */
export async function* ingest(
  files: Iterable<SourceFile> | AsyncIterable<SourceFile>,
  given: IngestOptions,
): AsyncGenerator<IngestEvent, void, undefined> {
  const stop = new AbortController();
  const signal = given.signal === undefined ? stop.signal : AbortSignal.any([given.signal, stop.signal]);
  const options: IngestOptions = { ...given, signal };
  const { store, embedder, clock, chunking = {}, dryRun = false } = options;
  const recipe = recipeOf(chunking, embedder);
  if (!dryRun) store.useEmbedder(embedder);

  const channel = new Channel<Item>(options.aheadCharacters ?? AHEAD_CHARACTERS);
  const abort = () => channel.fail(new AbortedError(undefined, { cause: signal.reason }));
  signal.addEventListener('abort', abort, { once: true });
  const began = clock.monotonic();
  const sum = {
    files: 0,
    done: 0,
    skipped: 0,
    failed: 0,
    documents: 0,
    chunks: 0,
    embedded: 0,
    tokens: 0,
    bytes: 0,
  };
  const totals = (): IngestTotals => ({ ...sum, elapsedMs: clock.monotonic() - began });
  const stages = new Map<string, FileState>();
  let noted = began;

  const stateOf = (stage: FileStage, seen: Look | null, failure: Failure | null = null) => ({
    ...{ stage, code: failure?.code ?? null, message: failure?.message ?? null, hash: seen?.hash ?? null },
    ...{ recipe, bytes: seen?.bytes ?? 0, at: Math.floor(clock.now()) },
  });
  const event = (
    path: string,
    stage: FileStage,
    seen: Look | null,
    failure: Failure | null = null,
  ): IngestEvent => ({
    ...{ kind: 'file', path, stage, known: seen?.known ?? null },
    ...{ code: failure?.code ?? null, message: failure?.message ?? null, totals: totals() },
  });
  /** How far files are is of use to look at only: it is written now and then. */
  const onTheWay = (path: string, stage: FileStage, seen: Look | null): void => {
    if (dryRun) return;
    stages.set(path, { path, ...stateOf(stage, seen) });
    if (clock.monotonic() - noted < NOTE_MS) return;
    store.noteFiles([...stages.values()]);
    stages.clear();
    noted = clock.monotonic();
  };
  const settle = (
    path: string,
    stage: FileStage,
    seen: Look | null,
    failure: Failure | null = null,
  ): IngestEvent => {
    stages.delete(path);
    if (stage === 'done' || stage === 'skipped' || stage === 'failed') sum[stage]++;
    if (stage === 'done') sum.bytes += seen?.bytes ?? 0;
    return event(path, stage, seen, failure);
  };

  async function readAll(next: () => Promise<SourceFile | null>): Promise<void> {
    for (;;) {
      const file = await next();
      if (file === null) return;
      sum.files++;
      await readFile(file);
    }
  }

  async function readFile(file: SourceFile): Promise<void> {
    const { path } = file;
    let seen: Look | null = null;
    try {
      throwIfAborted(signal);
      checkPath(path);
      seen = await look(file, recipe, options);
      if (seen.failed !== null) {
        const { code, message } = seen.failed;
        await channel.put({ kind: 'failed', path, look: seen, error: { code, message } }, 1);
        return;
      }
      if (seen.known === 'unchanged' || dryRun) {
        const stage = seen.known === 'unchanged' ? 'skipped' : 'waiting';
        await channel.put({ kind: 'stage', path, stage, look: seen }, 1);
        return;
      }
      let [pages, whole] = [false, false];
      for await (const parsed of options.pool.parse(file.source, { signal })) {
        if (parsed.page === null) await channel.put({ kind: 'stage', path, stage: 'parsed', look: seen }, 1);
        pages ||= parsed.page !== null;
        const there = store.document(pathOf(file, parsed.page));
        // A page that a run before this one has put.
        if (there?.recipe === recipe && Buffer.compare(there.hash, seen.hash) === 0) continue;
        const read = await readDocument(file, seen, parsed, recipe, options);
        const weight = read.chunks.reduce((characters, chunk) => characters + chunk.text.length, 1000);
        await channel.put({ kind: 'document', read }, weight);
        whole = parsed.page === null;
      }
      if (!whole) await channel.put({ kind: 'read', file, look: seen, pages }, 1);
    } catch (error) {
      if (signal.aborted || isFatal(error)) throw error;
      await channel.put({ kind: 'failed', path, look: seen, error }, 1);
    }
  }

  /** Embeds what has no vector yet, with few calls, and puts documents as soon as they are whole. */
  async function* put(reads: readonly Read[]): AsyncGenerator<IngestEvent> {
    const { dimension } = embedder;
    for (const { file, look: seen } of reads) onTheWay(file.path, 'chunked', seen);
    const all = reads.flatMap(({ chunks }) => chunks);
    const vectors = store.vectorsById(all.map(({ id }) => id));
    const missing = [...new Map(all.map((chunk) => [chunk.id, chunk])).values()].filter(
      ({ id }) => !vectors.has(id),
    );
    let whole = 0;
    for (let from = 0; ; from += EMBED_CHUNKS) {
      const part = missing.slice(from, from + EMBED_CHUNKS);
      if (part.length > 0) {
        const made = await embedder.embed(part.map(passageOf), { kind: 'passage', signal });
        for (const [at, { id, tokens }] of part.entries()) {
          vectors.set(id, made.subarray(at * dimension, (at + 1) * dimension));
          sum.tokens += tokens;
        }
        sum.embedded += part.length;
        yield { kind: 'progress', totals: totals() };
      }
      const first = whole;
      while (whole < reads.length && reads[whole]!.chunks.every(({ id }) => vectors.has(id))) whole++;
      const ready = reads.slice(first, whole);
      // One wait for the disk for all of them: of small documents it takes longer than all else but the model.
      const failures = store.atOnce(() => ready.map((read) => putOne(read, vectors)));
      for (const [i, read] of ready.entries()) {
        const settled = settleOne(read, failures[i] ?? null);
        if (settled !== null) yield settled;
      }
      if (whole === reads.length) return;
    }
  }

  /** Null, or why it could not be put. */
  function putOne(
    { facts, look: seen, parsed, chunks }: Read,
    vectors: Vectors,
  ): { readonly error: unknown } | null {
    const { dimension } = embedder;
    const rows = new Float32Array(chunks.length * dimension);
    for (const [at, { id }] of chunks.entries()) rows.set(vectors.get(id)!, at * dimension);
    const { path, title } = facts;
    throwIfAborted(signal);
    try {
      const findNames = options.mentions ?? mentionsOf;
      const mentions = findNames({ path, title, document: parsed.document, chunks });
      // Before the document says that the file is done: after a kill nobody would look for them again.
      if (parsed.page === null) dropPages(path, null);
      store.put(facts, chunks, rows, mentions, parsed.page === null ? stateOf('done', seen) : undefined);
      return null;
    } catch (error) {
      if (isFatal(error)) throw error;
      return { error };
    }
  }

  function settleOne(
    { file, facts: { path }, look: seen, parsed, chunks }: Read,
    failure: { readonly error: unknown } | null,
  ): IngestEvent | null {
    if (failure !== null) return fail(file.path, seen, failure.error);
    sum.documents++;
    sum.chunks += chunks.length;
    // The state of a file that is one document was written with it.
    if (parsed.page === null) return settle(path, 'done', seen);
    onTheWay(file.path, 'embedded', seen);
    return null;
  }

  /** Files of which a document failed: the rest of it does not make them done. */
  const broken = new Set<string>();
  function fail(path: string, seen: Look | null, error: unknown): IngestEvent {
    const failure = failureOf(error);
    broken.add(path);
    if (!dryRun && isPath(path)) store.noteFiles([{ path, ...stateOf('failed', seen, failure) }]);
    return settle(path, 'failed', seen, failure);
  }

  function finish({ file: { path }, look: seen, pages }: Item & { kind: 'read' }): IngestEvent | null {
    if (broken.has(path)) return null;
    // What was one document is many now, or none: there are dumps without a page. And pages may have gone.
    const own = store.document(path);
    if (own !== null && (pages || Buffer.compare(own.hash, seen.hash) !== 0)) store.remove(path);
    dropPages(path, pages ? seen.hash : null);
    store.noteFiles([{ path, ...stateOf('done', seen) }]);
    return settle(path, 'done', seen);
  }

  /** The file is as it was: what is said of it need not be. */
  function keepState(path: string, seen: Look | null): void {
    if (store.file(path)?.stage !== 'done') store.noteFiles([{ path, ...stateOf('done', seen) }]);
    if (seen?.isTouched) store.touch(path, seen.modified);
  }

  /** Pages that a file had before it was as it is: all of them, or those that are not of these bytes. */
  function dropPages(path: string, keep: Uint8Array | null): void {
    for (let after = ''; ; ) {
      const found = store.documents({ after, limit: 500 }, { paths: [`${path}/`] });
      if (found.length === 0) return;
      for (const page of found) {
        // A document with a state of its own is a file in a folder of that name.
        const kept = keep !== null && Buffer.compare(page.hash, keep) === 0;
        if (!kept && store.file(page.path) === null) store.remove(page.path);
      }
      after = found.at(-1)!.path;
    }
  }

  const next = inTurn(files, (paths) => {
    if (dryRun) return;
    // Those that are known keep what is said of them until they turn out to have changed.
    const fresh = paths.filter((path) => isPath(path) && store.file(path) === null);
    store.noteFiles(fresh.map((path) => ({ path, ...stateOf('waiting', null) })));
  });
  /** Why the readers stopped everything. */
  let broke: { readonly reason: unknown } | null = null;
  const readers = Array.from({ length: Math.max(1, options.parallel ?? PARALLEL) }, () => readAll(next));
  const all = Promise.all(readers).then(
    () => channel.end(),
    (error: unknown) => {
      if (!signal.aborted) broke = { reason: error };
      channel.fail(signal.aborted ? new AbortedError(undefined, { cause: signal.reason }) : error);
      stop.abort(error);
    },
  );
  try {
    for (;;) {
      const first = await channel.take();
      if (first === null) break;
      const reads: Read[] = [];
      let chunks = 0;
      let item: Item | null = first;
      const rest: Item[] = [];
      // Small documents share a call of the embedder; what comes between them comes after them.
      while (item !== null) {
        if (item.kind === 'document') {
          reads.push(item.read);
          chunks += item.read.chunks.length;
        } else if (item.kind === 'stage' && item.stage === 'parsed') {
          onTheWay(item.path, item.stage, item.look);
          yield event(item.path, item.stage, item.look);
        } else rest.push(item);
        item = chunks < EMBED_CHUNKS ? channel.takeNow() : null;
      }
      yield* put(reads);
      for (const each of rest) {
        if (each.kind === 'failed') yield fail(each.path, each.look, each.error);
        else if (each.kind === 'read') {
          const finished = finish(each);
          if (finished !== null) yield finished;
        } else if (each.kind === 'stage') {
          if (each.stage === 'skipped' && !dryRun) keepState(each.path, each.look);
          yield settle(each.path, each.stage, each.look);
        }
      }
    }
    yield { kind: 'end', totals: totals() };
  } catch (error) {
    // What was being embedded ended only because of that.
    if (broke !== null) throw (broke as { readonly reason: unknown }).reason;
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
    stop.abort();
    channel.fail(new AbortedError());
    await all;
  }
}
